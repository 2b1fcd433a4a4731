"""Become another program that dies with its parent; run by path as a program of its own.

`python -I -S launch.py PARENT SIGNAL UID GID PROGRAM ARGS...`

A program and not a `preexec_fn`: forking Python code in a process with threads can deadlock.
The order is fixed by the kernel: changing the user clears the parent-death signal, and a parent
that died before the signal was asked for must still take this process with it.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def tie(parent: int, death_signal: int) -> None:
    """Have the kernel send this process a signal when its parent dies; end if it has died."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        sys.exit(1)


def main(argv: list[str]) -> None:
    """Change the user if one is named, tie this process to its parent, become the program."""
    parent, death_signal, uid, gid = (int(word) for word in argv[:4])
    program = argv[4:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    tie(parent, death_signal)
    os.execv(program[0], program)  # noqa: S606 - the shell is what this avoids


if __name__ == "__main__":
    main(sys.argv[1:])
