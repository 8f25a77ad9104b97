"""Finds and opens the serial port, with clear error messages."""

import errno
from collections.abc import Callable

from serial.tools import list_ports  # type: ignore[import-untyped]  # pyserial comes without types

from modem.installer.errors import CannotTalk
from modem.ports.pyserial_port import Port

_ADVICE = {
    errno.ENOENT: "no such port; check the cable and the name of the port",
    errno.EACCES: "no permission to use this port; join the group that owns it (often dialout) and log in again",
    errno.EPERM: "no permission to use this port; join the group that owns it (often dialout) and log in again",
    errno.EBUSY: "another program is using this port; close that program first",
    errno.EAGAIN: "another program is using this port; close that program first",
    errno.ENOTTY: "this is not a serial port",
    errno.EINVAL: "this is not a serial port",
    errno.EISDIR: "this is not a serial port",
    errno.EIO: "the port does not answer; unplug the cable and plug it in again",
}


def open_port(path: str | None, idle: Callable[[], object] | None = None) -> tuple[str, Port]:
    """Open `path`, or the only serial port if None. Return its name and the port. Raises CannotTalk.

    `idle` is called while the port waits; see modem/ports/pyserial_port.py.
    """
    path = path or only_port()
    try:
        return path, Port(path, idle)
    except OSError as error:
        raise CannotTalk(f"{path}: {_advice(error)}") from None
    except ValueError as error:  # an unknown URL scheme of pyserial
        raise CannotTalk(f"{path}: {error}") from None


def only_port() -> str:
    """Return the name of the only USB serial port. Raises CannotTalk if there is none, or more than one."""
    found = sorted(port.device for port in list_ports.comports() if port.vid is not None)
    if not found:
        raise CannotTalk("no serial port found; plug in the cable, or name the port with --port")
    if len(found) > 1:
        raise CannotTalk(f"there are several serial ports; choose one with --port: {', '.join(found)}")
    return str(found[0])


def _advice(error: OSError) -> str:
    """Return the remedy for an error. pyserial sets errno only if `open` fails; otherwise the errno is in the context."""
    code = error.errno
    earlier = error.__context__
    if code is None and earlier is not None and earlier.args:
        code = earlier.args[0]
    return _ADVICE.get(code or 0, str(error))
