"""Erases the personal data of the owner from the flash, for a change of ownership."""

import os

if False:  # for mypy alone
    from collections.abc import Iterable

FOLDERS = ("/sessions", "/outbox")
FILES = ("/settings.good", "/orders")  # the file of good settings includes the old secret


def forget_owner(flash: str) -> None:
    """Remove sessions, outbox, good settings and command IDs below `flash`. Files that cannot be removed are skipped.

    Raises nothing.
    """
    for folder in FOLDERS:
        for name in _names(flash + folder):
            _remove("%s/%s" % (flash + folder, name))
    for name in FILES:
        _remove(flash + name)


def _names(folder: str) -> "Iterable[str]":
    try:
        return os.listdir(folder)
    except OSError:
        return ()


def _remove(path: str) -> None:
    try:
        os.remove(path)
    except OSError:
        pass  # see forget_owner
