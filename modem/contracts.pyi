"""The interfaces that the modem layer uses, for type checkers. No interpreter imports this file.

MicroPython has no typing module, so these protocols stand in a stub; modules name them in strings.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, TypeVar

from modem.client import Modem

T = TypeVar("T")

Bytes: TypeAlias = bytes | bytearray | memoryview
Event: TypeAlias = tuple[str, Any]  # (kind, value) of at.py: for PAYLOAD the number of bytes, otherwise a text
UrcCallback: TypeAlias = Callable[[str], object]
Subscription: TypeAlias = tuple[str, UrcCallback]

class Clock(Protocol):
    """Monotonic time of the platform."""

    def now_ms(self) -> int: ...
    def sleep_ms(self, ms: int) -> object: ...

class Port(Protocol):
    """A serial line; one module in modem/ports for each platform. All methods may raise OSError."""

    def read(self) -> bytes:
        """Return the bytes received so far, b"" if none. Does not wait."""

    def write(self, data: Bytes) -> object:
        """Write all of `data`. Raises OSError(ETIMEDOUT) if the line does not accept it."""

    def wait(self, timeout_ms: int) -> bool:
        """Wait for received bytes; False after `timeout_ms`."""

    def set_baud(self, baud: int) -> object:
        """Change the line's speed, bit/s."""

class Power(Protocol):
    """The modem's supply switch and its PWRKEY input."""

    def supply(self, on: bool) -> object: ...
    def key(self, pressed: bool) -> object: ...

CommandRow: TypeAlias = tuple[str, int, tuple[str, ...] | None, tuple[str, ...], str | None]
"""Prefix of the command, timeout_ms, prefixes of its info lines, final results other than OK, final info line instead of OK.

If the info lines are None, they begin with the name of the command. The row with the longest matching prefix applies; of two
equal prefixes, the first. A command without a row has DEFAULT_TIMEOUT_MS and ends with OK; the info lines of a query begin
with its name.
"""

Scanned: TypeAlias = tuple[str, str | None, int | None, bool]
"""PLMN, operator name, CSQ, forbidden by the SIM. The CSQ is None if the scan does not measure it."""

class Family(Protocol):
    """The driver of a modem family: `FAMILY` of a module in modem/families. families/driver.py is the base of all.

    A driver has no state: each hook takes the `modem`. Hooks raise ModemError, in particular CommandError if the modem answers
    with an error, and OSError from the port.
    """

    NAME: str
    """Name of the driver's module; the module NAME_setup is its Setup."""
    COMMANDS: tuple[CommandRow, ...]
    """Rows that take precedence over STANDARD_COMMANDS of families/driver.py."""
    URCS: tuple[str, ...]
    """Unsolicited result codes by name: the text before the colon, or the whole line."""
    LINK_URCS: tuple[str, ...]
    """Unsolicited result codes of a TCP connection, which "<n>, " may precede."""
    BOOTED: tuple[str, ...]
    """Lines that the modem sends when it restarts. The client uses the first one if it infers a restart."""
    VOLTAGE_URCS: tuple[str, ...]
    """Prefixes of warnings about the supply voltage."""

    PWRKEY_MS: int
    BOOT_TIMEOUT_MS: int

    REGISTRATION: tuple[str, ...]
    """The registration queries of the domains that carry data, the preferred one first."""
    def signal_quality(self, modem: Modem) -> int:
        """Return the CSQ, 0..31, or 99 if it is not known."""

    def connect(self, modem: Modem, link: int, host: str, port: int) -> None:
        """Begin to open a TCP connection. A later URC reports the result; link_event interprets it."""

    def send(self, modem: Modem, link: int, part: memoryview, timeout_ms: int) -> int:
        """Send at most SEND_BYTES of stream.py; return the number of bytes that the modem accepted."""

    def receive(self, modem: Modem, link: int, buffer: bytearray) -> tuple[int, int]:
        """Read received bytes into `buffer`; return (their number, a lower bound of the bytes still in the modem).

        Raises CommandError if the connection is closed and all of its data were read.
        """

    def sent(self, modem: Modem, link: int) -> tuple[int, ...]:
        """Return (sent, acknowledged) bytes since the connection was opened."""

    def close(self, modem: Modem, link: int) -> None:
        """Close the connection immediately."""

    def link_event(self, line: str) -> tuple[str, str] | None:
        """Return (event, link) if this URC concerns connections, else None.

        The event is OPENED, REFUSED or another of driver.py; the link is its number as text, or "" for all links.
        """

class Setup(Protocol):
    """The hooks of a family that are needed only briefly: the module NAME_setup of modem/families."""

    SCAN_S: tuple[int, int]
    """Duration of a scan in seconds: usual, and maximum."""

    def configure(self, modem: Modem) -> None:
        """Set the family's own parameters, in addition to startup.configure: at least the use of the network's time."""

    def scan(self, modem: Modem) -> list[Scanned]:
        """Return the received networks. A PLMN may appear several times, once for each cell or technology.

        Takes up to SCAN_S[1] seconds; nothing may be sent to the modem meanwhile.
        """

    def reference_signal(self, modem: Modem) -> tuple[int, int] | None:
        """Return (RSRP dBm, RSRQ dB) of the serving cell; None if it is not LTE. A family without LTE omits this hook."""

    def open_context(self, modem: Modem, apn: str, user: str, password: str) -> str:
        """Open the PDP context for connections, or keep it if it is open; return the local IP address."""

    def close_context(self, modem: Modem) -> None:
        """Close all connections and the PDP context, whatever their state."""
