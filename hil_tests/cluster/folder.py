"""The folder of a cluster on this machine: its data, and the lock of the running process.

The kernel releases the lock when its process ends. The lock file contains the pid and the start time of the process, so that
another process can end it: a pid alone may have been reused.
"""

import fcntl
import json
import os
import secrets
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hil_tests.rig.preconditions import SettingError

LOCK = "cluster.lock"
ENVIRONMENT = "environment"
SECRET = "postgresql.secret"
END_WITHIN_S = 60.0
START_TIME = 19  # field 22 of /proc/PID/stat (proc(5)), counted after the program's name


@contextmanager
def sole_run(folder: Path) -> Iterator[None]:
    """Lock the folder. Raises SettingError if another cluster runs in it."""
    with open(os.open(folder / LOCK, os.O_CREAT | os.O_RDWR, 0o600), "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingError(
                f"a cluster runs in {folder} already: use that one, or end it with Ctrl-C or `make cluster-stop`"
            ) from None
        file.truncate()
        json.dump({"pid": os.getpid(), "started": started(os.getpid())}, file)
        file.flush()
        yield


def stop(folder: Path) -> bool:
    """End the cluster that runs in the folder, with all its processes. Return False if there is none.

    Raises TimeoutError if it does not end.
    """
    try:
        file = open(folder / LOCK)  # noqa: SIM115  # the next line closes it
    except FileNotFoundError:
        return False
    with file:
        if _is_free(file.fileno()):
            return False
        holder = json.loads(file.read())
        for number in (signal.SIGTERM, signal.SIGKILL):
            if started(holder["pid"]) != holder["started"]:
                break  # it has just ended
            os.kill(holder["pid"], number)
            give_up_s = time.monotonic() + END_WITHIN_S
            while not _is_free(file.fileno()):
                if time.monotonic() > give_up_s:
                    break
                time.sleep(0.05)
            else:
                return True
    raise TimeoutError(f"process {holder['pid']} does not end")


def started(pid: int) -> str | None:
    """Return the start time of a process as the kernel counts it, or None if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[START_TIME]
    except (FileNotFoundError, ProcessLookupError):
        return None


def kept_secret(folder: Path) -> str:
    """Return the PostgreSQL password, which the first call generates."""
    file = folder / SECRET
    if not file.exists():
        _write(file, secrets.token_hex(16))
    return file.read_text()


def write_environment(folder: Path, environment: Mapping[str, str]) -> Path:
    """Write the environment as a file for a shell, for commands and further processes."""
    file = folder / ENVIRONMENT
    _write(file, "".join(f"export {name}='{value}'\n" for name, value in sorted(environment.items())))
    return file


def _write(file: Path, text: str) -> None:
    with open(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text)


def _is_free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return True
