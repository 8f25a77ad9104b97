"""What goes from the flash when a unit changes hands: everything that tells of its owner."""

import os

FOLDERS = ("/sessions", "/outbox")
FILES = ("/settings.good", "/orders")  # good settings: the old secret is among them


def forget_owner(flash):
    """Remove it. What is not there, or cannot be removed, is no reason to keep the rest."""
    for folder in FOLDERS:
        for name in _names(flash + folder):
            _remove("%s/%s" % (flash + folder, name))
    for name in FILES:
        _remove(flash + name)


def _names(folder):
    try:
        return os.listdir(folder)
    except OSError:
        return ()


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass  # as said above
