"""DIMSE over TLS: a client certificate speaks for its AE title or its institution, for no other."""

import ipaddress
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO

import pytest
from cryptography import x509
from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import AE, Association, build_context, evt
from pynetdicom.sop_class import StorageCommitmentPushModel as PushModel

from accord.archive.commitment import Reference, Verdict, tell
from accord.archive.peer import PeerNotReached
from accord.archive.receive.intake import Intake
from accord.archive.receive.listener import Receiver
from accord.kit.settings import Settings
from integration.archive.conftest import AE_TITLE, INSTITUTION, OTHER_TITLE
from integration.archive.test_commitment import Told
from integration.archive.test_dimse import EXPLICIT, data_set_of
from support.builders import encoded, make_study
from support.certificates import Authority, Paper, with_certificates


@dataclass
class Secured:
    """A receiver that speaks TLS alone."""

    site: object
    port: int
    authority: Authority
    settings: Settings
    connections: list[socket.socket] = field(default_factory=list)

    def associate(
        self, paper: Paper | None, *, title: str = AE_TITLE, sop_class: str
    ) -> Association:
        """Associate with a client certificate, or with none."""
        context = ssl.create_default_context(cafile=str(self.authority.file))
        if paper is not None:
            context.load_cert_chain(paper.certificate, paper.key)
        entity = AE(title)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 20
        return entity.associate(
            "127.0.0.1",
            self.port,
            contexts=[build_context(sop_class, [EXPLICIT])],
            tls_args=(context, "127.0.0.1"),
            evt_handlers=[(evt.EVT_CONN_OPEN, self.opened)],
        )

    def opened(self, event: evt.Event) -> None:
        """Remember a connection."""
        self.connections.append(event.assoc.dul.socket.socket)

    def close(self) -> None:
        """Close what pynetdicom lets go of unclosed when the peer is first to close."""
        for connection in self.connections:
            connection.close()


@pytest.fixture
def secured(site, tmp_path) -> Iterator[Secured]:
    """A receiver with a certificate of its own that takes the authority's clients."""
    settings, authority = with_certificates(site.settings, tmp_path)
    intake = Intake(settings, site.database)
    receiver = Receiver(settings, intake)
    thread = threading.Thread(target=receiver.serve)
    thread.start()
    running = Secured(site, receiver.address.port, authority, settings)
    yield running
    running.close()
    receiver.stop()
    thread.join()
    intake.close()


@pytest.fixture
def film() -> Dataset:
    """An object that continues on disk."""
    (one, *_) = make_study(modality="DR", body="hand")
    one.add_new(0x00420011, "OB", bytes(range(256)) * 16 * 1024)
    return one


@pytest.mark.parametrize(
    ("name", "others"),
    [
        (AE_TITLE, ()),
        (INSTITUTION, ()),
        ("pacs.example.org", (x509.DNSName(INSTITUTION),)),
    ],
    ids=["its title", "its institution", "its institution beside a host"],
)
def test_certificate_that_names_the_sender_lets_it_store(secured, film, name, others):
    paper = secured.authority.issue(name, *others)
    association = secured.associate(paper, sop_class=film.SOPClassUID)
    assert association.is_established
    sent = dcmread(BytesIO(encoded(film)))
    assert association.send_c_store(sent).Status == 0x0000
    association.release()
    (stored,) = secured.site.instances(film.StudyInstanceUID)
    assert stored.institution == INSTITUTION
    assert secured.site.data_set(stored) == data_set_of(encoded(film))


@pytest.mark.parametrize("name", [OTHER_TITLE, "CQ-B", "CQA_PACS2", "*"])
def test_certificate_of_another_speaks_for_nobody_else(secured, film, name):
    association = secured.associate(secured.authority.issue(name), sop_class=film.SOPClassUID)
    assert association.is_rejected
    told = association.acceptor.primitive
    assert (told.result_source, told.diagnostic) == (1, 3)  # calling AE title not recognised


def test_client_without_a_certificate_is_not_served(secured, film):
    association = secured.associate(None, sop_class=film.SOPClassUID)
    assert not association.is_established


def test_certificate_of_a_strange_authority_is_not_served(secured, film, tmp_path):
    stranger = Authority(tmp_path, "stranger").issue(AE_TITLE)
    association = secured.associate(stranger, sop_class=film.SOPClassUID)
    assert not association.is_established


def test_peer_that_speaks_no_tls_is_not_served(secured, film):
    entity = AE(AE_TITLE)
    entity.acse_timeout = entity.network_timeout = 20
    association = entity.associate(
        "127.0.0.1",
        secured.port,
        contexts=[build_context(film.SOPClassUID, [EXPLICIT])],
        evt_handlers=[(evt.EVT_CONN_OPEN, secured.opened)],
    )
    assert not association.is_established
    after = secured.associate(secured.authority.issue(AE_TITLE), sop_class=film.SOPClassUID)
    assert after.is_established
    after.release()


@pytest.mark.parametrize("is_strange", [False, True], ids=["of the authority", "of a stranger"])
def test_result_of_a_commitment_is_told_over_tls_to_the_real_peer_alone(
    secured, tmp_path, is_strange
):
    told = Told()
    issuer = Authority(tmp_path, "stranger") if is_strange else secured.authority
    paper = issuer.issue("pacs", x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    context = ssl.create_default_context(
        ssl.Purpose.CLIENT_AUTH, cafile=str(secured.authority.file)
    )
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(paper.certificate, paper.key)
    entity = AE(AE_TITLE)
    entity.add_supported_context(PushModel, [EXPLICIT], scu_role=False, scp_role=True)
    handlers = [
        (evt.EVT_N_EVENT_REPORT, told.take),
        (evt.EVT_CONN_OPEN, secured.opened),
    ]
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, ssl_context=context, evt_handlers=handlers
    )
    address = f"127.0.0.1:{server.socket.getsockname()[1]}"
    settings = secured.settings.model_copy(update={"peer_addresses": {AE_TITLE: address}})
    verdict = Verdict((Reference("1.2.3", "1.2.3.4"),), ())
    try:
        if is_strange:
            with pytest.raises(PeerNotReached):
                tell(settings, AE_TITLE, "1.2.3.5", verdict)
        else:
            tell(settings, AE_TITLE, "1.2.3.5", verdict)
    finally:
        server.shutdown()
    assert [(kind, event.TransactionUID) for kind, event in told.events] == (
        [] if is_strange else [(1, "1.2.3.5")]
    )


@pytest.mark.dcmtk
@pytest.mark.parametrize(("name", "is_stored"), [(AE_TITLE, True), (OTHER_TITLE, False)])
def test_storescu_stores_over_tls_under_its_own_name_alone(
    secured, film, tmp_path, name, is_stored
):
    paper = secured.authority.issue(name)
    file = tmp_path / "film.dcm"
    file.write_bytes(encoded(film))
    told = subprocess.run(
        [
            "storescu", "-v", "+tls", str(paper.key), str(paper.certificate),
            "+cf", str(secured.authority.file), "-aet", AE_TITLE, "-aec", "ACCORD",
            "127.0.0.1", str(secured.port), str(file),
        ],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    words = told.stdout + told.stderr
    assert ("Received Store Response (Success)" in words) == is_stored, words
    assert (told.returncode == 0) == is_stored
    assert len(secured.site.instances(film.StudyInstanceUID)) == int(is_stored)
