"""Child processes that never outlive the one who started them, however that one ends."""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2), Linux

_libc = ctypes.CDLL(None)  # loaded here: little may be done between fork and exec


def die_with_parent() -> None:
    """To be run in a child before its program starts: the kernel kills it when the parent's thread ends.

    Linux only; elsewhere a parent that is killed outright leaves its children behind.
    """
    if sys.platform == "linux":
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
