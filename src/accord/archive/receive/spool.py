"""A data set on its way in: what arrives goes straight to the object store.

Few bytes stay in memory, more continue on disk, as the store decides.
"""

from accord.archive import service
from accord.archive.examine import Bounds, is_uid
from accord.archive.part10 import build_head
from accord.kit.blobs import BlobStore
from accord.kit.errors import AccordError


class Spooled:
    """The data set of an object that is being received.

    What it gathers begins with preamble and file meta, so that it can become the kept object as
    it is.

    Args:
        blobs: Where it will be kept.
        syntax: The negotiated transfer syntax.
        sop_class: SOP Class UID that the command claims.
        sop_uid: SOP Instance UID that the command claims.
        source_ae: Calling AE title.
    """

    def __init__(
        self, blobs: BlobStore, *, syntax: str, sop_class: str, sop_uid: str, source_ae: str
    ) -> None:
        self._claims = service.Claims(syntax, sop_class, sop_uid)
        # Claims that are no UIDs are refused at the end; until then they enter no file.
        is_named = is_uid(sop_class) and is_uid(sop_uid)
        head = build_head(sop_class, sop_uid, syntax, source_ae=source_ae) if is_named else b""
        self._head = len(head)
        self._let_go = 0
        self._is_lost = False
        self._staged = blobs.stage()
        self._staged.write(head)

    @property
    def size(self) -> int:
        """Bytes of the data set that arrived."""
        return self._staged.size - self._head + self._let_go

    def window(self, most: int) -> memoryview:
        """Show where the next bytes go, at most so many; released before `wrote` is told."""
        if self._is_lost:
            return memoryview(bytearray(most))
        return self._staged.window(most)

    def wrote(self, count: int) -> None:
        """Take bytes that were put into the window.

        Raises:
            StorageFull: There is no room; nothing of the object stays behind, and what still comes
                of it is only counted.
        """
        if self._is_lost:
            self._let_go += count
            return
        try:
            self._staged.wrote(count)
        except AccordError:
            self._is_lost = True
            raise

    def discard(self) -> None:
        """Forget what was gathered, unless it was stored."""
        self._staged.discard()

    def prepare(self, sender: service.Sender, blobs: BlobStore, bounds: Bounds) -> service.Prepared:
        """Judge the whole object and make it durable unless it is refused."""
        with self._staged:
            return service.prepare_data_set(
                self._staged, self._head, sender, self._claims, blobs=blobs, bounds=bounds
            )
