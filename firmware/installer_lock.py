"""Some settings are the installer's alone: they open with the unit's installer code, for a while. Pure but for the clock.

A unit without a code (as it leaves the factory, before it is provisioned) is open.
"""

from firmware.errors import CommandRefused
from firmware.storage.settings import LOCKED

if False:  # for mypy alone
    from collections.abc import Callable, Iterable

    from firmware.clock import Clock
    from firmware.storage.settings import Settings

OPEN_MS = 600000
TRIES = 3
SHUT_MS = 60000  # after three wrong codes


class InstallerLock:
    def __init__(self, settings: "Settings", clock: "Clock", note: "Callable[[str, dict[str, object]], None]") -> None:
        """`note(kind, details)` takes an event: a wrong code is one for the security log."""
        self._settings = settings
        self._clock = clock
        self._note = note
        self._until_ms = 0
        self._wrong = 0
        self._shut_until_ms = 0

    def unlock(self, code: str) -> None:
        """Raises CommandRefused for a wrong code, and for any after three wrong ones within a minute."""
        now_ms = self._clock.now_ms()
        if now_ms < self._shut_until_ms:
            raise CommandRefused("too many wrong codes; wait a minute")
        if code != self._settings["installer_code"]:
            self._wrong += 1
            if self._wrong % TRIES == 0:
                self._shut_until_ms = now_ms + SHUT_MS
            self._note("security", {"what": "wrong installer code", "times": self._wrong})
            raise CommandRefused("wrong code")
        self._until_ms = now_ms + OPEN_MS
        self._wrong = 0

    def check(self, names: "Iterable[str]") -> None:
        """Raises CommandRefused if one of these settings is locked now."""
        if not self._settings["installer_code"] or self._clock.now_ms() < self._until_ms:
            return
        for name in names:
            if name in LOCKED:
                raise CommandRefused("%s is locked; unlock CODE first" % name)
