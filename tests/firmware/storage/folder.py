"""Empty folders under build/ for the tests of what is stored."""

import os


def empty(name):
    """An empty folder of this name; its path."""
    path = "build/" + name
    for folder in ("build", path):
        try:
            os.mkdir(folder)
        except OSError:
            pass  # there from the last run
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
