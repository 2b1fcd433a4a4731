"""One costly act for everybody who waits for it at the same moment (group commit)."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass
class _Place(Generic[Item]):
    item: Item
    is_done: bool = False
    error: BaseException | None = None


class Together(Generic[Item]):
    """Runs an act for several callers at once.

    Whoever finds nobody acting acts for all who wait by then; the others wait for the next turn.
    An act that fails fails for everybody it was for, and is not tried again.

    Args:
        act: Does it for a number of items.
        most: Most items of one act.
    """

    def __init__(self, act: Callable[[Sequence[Item]], None], *, most: int = 64) -> None:
        self._do = act
        self._most = most
        self._turn = threading.Condition()
        self._waiting: list[_Place[Item]] = []
        self._is_acting = False

    def act(self, item: Item) -> None:
        """Return when the act was done for the item.

        Raises:
            BaseException: What the act raised.
        """
        mine = _Place(item)
        with self._turn:
            self._waiting.append(mine)
            while not mine.is_done:
                if self._is_acting:
                    self._turn.wait()
                else:
                    self._act_for_all()
        if mine.error is not None:
            raise mine.error

    def _act_for_all(self) -> None:
        batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        self._is_acting = True
        self._turn.release()
        error: BaseException | None = None
        try:
            self._do([place.item for place in batch])
        except BaseException as raised:  # noqa: BLE001 - raised again for each it concerns
            error = raised
        finally:
            self._turn.acquire()
        for place in batch:
            place.is_done, place.error = True, error
        self._is_acting = False
        self._turn.notify_all()
