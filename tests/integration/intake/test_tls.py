"""MLLP over TLS: a client certificate speaks for the institution that it names, for no other."""

import socket
import ssl

import pytest

from support.certificates import with_certificates
from support.hl7 import END, START, adt, fields_of
from support.listening import serving


@pytest.fixture
def secured(site, tmp_path):
    settings, authority = with_certificates(site.settings, tmp_path)
    with serving(settings, site.database) as port:
        yield port, authority


@pytest.mark.parametrize(("name", "verdict"), [("CQ-A", "AA"), ("CQ-B", "AR"), ("HIS", "AR")])
def test_certificate_speaks_for_the_institution_it_names(secured, name, verdict):
    port, authority = secured
    paper = authority.issue(name)
    context = ssl.create_default_context(cafile=str(authority.file))
    context.load_cert_chain(paper.certificate, paper.key)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as line,
    ):
        line.sendall(START + adt("1") + END)
        answer = b""
        while not answer.endswith(END):
            answer += line.recv(65_536)
    assert fields_of(answer[1:-2])["MSA"][1] == verdict


def test_peer_without_tls_is_not_served(secured):
    port, _ = secured
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(START + adt("1") + END)
        try:
            received = line.recv(65_536)
        except ConnectionResetError:
            received = b""
    assert b"MSA" not in received
