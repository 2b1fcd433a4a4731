"""How many associations a peer has open, counted over all receivers of one data folder.

A place is a lock on a byte of the peer's file: the kernel gives it back when its process ends,
however it ends.
"""

import fcntl
import hashlib
import os
import struct
from pathlib import Path
from typing import Final

ONE_BYTE: Final = struct.Struct("hhqqi4x")  # struct flock


class Places:
    """The places of every peer.

    Args:
        folder: Where their files lie; made when needed.
        most: Places of each peer.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self._folder = folder
        self._most = most

    def take(self, title: str) -> int | None:
        """Take a place of a registered peer until `give_back`; None when all are taken.

        Raises:
            OSError: The folder cannot be used.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = hashlib.sha256(title.encode()).hexdigest()  # a title may hold anything
        file = os.open(self._folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        for number in range(self._most):
            try:
                lock = ONE_BYTE.pack(fcntl.F_WRLCK, os.SEEK_SET, number, 1, 0)
                fcntl.fcntl(file, fcntl.F_OFD_SETLK, lock)
            except BlockingIOError:
                continue
            return file
        os.close(file)
        return None

    @staticmethod
    def give_back(place: int) -> None:
        """Let another association have the place."""
        os.close(place)
