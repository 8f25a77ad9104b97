"""Empty folders in build/ for tests of storage."""

import os


def empty(name):
    """Make an empty folder of this name; return its path."""
    path = "build/" + name
    for folder in ("build", path):
        try:
            os.mkdir(folder)
        except OSError:
            pass  # exists from the last run
    _clear(path)
    return path


def _clear(path):
    for name in os.listdir(path):
        inside = path + "/" + name
        try:
            os.remove(inside)
        except OSError:
            _clear(inside)
            os.rmdir(inside)
