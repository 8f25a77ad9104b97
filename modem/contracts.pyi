"""Contracts of what is passed into the modem layer, for type checkers. No interpreter imports this file.

MicroPython has no typing module, so these protocols stand in a stub; modules name them in strings.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, TypeVar

from modem.client import Modem

T = TypeVar("T")

Bytes: TypeAlias = bytes | bytearray | memoryview
Event: TypeAlias = tuple[str, Any]  # (kind, value) of at.py: the number of bytes with PAYLOAD, else a text
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

Info lines None: the name of the command. The longest prefix that matches applies, the first of two that are equal. A command
that is not listed has DEFAULT_TIMEOUT_MS and ends with OK; the info lines of a query begin with its name.
"""

Scanned: TypeAlias = tuple[str, str | None, int | None, bool]
"""PLMN, operator name, CSQ, forbidden. CSQ None: it is not measured."""

class Family(Protocol):
    """The driver of a modem family: `FAMILY` of a module in modem/families. families/driver.py is the base of all.

    It has no state of its own: each hook is given the `modem` whose family it is. Hooks raise ModemError, CommandError where
    the modem refuses, and OSError of the port.
    """

    NAME: str
    """Of its module; NAME_setup is the one with its Setup."""
    COMMANDS: tuple[CommandRow, ...]
    """Beside STANDARD_COMMANDS of families/driver.py, and before them."""
    URCS: tuple[str, ...]
    """Unsolicited result codes by name: the text before the colon, or the whole line."""
    LINK_URCS: tuple[str, ...]
    """Those of a TCP connection that "<n>, " may precede."""
    BOOTED: tuple[str, ...]
    """Lines that the modem sends as it restarts."""
    VOLTAGE_URCS: tuple[str, ...]
    """Beginnings of warnings of the supply."""

    PWRKEY_MS: int
    BOOT_TIMEOUT_MS: int

    REGISTRATION: tuple[str, ...]
    """The queries of the domains that carry data."""
    def signal_quality(self, modem: Modem) -> int:
        """Return the CSQ, 0..31, or 99 for not known."""

    def connect(self, modem: Modem, link: int, host: str, port: int) -> None:
        """Begin to open a TCP connection. A line, for link_event, says how it ended."""

    def send(self, modem: Modem, link: int, part: memoryview, timeout_ms: int) -> int:
        """Send at most SEND_BYTES of stream.py; return how many the modem accepted."""

    def receive(self, modem: Modem, link: int, buffer: bytearray) -> tuple[int, int]:
        """Read received bytes into `buffer`; return (their number, how many more wait at least).

        CommandError: the connection is closed, and all of its data were read.
        """

    def sent(self, modem: Modem, link: int) -> tuple[int, ...]:
        """Return (sent, acknowledged) bytes since the connection was opened."""

    def close(self, modem: Modem, link: int) -> None:
        """Close the connection, at once."""

    def link_event(self, line: str) -> tuple[str, str] | None:
        """Return (OPENED and so on of driver.py, the link's number as text, "" for all) if this URC is about connections."""

class Setup(Protocol):
    """The hooks of a family that are needed for a moment at a time: the module NAME_setup of modem/families."""

    SCAN_S: tuple[int, int]
    """Duration of a scan: usually, and at most."""

    def configure(self, modem: Modem) -> None:
        """Set what this family needs beyond startup.configure: the network's time at least."""

    def scan(self, modem: Modem) -> list[Scanned]:
        """List what is received. A PLMN may be listed several times: a cell, or a technology, each.

        Takes up to SCAN_S; nothing may be sent meanwhile.
        """

    def reference_signal(self, modem: Modem) -> tuple[int, int] | None:
        """Return (RSRP dBm, RSRQ dB) of the serving cell; None: it is not LTE. A family without LTE has no such hook."""

    def open_context(self, modem: Modem, apn: str, user: str, password: str) -> str:
        """Open the PDP context for connections, or keep it if it is open; return the local IP address."""

    def close_context(self, modem: Modem) -> None:
        """Close all connections and the PDP context, in whatever state it is."""
