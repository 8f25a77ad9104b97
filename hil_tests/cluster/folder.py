"""The folder of a cluster on this machine: what is kept between runs, and who is running.

Its lock is the kernel's, and ends with its process. The file says which process that is, so that another one can end it and
nobody else's: a number alone may have been given to somebody else meanwhile, a number with its start time has not.
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
START_TIME = 19  # in /proc/PID/stat, counted from what follows the name of the program (proc(5), field 22)


@contextmanager
def sole_run(folder: Path) -> Iterator[None]:
    """Raises SettingError that names the run that has the folder."""
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
    """End the run that has the folder, with all its processes: they end with it. False: there is none.

    Raises TimeoutError when it does not end.
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
    """When, as the kernel counts; None: there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[START_TIME]
    except (FileNotFoundError, ProcessLookupError):
        return None


def kept_secret(folder: Path) -> str:
    """Of the PostgreSQL; made once."""
    file = folder / SECRET
    if not file.exists():
        _write(file, secrets.token_hex(16))
    return file.read_text()


def write_environment(folder: Path, environment: Mapping[str, str]) -> Path:
    """For a shell that gives commands, or starts one more process."""
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
