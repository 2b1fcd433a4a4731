"""The outer face over HTTP: every page, every refusal, and no database behind it."""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from accord.disclosure.outer import create_app, pages, shelf
from accord.kit import clock
from support.asgi import Asker
from support.publications import make_institution, make_publication, publish

NOW = datetime(2026, 10, 21, 4, 0, tzinfo=UTC)
MANY = tuple(make_institution(f"CQ{number:03d}") for number in range(1, 46))


@pytest.fixture(autouse=True)
def on_a_fixed_day():
    with clock.freeze(NOW):
        yield


@pytest.fixture
def root(tmp_path):
    return publish(tmp_path / "publication", make_publication(1), make_publication(2, MANY))


@pytest.fixture
def client(root, monkeypatch):
    monkeypatch.setattr(shelf, "LOOK_EVERY", 0.0)
    return Asker(create_app(root))


def routes():
    return [
        "/",
        "/?q=示范&item=94&province=重庆&page=2",
        "/items",
        "/items?q=膝&modality=DR",
        "/institutions/CQ001",
        "/history",
        "/verify/",
        "/verify/?institution=CQ001&item=94&day=2026-10-01",
        "/healthz",
        "/static/outer.css",
        "/static/favicon.svg",
        "/publications/1/publication.json",
        "/publications/2/rights.csv",
        "/publications/2/manifest.sig",
        "/publications/2/publication.pub.pem",
    ]


@pytest.mark.parametrize("path", routes())
def test_page_is_answered_with_strict_headers_and_no_cookie(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers


def test_every_route_of_the_application_was_walked(client):
    def shape(path):
        return re.compile(re.sub(r"{\w+}", "[^/]+", path) + r"(\?.*)?")

    walked = [*routes(), "/download/rights.csv", "/verify"]
    missed = [
        route.path
        for route in pages.router.routes
        if not any(shape(route.path).fullmatch(path) for path in walked)
    ]
    assert not missed


def test_pages_have_no_script_and_nothing_from_elsewhere(client):
    for path in ("/", "/items", "/institutions/CQ001", "/history", "/verify/"):
        text = client.get(path).text
        assert "<script" not in text
        assert "style=" not in text
        assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', text)


def test_list_pages_through_all_institutions(client):
    seen = []
    for page in (1, 2, 3):
        seen += re.findall(r'href="/institutions/(CQ\d+)"', client.get(f"/?page={page}").text)
    assert seen == [institution.code for institution in MANY]


def test_page_past_the_end_shows_the_last_one(client):
    assert "第 3 / 3 页" in client.get("/?page=99").text


def test_list_shows_the_last_valid_day_and_not_the_end(client):
    text = client.get("/?item=94").text
    assert "2026年12月31日" in text
    assert "2027年1月1日" not in text


def test_search_that_finds_nothing_offers_the_whole_list(client):
    text = client.get("/?q=不存在的医院").text
    assert "没有符合条件的机构" in text
    assert 'href="/"' in text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("institution=CQ001&item=94&day=2026-10-01", "有权标注"),
        ("institution=示范医院CQ001&item=94&day=2026-10-01", "有权标注"),
        ("institution=CQ001&item=94&day=2027-01-01", "没有该项目的质量评价合格记录"),
        ("institution=CQ001&item=1&day=2026-10-01", "无权标注"),
        ("institution=CQ001&item=94&day=2025-10-01", "未列入互认机构名单"),
        ("institution=不存在&item=94&day=2026-10-01", "无法核验"),
        ("institution=CQ001&item=999&day=2026-10-01", "项目清单中没有这个项目"),
    ],
)
def test_mark_is_verified_by_institution_item_and_day(client, query, words):
    assert words in client.get(f"/verify/?{query}").text


def test_institution_that_is_only_nearly_named_is_offered(client):
    text = client.get("/verify/?institution=示范&item=94&day=2026-10-01").text
    assert "您要核验的是否为" in text


def test_published_file_is_known_by_its_hash(client, root):
    import hashlib

    content = (root / "0001" / "items.csv").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert "是第" in client.get(f"/verify/?sha256={digest}").text
    other = hashlib.sha256(content + b"x").hexdigest()
    assert "可能被改动" in client.get(f"/verify/?sha256={other}").text


@pytest.mark.parametrize(
    "path",
    [
        "/?item=abc",
        "/?page=-1",
        "/?q=" + "长" * 101,
        "/verify/?institution=CQ001&item=94&day=2026-13-01",
        "/verify/?sha256=zz",
    ],
)
def test_question_that_makes_no_sense_is_refused_in_plain_words(client, path):
    answer = client.get(path)
    assert answer.status_code == 400
    assert "无法查询" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/institutions/XX",
        "/publications/9/items.csv",
        "/publications/1/..%2f..%2fkeys",
        "/download/publication.key.pem",
        "/static/..%2fpages.py",
    ],
)
def test_unknown_address_is_not_found(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/verify/", "/download/items.csv"])
def test_nothing_can_be_written(client, path):
    assert client.post(path).status_code == 405


def test_hostile_search_is_shown_as_text(client):
    text = client.get("/?q=<script>alert(1)</script>").text
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_download_of_today_leads_to_the_number_in_force(client):
    answer = client.get("/download/rights.csv")
    assert (answer.status_code, answer.headers["location"]) == (
        302,
        "/publications/2/rights.csv",
    )


def test_published_file_is_handed_out_byte_for_byte(client, root):
    answer = client.get("/publications/1/publication.json")
    assert answer.content == (root / "0001" / "publication.json").read_bytes()
    assert "immutable" in answer.headers["cache-control"]


def test_unchanged_page_is_not_sent_again(client):
    tag = client.get("/").headers["etag"]
    assert client.get("/", headers={"if-none-match": tag}).status_code == 304


def test_new_publication_is_shown_without_a_restart(client, root):
    before = client.get("/healthz").json()["publication"]
    publish_more(root, 3)
    assert (before, client.get("/healthz").json()["publication"]) == (2, 3)


def publish_more(root, number):
    from accord.disclosure import folder
    from accord.disclosure.signing import open_signing_key

    key = open_signing_key(root.parent / "keys")
    last = folder.verify_all(root, key.public)[-1]
    folder.write(root, make_publication(number), key, last.hash)


def test_tampered_publication_stops_every_page(client, root):
    assert client.get("/").status_code == 200
    path = root / "0002" / "publication.json"
    path.write_text(path.read_text("utf-8").replace("示范医院CQ001", "冒名医院"), "utf-8")
    for address in ("/", "/items", "/history", "/verify/", "/publications/1/items.csv"):
        answer = client.get(address)
        assert answer.status_code == 503
        assert "冒名医院" not in answer.text
    assert client.get("/healthz").json() == {"status": "publication_tampered"}


def test_file_changed_a_moment_ago_is_not_handed_out(root):
    client = Asker(create_app(root))
    assert client.get("/").status_code == 200
    path = root / "0002" / "rights.csv"
    path.write_bytes(path.read_bytes() + "冒名".encode())
    answer = client.get("/publications/2/rights.csv")
    assert answer.status_code == 503
    assert "冒名".encode() not in answer.content


def test_key_swapped_together_with_the_folder_is_not_believed(client, root, tmp_path):
    assert client.get("/").status_code == 200
    forged = publish(tmp_path / "elsewhere" / "publication", make_publication(1))
    shutil.rmtree(root)
    shutil.copytree(forged, root)
    assert client.get("/").status_code == 503


def test_repaired_folder_is_shown_again(client, root):
    path = root / "0002" / "items.csv"
    content = path.read_bytes()
    path.write_bytes(content + b"x")
    assert client.get("/").status_code == 503
    path.write_bytes(content)
    assert client.get("/").status_code == 200


def test_before_the_first_publication_the_page_says_so(tmp_path):
    answer = Asker(create_app(tmp_path / "none")).get("/")
    assert answer.status_code == 503
    assert "尚未发布互认名单" in answer.text


def test_publication_overdue_by_the_clause_is_said_on_every_page(root):
    with clock.freeze(datetime(2027, 11, 1, tzinfo=UTC)):
        client = Asker(create_app(root))
        assert "已逾期" in client.get("/items").text


WALK = """
import socket, sys
real = socket.socket.connect
def connect(self, address):
    host = address[0] if isinstance(address, tuple) else address
    assert host in ("127.0.0.1", "::1"), f"reached out to {address}"
    return real(self, address)
socket.socket.connect = connect
from pathlib import Path
from accord.disclosure.outer import create_app
from support.asgi import Asker
client = Asker(create_app(Path(sys.argv[1])))
for path in sys.argv[2:]:
    assert client.get(path).status_code == 200, path
loaded = [name for name in sys.modules if name.split(".")[0] in {"sqlalchemy", "psycopg"}]
assert not loaded, loaded
print("walked", len(sys.argv) - 2)
"""


def test_every_page_is_served_by_a_process_that_never_loads_a_database(root, tmp_path):
    environment = {
        "PATH": os.environ["PATH"],
        "ACCORD_DATA_DIR": str(tmp_path / "no data here"),
        "ACCORD_DATABASE_URL": "postgresql://nobody@192.0.2.1:1/nothing",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    paths = [path for path in routes() if path.isascii()]
    done = subprocess.run(
        [sys.executable, "-c", WALK, str(root), *paths],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert f"walked {len(paths)}" in done.stdout
    assert not (tmp_path / "no data here").exists()
