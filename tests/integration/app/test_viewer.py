"""The viewer's files and pages over HTTP."""

import gzip
import re
import secrets
from io import BytesIO
from types import SimpleNamespace

import pytest

from accord.app import frames, viewer
from accord.app.viewer import BUILT, load_build
from accord.archive import service as archive
from accord.archive.model import Result, Way
from accord.kit import store
from accord.kit.access import Actor, Post, hash_password
from accord.kit.blobs import BlobStore
from accord.kit.db import Database
from accord.kit.settings import Settings
from support.asgi import Asker
from support.builders import encoded, make_study
from support.viewing import MARK, make_face, take_in, two_studies

READER = Post("H1", None, frozenset({"physician"}), frozenset({"images.read"}))
CLERK = Post("H1", None, frozenset(), frozenset({"record.read"}))
STRANGER = Post("H2", None, frozenset({"physician"}), frozenset({"images.read"}))
POSTS = {"reader": READER, "clerk": CLERK, "stranger": STRANGER}


@pytest.fixture(scope="module")
def database(server):
    """One database for this module: every test stores studies of its own."""
    name = f"viewer_{secrets.token_hex(6)}"
    own = Database(server.clone(name))
    with own.begin() as conn:
        for login in POSTS:
            store.put_person(conn, login, login, hash_password("secret"))
    yield own
    own.close()
    server.drop(name)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return Settings(data_dir=tmp_path_factory.mktemp("viewer"))


@pytest.fixture(scope="module")
def marked():
    return set()


@pytest.fixture(scope="module")
def face(database, settings, marked):
    return Asker(make_face(database, settings, POSTS.__getitem__, marked))


@pytest.fixture(scope="module")
def ask(face):
    """Ask as a person who is logged in."""
    tokens = {}

    def logged_in(login, path, **options):
        if login not in tokens:
            answer = face.post("/api/v1/login", json={"login": login, "password": "secret"})
            tokens[login] = answer.cookies["accord_session"]
        return face.get(path, headers={"cookie": f"accord_session={tokens[login]}"}, **options)

    return logged_in


def new_study(**what):
    """Return the objects of a small study that no other test has."""
    return make_study(**{"matrix": 32, "seed": secrets.token_hex(8), **what})


@pytest.fixture
def files():
    """The built files alone, without a database."""
    from fastapi import FastAPI

    from accord.kit.http import install_error_handlers

    app = FastAPI()
    install_error_handlers(app)
    app.include_router(viewer.router)
    return Asker(app)


def hashed_script():
    return next(name for name in load_build().files if re.fullmatch(r"app\.bundle\.\w+\.js", name))


def test_every_built_file_is_served_with_its_type_and_without_login(files):
    for name, file in load_build().files.items():
        answer = files.get(f"/viewer/{name}")
        assert answer.status_code == 200, name
        assert answer.headers["content-type"] == file.media_type
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert file.media_type != "application/octet-stream", name


def test_hashed_file_is_kept_for_good_and_the_others_are_asked_for_again(files):
    assert "immutable" in files.get(f"/viewer/{hashed_script()}").headers["cache-control"]
    for name in ("", "index.html", "app-config.js", "app.bundle.css", "viewer"):
        assert files.get(f"/viewer/{name}").headers["cache-control"] == "no-cache", name


def test_file_is_sent_compressed_only_to_those_who_take_it(files):
    path = f"/viewer/{hashed_script()}"
    packed = files.request("GET", path, headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    for refusing in ("identity", "gzip;q=0", ""):
        plain = files.get(path, headers={"accept-encoding": refusing})
        assert "content-encoding" not in plain.headers
        assert plain.content == packed.content


def test_unchanged_file_is_not_sent_again(files):
    tag = files.get("/viewer/index.html").headers["etag"]
    answer = files.get("/viewer/index.html", headers={"if-none-match": tag})
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["viewer", "viewer?StudyInstanceUIDs=1.2.3", "basic/something", ""]
)
def test_address_of_the_viewers_own_router_gets_its_page(files, path):
    answer = files.get(f"/viewer/{path}")
    assert answer.status_code == 200
    assert "<title>川渝影像互认 · 阅片</title>" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "missing.js",
        "app.bundle.0000000000000000.js",
        "sw.js",
        "a/b.css",
        ".stamp",
        "index.html.gz",
        "../../../viewer.py",
        "..%2f..%2fviewer.py",
        "pages/missing.js",
        "viewer/viewer/app-config.js",
    ],
)
def test_unknown_file_is_not_found_and_never_the_page(files, path):
    answer = files.get(f"/viewer/{path}")
    assert answer.status_code == 404
    assert "<html" not in answer.text


def test_policy_lets_run_only_the_scripts_of_the_build(files):
    policy = files.get("/viewer/").headers["content-security-policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert "'unsafe-inline'" not in directives["script-src"]
    assert "'unsafe-eval'" not in directives["script-src"]
    assert directives["script-src"].count("'sha256-") == 2
    assert directives["connect-src"] == "'self' data: blob:"
    assert directives["object-src"] == "'none'"


def test_build_reaches_for_no_other_place(files):
    page = files.get("/viewer/").text
    assert re.findall(r'(?:src|href)="(?!/viewer/)', page) == []
    assert "service-worker" not in page
    config = files.get("/viewer/app-config.js").text
    assert re.findall(r"https?://", config) == []


def test_licence_of_the_viewer_is_served_beside_it(files):
    assert "MIT License" in files.get("/viewer/OHIF-LICENSE.txt").text


def test_build_is_complete_and_small():
    names = load_build().files
    assert {"index.html", "app-config.js", "OHIF-LICENSE.txt"} <= set(names)
    assert not [name for name in names if name.endswith(".map") or name.startswith("ort/")]
    assert sum(file.path.stat().st_size for file in names.values()) < 20_000_000


def test_package_without_a_viewer_says_so(tmp_path):
    with pytest.raises(viewer.ViewerNotBuilt, match="界面未构建"):
        load_build(tmp_path)
    assert (BUILT / "index.html.gz").is_file()


def test_index_of_the_build_is_valid_gzip():
    assert gzip.decompress((BUILT / "index.html.gz").read_bytes()).startswith(b"<!doctype html>")


# --- entry and frames --------------------------------------------------------------------------


def test_entry_page_offers_both_ways(ask, database, settings):
    answer = ask("reader", "/viewer/open?StudyInstanceUIDs=1.2.3")
    assert answer.status_code == 200
    assert 'href="/viewer/viewer?StudyInstanceUIDs=1.2.3&amp;lng=zh"' in answer.text
    assert 'href="/viewer/frames?StudyInstanceUIDs=1.2.3"' in answer.text
    assert "<noscript>" in answer.text


def test_two_studies_open_side_by_side(ask):
    text = ask("reader", "/viewer/open?StudyInstanceUIDs=1.2.3,1.2.4").text
    assert "hangingProtocolId=compare" in text


@pytest.mark.parametrize(
    "uids", ["", "abc", "1.2.3,../../x", "1." + "2" * 80, ",".join(f"1.2.{n}" for n in range(9))]
)
def test_address_without_sensible_uids_is_refused(ask, uids):
    for page in ("open", "frames"):
        answer = ask("reader", f"/viewer/{page}", params={"StudyInstanceUIDs": uids})
        assert answer.status_code == 400


@pytest.mark.parametrize("page", ["open", "frames"])
def test_stranger_is_sent_to_the_login_and_back(face, page):
    answer = face.get(f"/viewer/{page}?StudyInstanceUIDs=1.2.3")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=%2Fviewer%2F" + page)


def test_frames_need_the_permission_and_the_right_to_this_study(ask, database, settings):
    uid = take_in(database, settings, "H1", new_study(slices=2))
    path = f"/viewer/frames?StudyInstanceUIDs={uid}"
    assert ask("reader", path).status_code == 200
    assert ask("clerk", path).status_code == 403
    assert ask("stranger", path).status_code == 404


def test_frames_work_as_plain_links(ask, database, settings):
    uid = take_in(database, settings, "H1", new_study(slices=3))
    path = f"/viewer/frames?StudyInstanceUIDs={uid}"
    shown = []
    for _ in range(3):
        text = ask("reader", path).text
        shown.append(re.search(r'id="picture" src="([^"]+)"', text)[1].replace("&amp;", "&"))
        following = re.search(r'id="next" rel="next" href="([^"]+)"', text)
        path = "/viewer/frames" + following[1].replace("&amp;", "&") if following else ""
    assert len(set(shown)) == 3
    assert path == "", "the last frame has no next one"
    picture = ask("reader", shown[0])
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")


def test_frame_past_the_end_shows_the_last_one(ask, database, settings):
    uid = take_in(database, settings, "H1", new_study(slices=3))
    text = ask("reader", f"/viewer/frames?StudyInstanceUIDs={uid}&frame=99").text
    assert "3 / 3" in text


def test_header_that_promises_frames_without_end_is_cut(ask, database, settings):
    objects = new_study(slices=1)
    objects[0].NumberOfFrames = 2**31 - 1
    sender = archive.Sender(Way.IMPORT, "H1", Actor.process("import"))
    with database.begin() as conn:
        outcome = archive.receive(
            conn,
            sender,
            BytesIO(encoded(objects[0])),
            blobs=BlobStore(settings.objects_dir),
            bounds=archive.bounds_of(settings),
            largest=settings.max_object_size,
        )
    answer = ask("reader", f"/viewer/frames?StudyInstanceUIDs={objects[0].StudyInstanceUID}")
    expected = {Result.STORED: 200, Result.KEPT_ASIDE: 404, Result.REFUSED: 404}
    assert answer.status_code == expected[outcome.result]
    assert len(answer.content) < 1_000_000


def test_series_lists_no_more_frames_than_a_page_can_hold():
    def instance(number):
        return SimpleNamespace(
            study_uid="1",
            series_uid="1.1",
            sop_uid=f"1.1.{number}",
            frames=2**31 - 1,
            pixels=object(),
            header={},
        )

    (series,) = frames.series_of([instance(1), instance(2)])
    assert (len(series.frames), series.is_cut) == (frames.MOST_FRAMES, True)


def test_mark_is_drawn_only_where_the_study_is_entitled(ask, database, settings, marked):
    studies = two_studies(database, settings, "H1")
    marked.add(studies.marked)
    with_mark = ask("reader", f"/viewer/frames?StudyInstanceUIDs={studies.marked}").text
    without = ask("reader", f"/viewer/frames?StudyInstanceUIDs={studies.unmarked}").text
    assert f'class="corner top right mark" title="互认标识">{MARK}<' in with_mark
    assert MARK not in without
    both = ask(
        "reader", f"/viewer/frames?StudyInstanceUIDs={studies.unmarked},{studies.marked}"
    ).text
    assert MARK not in both, "the mark belongs to the study on the screen"


@pytest.mark.parametrize("creator", ["ACCORD HR", "SOME MAKER"])
def test_object_that_carries_our_private_tags_gives_itself_no_mark(
    ask, database, settings, marked, creator
):
    objects = new_study(slices=2)
    for dataset in objects:
        dataset.private_block(0x0021, creator, create=True).add_new(0x01, "LO", MARK)
    uid = take_in(database, settings, "H1", objects)
    path = f"/dicom-web/studies/{uid}/metadata"
    for instance in ask("reader", path).json():
        told = instance.get("00210010", {}).get("Value"), instance.get("00211001", {}).get("Value")
        assert told != (["ACCORD HR"], [MARK])
    assert MARK not in ask("reader", f"/viewer/frames?StudyInstanceUIDs={uid}").text
    marked.add(uid)
    for instance in ask("reader", path).json():
        assert instance["00210010"]["Value"] == ["ACCORD HR"]
        assert instance["00211001"]["Value"] == [MARK]


def test_windows_are_offered_for_ct_alone(ask, database, settings):
    studies = two_studies(database, settings, "H1")
    assert "软组织" in ask("reader", f"/viewer/frames?StudyInstanceUIDs={studies.marked}").text
    text = ask("reader", f"/viewer/frames?StudyInstanceUIDs={studies.unmarked}").text
    assert "软组织" not in text


def test_window_that_is_not_offered_is_left_out(ask, database, settings):
    uid = take_in(database, settings, "H1", new_study(slices=2))
    text = ask("reader", f"/viewer/frames?StudyInstanceUIDs={uid}&window=1,2,x").text
    assert "1,2,x" not in text
    lung = ask("reader", f"/viewer/frames?StudyInstanceUIDs={uid}&window=-600,1500,linear").text
    assert "window=-600%2C1500%2Clinear" in lung


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三^^", "张三"),
        ("Zhang^San=张^三", "张三"),
        ("ZHANG^SAN", "ZHANG SAN"),
        (None, ""),
    ],
)
def test_name_is_written_as_people_write_it(name, shown):
    assert frames.readable_name(name) == shown


def test_only_the_workers_of_the_codecs_may_make_code_from_text(files):
    build = load_build()
    policies = {
        name: files.get(f"/viewer/{name}").headers["content-security-policy"]
        for name in build.files
    }
    loose = {name for name, policy in policies.items() if "'unsafe-eval'" in policy}
    assert loose == build.workers
    assert loose
    assert hashed_script() not in loose
