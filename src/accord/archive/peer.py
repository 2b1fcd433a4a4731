"""Associations that we open: to addresses of the settings, never to one that a message names."""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from pynetdicom import AE, Association
from pynetdicom.presentation import PresentationContext

from accord.kit.errors import CannotRun
from accord.kit.listening import tls
from accord.kit.settings import Settings

PATIENCE: Final = 30.0


class PeerNotReached(CannotRun):
    """A peer that does not associate, or does not answer as it should."""

    code = "peer_not_reached"


@contextmanager
def associated(
    settings: Settings,
    ae_title: str,
    contexts: Sequence[PresentationContext],
    negotiation: Sequence[Any] = (),
) -> Iterator[Association]:
    """Associate with a registered peer for the length of the block.

    Where this site has certificates, TLS with our own and the peer's signed by the same authority
    as those of its clients.

    Raises:
        PeerNotReached: No address is registered for the title, or the peer does not associate.
    """
    address = settings.peer_addresses.get(ae_title)
    if address is None:
        raise PeerNotReached(f"no address is set for {ae_title}")
    host, _, port = address.rpartition(":")
    entity = AE(settings.ae_title)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = PATIENCE
    entity.connection_timeout = PATIENCE
    context = tls(settings, ssl.Purpose.SERVER_AUTH)
    association = entity.associate(
        host.strip("[]"),
        int(port),
        contexts=list(contexts),
        ae_title=ae_title,
        ext_neg=list(negotiation),
        tls_args=(context, host.strip("[]")) if context is not None else None,
    )
    if not association.is_established:
        raise PeerNotReached(f"{ae_title} does not associate")
    try:
        yield association
    finally:
        if association.is_established:
            association.release()
