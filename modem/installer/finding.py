"""The serial port: found when there is only one, opened, or a clear word why not."""

import errno
from collections.abc import Callable

from serial.tools import list_ports  # type: ignore[import-untyped]  # pyserial comes without types

from modem.installer.errors import CannotTalk
from modem.ports.pyserial_port import Port

_ADVICE = {
    errno.ENOENT: "there is no such port; look at the cable, and at the name",
    errno.EACCES: "you may not use this port; join the group that owns it (often dialout) and log in again",
    errno.EPERM: "you may not use this port; join the group that owns it (often dialout) and log in again",
    errno.EBUSY: "another program is using this port; end that program first",
    errno.EAGAIN: "another program is using this port; end that program first",
    errno.ENOTTY: "this is not a serial port",
    errno.EINVAL: "this is not a serial port",
    errno.EISDIR: "this is not a serial port",
    errno.EIO: "the port does not answer; pull the cable and plug it in again",
}


def open_port(path: str | None, idle: Callable[[], object] | None = None) -> tuple[str, Port]:
    """Its name and the open port. Raises CannotTalk."""
    path = path or only_port()
    try:
        return path, Port(path, idle)
    except OSError as error:
        raise CannotTalk(f"{path}: {_advice(error)}") from None
    except ValueError as error:  # a URL of pyserial that it does not know
        raise CannotTalk(f"{path}: {error}") from None


def only_port() -> str:
    """The one serial port of this computer that has something behind it. Raises CannotTalk for none or several."""
    found = sorted(port.device for port in list_ports.comports() if port.vid is not None)
    if not found:
        raise CannotTalk("no serial port found; plug in the cable, or name the port with --port")
    if len(found) > 1:
        raise CannotTalk(f"there are several serial ports; choose one with --port: {', '.join(found)}")
    return str(found[0])


def _advice(error: OSError) -> str:
    """pyserial keeps the number only of errors in `open`; of those that came later it stands in the error before."""
    code = error.errno
    earlier = error.__context__
    if code is None and earlier is not None and earlier.args:
        code = earlier.args[0]
    return _ADVICE.get(code or 0, str(error))
