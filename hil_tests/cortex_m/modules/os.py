"""MicroPython's os, with the urandom that the qemu port lacks: not cryptographically random, but evenly distributed."""

import random
import sys

_path, sys.path = sys.path, []
from os import *  # noqa: E402, F403  (the built-in module, which a module of the same name may extend)

sys.path = _path


def urandom(count):
    return bytes(random.getrandbits(8) for _ in range(count))
