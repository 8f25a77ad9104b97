"""Contracts of what is passed into the modem layer, for type checkers. No interpreter imports this file.

MicroPython has no typing module, so these protocols stand in a stub; modules name them in strings.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, TypeVar

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

class Family(Protocol):
    """The tables of a modem family; a module in modem/families. sim800.py describes each of them, with its source."""

    NAME: str
    DEFAULT_TIMEOUT_MS: int
    COMMANDS: tuple[CommandRow, ...]
    LAST_LINK: str
    URCS: frozenset[str]
    LINK_URCS: frozenset[str]
    BOOTED: str
    VOLTAGE_URCS: tuple[str, ...]
    FAILURES: tuple[str, ...]
    RESYNC: tuple[str, ...]
    RESYNC_TIMEOUT_MS: int
    BAUD: int
    OTHER_BAUDS: tuple[int, ...]
    SUPPLY_SETTLE_MS: int
    PWRKEY_MS: int
    SUPPLY_OFF_MS: int
    BOOT_TIMEOUT_MS: int
    BOOT_PROBE_MS: int
    SEND_MAX_BYTES: int
    RECEIVE_MAX_BYTES: int
    LINKS: int
    CHARSET: str
    MEASURES_ALL_CELLS: bool
    SCAN_S: tuple[int, int]

CommandRow: TypeAlias = tuple[str, int, tuple[str, ...] | None, tuple[str, ...], str | None]
