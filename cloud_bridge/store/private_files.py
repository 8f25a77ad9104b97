"""Create files and folders that only this user can access from their creation on, whatever the umask."""

import errno
import os
from functools import partial
from pathlib import Path

FILE_MODE = 0o600
FOLDER_MODE = 0o700

private_opener = partial(os.open, mode=FILE_MODE)  # for open(), if it may create the file


def make_private_folder(folder: Path) -> None:
    """Create a folder and its missing parents. Existing ones are not changed. Raises OSError."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(FOLDER_MODE, exist_ok=True)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
