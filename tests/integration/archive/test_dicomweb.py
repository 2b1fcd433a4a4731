"""STOW-RS, QIDO-RS and WADO-RS over real HTTP, as dicomweb-client and OHIF ask."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import httpx
import imagecodecs
import numpy as np
import pytest
import requests
import uvicorn
from dicomweb_client.api import DICOMwebClient
from fastapi import FastAPI
from pydicom import dcmread

from accord.archive import api
from accord.kit import store as accounts
from accord.kit.access import Gate, Post
from accord.kit.http import install_error_handlers
from support.builders import encoded, make_study

KEY = "key-of-hospital-a"
OTHER_KEY = "key-of-hospital-b"
JPEG_LS = "1.2.840.10008.1.2.4.80"
EXPLICIT = "1.2.840.10008.1.2.1"
STOW = 'multipart/related; type="application/dicom"; boundary=b0undary'
STORED = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'


@dataclass
class Web:
    """The running inner face and its callers."""

    site: object
    app: FastAPI
    url: str
    http: httpx.Client

    def client(self, key: str = KEY) -> DICOMwebClient:
        """Return a dicomweb-client of one hospital."""
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {key}"
        session.trust_env = False
        return DICOMwebClient(f"{self.url}/dicom-web", session=session)

    def stow(self, *files: bytes, path: str = "/studies", key: str = KEY) -> httpx.Response:
        """Store files in one request."""
        parts = [
            b"--b0undary\r\nContent-Type: application/dicom\r\n\r\n" + file + b"\r\n"
            for file in files
        ]
        return self.http.post(
            f"/dicom-web{path}",
            content=b"".join(parts) + b"--b0undary--\r\n",
            headers={"Content-Type": STOW, "Authorization": f"Bearer {key}"},
        )

    def get(self, path: str, key: str = KEY, **headers: str) -> httpx.Response:
        """Ask as one hospital."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.get(
            f"/dicom-web{path}", headers={"Authorization": f"Bearer {key}", **told}
        )


@pytest.fixture
def web(site) -> Iterator[Web]:
    """The inner face on a free port, with one system each of two hospitals."""
    rights = frozenset({"images.read", "images.write"})
    with site.database.begin() as conn:
        for key, institution in ((KEY, "CQ-A"), (OTHER_KEY, "CQ-B")):
            accounts.put_system(
                conn,
                f"pacs-{institution}",
                "PACS",
                key,
                institution=institution,
                permissions=rights,
            )
    app = FastAPI()
    app.state.settings, app.state.database = site.settings, site.database
    app.state.gate = Gate(site.database, site.settings, lambda _conn, _login: Post())
    app.state.may_see_study = lambda _conn, _actor, _study_uid: False
    app.state.study_mark = lambda _conn, _study_uid: None
    install_error_handlers(app)
    app.include_router(api.router)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        yield Web(site, app, url, http)
    server.should_exit = True
    thread.join()
    listener.close()


def parts_of(response) -> list[tuple[str, bytes]]:
    """Split a multipart answer into content types and bodies."""
    boundary = response.headers["content-type"].split("boundary=")[1].encode()
    found = []
    for piece in response.content.split(b"--" + boundary)[1:-1]:
        head, _, body = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        found.append((head.decode().partition(": ")[2], body.removesuffix(b"\r\n")))
    return found


def place(ds) -> str:
    """Return the path of an instance."""
    return (
        f"/studies/{ds.StudyInstanceUID}/series/{ds.SeriesInstanceUID}"
        f"/instances/{ds.SOPInstanceUID}"
    )


def test_dicomweb_client_stores_and_reads_back(web):
    study = make_study(slices=3)
    client = web.client()
    answer = client.store_instances([dcmread(BytesIO(encoded(ds))) for ds in study])
    assert len(answer.ReferencedSOPSequence) == 3
    assert "FailedSOPSequence" not in answer
    uid = study[0].StudyInstanceUID
    read = {ds.SOPInstanceUID: ds for ds in client.retrieve_study(uid)}
    assert {k: v.PixelData for k, v in read.items()} == {
        ds.SOPInstanceUID: ds.PixelData for ds in study
    }
    assert client.retrieve_series(uid, study[0].SeriesInstanceUID)
    one = client.retrieve_instance(uid, study[0].SeriesInstanceUID, study[0].SOPInstanceUID)
    assert one.PatientName == study[0].PatientName


def test_what_comes_back_equals_the_part_that_was_sent(web):
    files = [encoded(ds) for ds in make_study(slices=3)]
    assert web.stow(*files).status_code == 200
    uid = dcmread(BytesIO(files[0])).StudyInstanceUID
    response = web.get(
        f"/studies/{uid}", Accept='multipart/related; type="application/dicom"; transfer-syntax=*'
    )
    assert sorted(body for _, body in parts_of(response)) == sorted(files)


def test_single_instance_is_given_without_multipart_to_who_asks_so(web):
    (file,) = map(encoded, make_study(slices=1))
    web.stow(file)
    response = web.get(place(dcmread(BytesIO(file))), Accept="application/dicom")
    assert response.headers["content-type"].startswith("application/dicom; transfer-syntax=")
    assert response.content == file


def test_frames_come_in_default_and_in_stated_media_types(web):
    (ds,) = make_study(slices=1, syntax=JPEG_LS)
    web.stow(encoded(ds))
    uids = (ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID)
    client = web.client()
    pixels = dcmread(BytesIO(encoded(make_study(slices=1)[0]))).PixelData
    (by_default,) = client.retrieve_instance_frames(*uids, [1])
    (octets,) = client.retrieve_instance_frames(*uids, [1], ("application/octet-stream",))
    (stored,) = client.retrieve_instance_frames(*uids, [1], (("image/jls", JPEG_LS),))
    assert by_default == octets == pixels
    decoded = imagecodecs.jpegls_decode(stored)
    assert decoded.tobytes() == pixels


def test_frames_come_as_stored_to_ohif(web):
    (ds,) = make_study(slices=1, syntax=JPEG_LS)
    web.stow(encoded(ds))
    response = web.get(f"{place(ds)}/frames/1", Accept=STORED)
    ((content_type, body),) = parts_of(response)
    assert content_type == f"application/octet-stream; transfer-syntax={JPEG_LS}"
    assert response.headers["content-type"].startswith(
        f'multipart/related; type="application/octet-stream"; transfer-syntax={JPEG_LS}; boundary='
    )
    assert imagecodecs.jpegls_decode(body).shape == (ds.Rows, ds.Columns)


def test_frame_that_is_not_there_is_404(web):
    (ds,) = make_study(slices=1)
    web.stow(encoded(ds))
    assert web.get(f"{place(ds)}/frames/2", Accept=STORED).status_code == 404
    assert web.get(f"{place(ds)}/frames/x", Accept=STORED).status_code == 400


def test_studies_are_found_as_ohif_asks(web):
    (ds,) = make_study(slices=1)
    ds.StudyDescription = "胸部CT平扫"
    web.stow(encoded(ds))
    response = web.get(
        "/studies?limit=101&offset=0&fuzzymatching=false"
        "&includefield=00081030%2C00080060%2C00080090%2C00100030"
        f"&StudyInstanceUID={ds.StudyInstanceUID}",
        Accept="application/dicom+json",
    )
    (found,) = response.json()
    assert response.headers["content-type"] == "application/dicom+json"
    assert found["00100010"]["Value"] == [{"Alphabetic": str(ds.PatientName)}]
    assert found["00081030"]["Value"] == [ds.StudyDescription]
    assert found["00201206"]["Value"] == [1]
    assert found["00201208"]["Value"] == [1]
    assert found["00080061"]["Value"] == ["CT"]
    assert found["00080005"]["Value"] == ["ISO_IR 192"]


def test_studies_are_found_by_their_keys(web):
    for seed in ("1", "2"):
        (ds,) = make_study(slices=1, seed=seed)
        ds.PatientName, ds.PatientID = "张三", "P-7"
        web.stow(encoded(ds))
    expected = {
        "PatientID=P-7": 2,
        "00100020=P-7": 2,
        "PatientID=none": 0,
        "PatientName=张*": 2,
        "PatientName=*三": 2,
        "PatientName=李*": 0,
        "ModalitiesInStudy=MR": 0,
        "ModalitiesInStudy=CT": 2,
        "StudyDate=20200101-": 2,
        "StudyDate=-20200101": 0,
        "PatientID=P-7&limit=1": 1,
        "PatientID=P-7&offset=1": 1,
        "PatientID=P-7&limit=1&offset=2": 0,
        "PatientID=%27%20OR%201=1--": 0,
        "PatientID=%25": 0,
    }
    assert {query: len(web.get(f"/studies?{query}").json()) for query in expected} == expected


def test_query_that_makes_no_sense_is_400(web):
    assert web.get("/studies?StudyDate=yesterday").status_code == 400


def test_huge_limit_is_capped_and_unknown_matching_key_is_told(web):
    assert web.get("/studies?limit=1000000000").json() == []
    assert "Warning" in web.get("/studies?PatientWeight=70").headers


def test_series_and_instances_are_found(web):
    study = make_study(slices=3)
    web.stow(*map(encoded, study))
    client = web.client()
    uid, series_uid = study[0].StudyInstanceUID, study[0].SeriesInstanceUID
    (series,) = client.search_for_series(uid)
    assert series["0020000E"]["Value"] == [series_uid]
    assert series["00201209"]["Value"] == [3]
    assert len(client.search_for_instances(uid)) == 3
    assert (
        len(client.search_for_instances(uid, series_uid, search_filters={"InstanceNumber": 2})) == 1
    )
    assert len(client.search_for_series()) == 1
    assert len(client.search_for_instances(limit=2)) == 2


def test_includefield_is_taken_repeated_and_as_all(web):
    (ds,) = make_study(slices=1)
    web.stow(encoded(ds))
    (repeated,) = web.get("/studies?includefield=00080070&includefield=Manufacturer").json()
    (everything,) = web.get("/studies?includefield=all").json()
    assert repeated["00080070"]["Value"] == [ds.Manufacturer]
    assert everything["00280010"]["Value"] == [ds.Rows]


def test_metadata_is_utf8_without_pixels_and_compressed_on_request(web):
    (ds,) = make_study(slices=1)
    ds.SpecificCharacterSet = "GB18030"
    ds.PatientName = "欧阳晓"
    web.stow(encoded(ds))
    path = f"/studies/{ds.StudyInstanceUID}/series/{ds.SeriesInstanceUID}/metadata"
    plain = web.get(path, Accept_Encoding="identity")
    packed = web.get(path, Accept_Encoding="gzip")
    (header,) = plain.json()
    assert header["00080005"]["Value"] == ["ISO_IR 192"]
    assert header["00100010"]["Value"] == [{"Alphabetic": "欧阳晓"}]
    assert "7FE00010" not in header
    assert "00210010" not in header
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == plain.json()
    assert len(web.client().retrieve_study_metadata(ds.StudyInstanceUID)) == 1


def test_mark_stands_in_the_metadata_of_an_entitled_study(web):
    (ds,) = make_study(slices=1)
    block = ds.private_block(0x0021, "SIEMENS MR SDS 01", create=True)
    block.add_new(0x01, "LO", "maker's own")
    web.stow(encoded(ds))
    path = f"/studies/{ds.StudyInstanceUID}/metadata"
    assert web.get(path).json()[0]["00210010"]["Value"] == ["SIEMENS MR SDS 01"]
    web.app.state.study_mark = lambda _conn, _study_uid: "川渝 HR"
    (header,) = web.get(path).json()
    assert header["00210010"]["Value"] == ["ACCORD HR"]
    assert header["00211001"]["Value"] == ["川渝 HR"]


def test_long_values_are_served_from_where_the_metadata_points(web):
    (ds,) = make_study(slices=1)
    ds.add_new(0x00420011, "OB", bytes(range(256)) * 20)
    web.stow(encoded(ds))
    (header,) = web.get(f"{place(ds)}/metadata").json()
    address = header["00420011"]["BulkDataURI"]
    assert address.startswith(web.url)
    (value,) = web.client().retrieve_bulkdata(address)
    assert value == bytes(range(256)) * 20
    elsewhere = address.rsplit("/", 2)[0] + "/0/100"
    assert web.get(elsewhere.removeprefix(f"{web.url}/dicom-web")).status_code == 404


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg"])
def test_rendered_picture_follows_the_window(web, media_type):
    (ds,) = make_study(slices=1)
    web.stow(encoded(ds))
    decoder = imagecodecs.png_decode if media_type == "image/png" else imagecodecs.jpeg_decode
    dark, bright = (
        decoder(web.get(f"{place(ds)}/rendered?window={w}", Accept=media_type).content)
        for w in ("3000,10,linear", "-2000,10,linear")
    )
    assert dark.shape == bright.shape == (ds.Rows, ds.Columns)
    assert dark.max() <= 2
    assert bright.min() >= 253


def test_rendered_monochrome1_shows_low_values_white(web):
    (film,) = make_study(modality="DR", body="hand")[:1]
    film.PhotometricInterpretation = "MONOCHROME2"
    twin = dcmread(BytesIO(encoded(film)))
    twin.PhotometricInterpretation = "MONOCHROME1"
    twin.SOPInstanceUID = twin.file_meta.MediaStorageSOPInstanceUID = film.SOPInstanceUID + ".1"
    buffer = BytesIO()
    twin.save_as(buffer)
    web.stow(encoded(film), buffer.getvalue())
    ways = [
        imagecodecs.png_decode(web.get(f"{place(one)}/rendered", Accept="image/png").content)
        for one in (film, twin)
    ]
    assert np.array_equal(ways[0], 255 - ways[1])


def test_rendered_picture_fits_the_viewport(web):
    (ds,) = make_study(slices=1)
    web.stow(encoded(ds))
    answer = web.get(f"{place(ds)}/frames/1/rendered?viewport=32,200", Accept="image/png")
    assert imagecodecs.png_decode(answer.content).shape == (32, 32)
    assert web.get(f"{place(ds)}/rendered?window=a,b").status_code == 400
    assert web.get(f"{place(ds)}/rendered", Accept="video/mp4").status_code == 406
    assert (
        web.client()
        .retrieve_instance_rendered(ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID)
        .startswith(b"\xff\xd8")
    )


def test_another_hospital_sees_nothing_of_the_study(web):
    (ds,) = make_study(slices=1)
    web.stow(encoded(ds))
    series = f"/studies/{ds.StudyInstanceUID}/series/{ds.SeriesInstanceUID}"
    for path in (
        f"/studies/{ds.StudyInstanceUID}",
        f"/studies/{ds.StudyInstanceUID}/metadata",
        f"{series}/metadata",
        f"{place(ds)}/frames/1",
        f"{place(ds)}/rendered",
    ):
        assert web.get(path, key=OTHER_KEY).status_code == 404
    assert web.get("/studies", key=OTHER_KEY).json() == []
    assert web.get(f"{series}/instances", key=OTHER_KEY).json() == []
    assert web.get("/instances", key=OTHER_KEY).json() == []


def test_study_that_was_shown_by_a_reminder_is_seen(web):
    (ds,) = make_study(slices=1)
    web.stow(encoded(ds))
    web.app.state.may_see_study = lambda _conn, actor, uid: (
        actor.institution == "CQ-B" and uid == ds.StudyInstanceUID
    )
    assert web.get(f"{place(ds)}/metadata", key=OTHER_KEY).status_code == 200
    assert len(web.get("/studies", key=OTHER_KEY).json()) == 1


def test_nobody_in_particular_is_refused(web):
    assert web.http.get("/dicom-web/studies").status_code == 401
    assert web.http.post("/dicom-web/studies", content=b"x").status_code == 401


def test_part_of_a_request_may_fail_alone(web):
    good, other = map(encoded, make_study(slices=2))
    response = web.stow(good, b"not DICOM at all", other[:-100])
    body = response.json()
    assert response.status_code == 202
    stored, aside = body["00081199"]["Value"]
    assert stored["00081190"]["Value"][0].endswith(dcmread(BytesIO(good)).SOPInstanceUID)
    assert aside["00081196"]["Value"] == [0xB000]
    assert aside["00091001"]["Value"] == ["truncated"]
    assert body["0008119A"]["Value"][0]["00081197"]["Value"] == [0xC000]


def test_request_of_which_nothing_is_taken_is_409(web):
    response = web.stow(b"not DICOM at all")
    assert response.status_code == 409
    assert "DICOM" in response.json()["0008119A"]["Value"][0]["00091002"]["Value"][0]


def test_object_of_another_study_than_the_address_is_refused(web):
    (file,) = map(encoded, make_study(slices=1))
    assert web.stow(file, path="/studies/1.2.3").status_code == 409
    uid = dcmread(BytesIO(file)).StudyInstanceUID
    assert web.stow(file, path=f"/studies/{uid}").status_code == 200


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 415),
        ('multipart/related; type="application/dicom+json"; boundary=b', 415),
        ('multipart/related; type="application/dicom"', 400),
    ],
)
def test_body_of_another_kind_is_refused(web, content_type, status):
    response = web.http.post(
        "/dicom-web/studies",
        content=b"--b--",
        headers={"Content-Type": content_type, "Authorization": f"Bearer {KEY}"},
    )
    assert response.status_code == status


def test_body_that_breaks_off_keeps_its_whole_parts_and_no_half_one(web):
    first, second = map(encoded, make_study(slices=2))
    parts = [b"--b0undary\r\nContent-Type: application/dicom\r\n\r\n" + f for f in (first, second)]
    body = b"\r\n".join(parts)[:-500]
    response = web.http.post(
        "/dicom-web/studies",
        content=body,
        headers={"Content-Type": STOW, "Authorization": f"Bearer {KEY}"},
    )
    assert response.status_code == 400
    names = [path.parent.name for path in web.site.files()]
    assert "incoming" not in names


def test_uid_with_a_path_is_404(web):
    assert web.get("/studies/..%2F..%2Fetc/metadata").status_code == 404
