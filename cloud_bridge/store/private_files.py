"""Files and folders that are ours alone from the moment at which they are there, whatever the umask."""

import errno
import os
from functools import partial
from pathlib import Path

FILE_MODE = 0o600
FOLDER_MODE = 0o700

private_opener = partial(os.open, mode=FILE_MODE)  # of open(): for a file that it may create


def make_private_folder(folder: Path) -> None:
    """With those above it that are missing. One that is there is left as it is. Raises OSError."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(FOLDER_MODE, exist_ok=True)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
