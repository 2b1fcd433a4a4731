"""pynetdicom's threads made to wait for what concerns them.

By itself each of its two threads an association looks a thousand times a second whether there is
something to do, which costs more than the objects do. Here the thread of the upper layer waits for
its socket and for what it shall send, the thread of the association for messages.
"""

import os
import queue
import select
import ssl
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.dul import DULServiceProvider

CLOSING: Final = "Sta13"
LOOK: Final = 0.25  # seconds after which they look at timers and flags all the same


class Bell:
    """Wakes a thread that waits in `select`."""

    def __init__(self) -> None:
        self.fileno = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        weakref.finalize(self, os.close, self.fileno)

    def ring(self) -> None:
        """Wake whoever waits, or the next one that will."""
        os.eventfd_write(self.fileno, 1)

    def still(self) -> None:
        """Forget that it was rung."""
        with suppress(BlockingIOError):
            os.eventfd_read(self.fileno)


class RingingQueue(queue.Queue[Any]):
    """A queue that tells when something was put into it."""

    def __init__(self, ring: Callable[[], None]) -> None:
        super().__init__()
        self._ring = ring

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Put an item into the queue and ring."""
        super().put(item, block, timeout)
        self._ring()


class WaitingProvider(DULServiceProvider):  # type: ignore[misc]
    """The upper layer, asleep until its socket or its user has something for it."""

    bell: Bell

    def _is_transport_event(self) -> bool:
        if not self.event_queue.empty():
            return False  # one thing after the other: what was read is dealt with first
        if self.state_machine.current_state == CLOSING:
            return bool(super()._is_transport_event())
        if not self._wait():
            return False
        self._read_pdu_data()
        return True

    def _wait(self) -> bool:
        """Wait for the bell or the socket, and say whether the socket has something."""
        connection = self.socket.socket if self.socket else None
        if isinstance(connection, ssl.SSLSocket) and connection.pending():
            return True
        waited_for = [self.bell.fileno] + ([connection] if connection is not None else [])
        try:
            ready, _, _ = select.select(waited_for, [], [], LOOK)
        except (OSError, ValueError):
            time.sleep(0.01)  # it was closed in this moment
            return False
        if self.bell.fileno in ready:
            self.bell.still()
        return connection in ready


class WaitingAssociation(Association):  # type: ignore[misc]
    """An association as acceptor, asleep until a message or the end of it arrives."""

    called: threading.Event
    is_established: bool

    def _run_reactor(self) -> None:
        """Do what pynetdicom does in each of its rounds, when there is reason for a round."""
        self._is_paused = False
        while not self._kill:
            if self.dimse.msg_queue.empty():
                self.called.wait(LOOK)
            self.called.clear()
            context_id, message = self.dimse.get_msg(block=False)
            if message:
                self._serve_request(message, context_id)
            if self._has_ended():
                self.kill()

    def _has_ended(self) -> bool:
        if self.is_established and self.acse.is_release_requested():
            self.acse.send_release(is_response=True)
            self.is_released = True
            self.is_established = False
            evt.trigger(self, evt.EVT_RELEASED, {})
            return True
        if self.acse.is_aborted():
            self.dul.receive_pdu(wait=False)
            self.is_aborted = True
            self.is_established = False
            evt.trigger(self, evt.EVT_ABORTED, {})
            return True
        if not self.dul.is_alive():
            return True
        if self.dul.idle_timer_expired():
            self.abort()
            return True
        return False


def let_wait(association: Association) -> None:
    """Let the threads of an association wait, before they start.

    Its upper layer must be a `WaitingProvider` already.
    """
    called = threading.Event()
    bell = Bell()
    upper = association.dul
    upper.bell = bell
    upper.to_provider_queue = RingingQueue(bell.ring)
    upper.to_user_queue = RingingQueue(called.set)
    upper._run_loop_delay = 0  # noqa: SLF001 - it waits elsewhere now
    association.dimse.msg_queue = RingingQueue(called.set)
    association.called = called
    association.__class__ = WaitingAssociation
