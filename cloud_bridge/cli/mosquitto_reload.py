"""Makes a changed secret take effect at an outside broker: writes the password file, and reloads the broker.

mosquitto reads its password file at startup and on SIGHUP. Measured with 2.0.11: on SIGHUP it also closes the connections
whose secret is no longer valid, and no others. The signal is sent only to a mosquitto that is certainly ours: its pid is in
the pid file of our configuration, and it was started with that configuration. For any other broker, the command says what is
left to do.
"""

import os
import signal
from pathlib import Path
from typing import NamedTuple

from cloud_bridge.cli.mosquitto_files import known_folder, one_writer, rewrite_passwords
from cloud_bridge.errors import BridgeError
from cloud_bridge.settings import Settings
from cloud_bridge.store.database import Database
from cloud_bridge.store.units import broker_passwords

MAX_PID = 2**22  # Linux, proc(5)
WRITE = "`python -m cloud_bridge mosquitto write`"


class Reload(NamedTuple):
    """Whether the broker was reloaded, and what was done or is left to do."""

    is_done: bool
    text: str


def reload_broker(settings: Settings, database: Database) -> Reload | None:
    """Write the password file and reload the broker, after the commit of a change. Return None if there is no outside broker.
    Problems with the broker are returned, never raised."""
    folder = None
    try:
        folder = known_folder(settings)
        if folder is not None:
            with one_writer(database), database.reading() as connection:
                rewrite_passwords(folder, broker_passwords(connection))
    except (OSError, BridgeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        left = f"{WRITE} as the user that owns {folder or 'its files'}, then reload the broker"
        return Reload(False, f"its password file was not written ({reason}). Left to do: {left}")
    if folder is None:
        if settings.broker is None:
            return None
        return Reload(False, f"left to do: {WRITE} where the broker runs, or update its list of secrets, and reload it")
    return signal_broker(folder / "mosquitto.conf")


def signal_broker(configuration: Path) -> Reload:
    """Make the mosquitto that runs with this configuration read its files again."""
    pid = None
    try:
        if (pid := _pid(configuration)) is not None and _hang_up(pid, configuration):
            text = f"mosquitto, pid {pid}, was told to reload, and closes connections whose secret is no longer valid"
            return Reload(True, text)
    except PermissionError:
        if pid is not None:
            return Reload(False, f"its password file was written. Left to do: sudo kill -HUP {pid}")
    except OSError:
        pass  # there is no such process, or it has just ended
    left = f"reload the broker that reads it; none was found that runs as mosquitto -c {configuration}"
    return Reload(False, f"its password file was written. Left to do: {left}")


def _pid(configuration: Path) -> int | None:
    try:
        with configuration.with_name("mosquitto.pid").open("rb") as file:
            text = file.read(len(str(MAX_PID)) + 1).strip()
    except FileNotFoundError:
        return None
    return int(text) if text.isdigit() and 0 < int(text) <= MAX_PID else None


def _hang_up(pid: int, configuration: Path) -> bool:
    """Send SIGHUP. Return False if the process is not a mosquitto with this configuration. Raises PermissionError, or OSError
    if the process has ended."""
    if not hasattr(os, "pidfd_open"):  # other systems cannot distinguish a process from a later one with the same pid
        return False
    process = os.pidfd_open(pid)
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        if name != "mosquitto" or not any(
            option == "-c" and Path(path).is_absolute() and Path(path).resolve() == configuration
            for option, path in zip(words, words[1:], strict=False)
        ):
            return False
        signal.pidfd_send_signal(process, signal.SIGHUP)
        return True
    finally:
        os.close(process)
