"""Permit one `make run` at a time on a data folder: two would write one database and one unit's flash.

The lock is the kernel's and ends with its process, also after kill -9. The file only names the holder.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hil_tests.demo.settings import PORTS
from hil_tests.rig.preconditions import SettingError

NAME = "make-run.lock"


@contextmanager
def sole_run(folder: Path, dashboard: str) -> Iterator[None]:
    """Hold the lock. Raises SettingError that names the run holding the folder, and says what to do."""
    with open(os.open(folder / NAME, os.O_CREAT | os.O_RDWR, 0o600), "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingError(
                f"another run{_holder(file.read())} uses {folder}: use that one, or end it with Ctrl-C, "
                f"or set CHARGEKEEPER_DATA to another folder and {', '.join(PORTS)} to free ports"
            ) from None
        file.truncate()
        json.dump({"pid": os.getpid(), "dashboard": dashboard}, file)
        file.flush()
        yield


def _holder(text: str) -> str:
    """Return the holder as text, or "" while it has not written its line yet."""
    try:
        told = json.loads(text)
        return f" (process {told['pid']}, dashboard {told['dashboard']})"
    except (ValueError, KeyError, TypeError):
        return ""
