"""Check that a port can be bound and that a folder can be written, before anything is started."""

import errno
import socket
from pathlib import Path
from tempfile import TemporaryFile


class SettingError(Exception):
    """A setting cannot be used. The text names the setting and says what to do."""


def check_port(port: int, what: str, setting: str) -> None:
    """Raise SettingError if `what` cannot listen on the port. 0 lets the system choose a port."""
    if not 0 <= port <= 65_535:
        raise SettingError(f"{setting} is {port}: set it to a port number from 0 to 65535")
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        why = "is in use by another program" if error.errno == errno.EADDRINUSE else str(error.strerror)
        raise SettingError(
            f"port {port} for {what} {why}: stop that program, or set {setting} to a free port"
        ) from error


def check_folder(folder: Path, setting: str) -> None:
    """Create the folder. Raises SettingError if it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise SettingError(
            f"{folder} cannot be written ({error.strerror}): set {setting} to a folder of yours"
        ) from error
