"""Group commit: one act for all who wait."""

import threading
import time

import pytest

from accord.kit.together import Together


def test_those_who_wait_at_the_same_time_share_one_act():
    acts: list[list[int]] = []
    first_is_acting = threading.Event()

    def act(items):
        acts.append(sorted(items))
        first_is_acting.set()
        time.sleep(0.1)

    together = Together(act)
    threads = [threading.Thread(target=together.act, args=(0,))]
    threads[0].start()
    first_is_acting.wait()
    threads += [threading.Thread(target=together.act, args=(n,)) for n in (1, 2, 3)]
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join()
    assert acts == [[0], [1, 2, 3]]


def test_act_that_fails_fails_for_everybody_it_was_for():
    def act(_items):
        raise OSError("disk")

    together = Together(act)
    for _ in range(2):
        with pytest.raises(OSError, match="disk"):
            together.act(1)
