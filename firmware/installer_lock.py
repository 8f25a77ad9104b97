"""The installer's settings and the unit's identity open with its installer code, for ten minutes.

A unit without a code (not commissioned yet) is open. After TRIES wrong codes each further attempt has to wait, WAITS_MS.
Attempts are counted on flash, each before its comparison: neither a restart nor a power cut gives a free guess, and after a
restart the wait begins again. An attempt that has to wait is not compared and not written, so a guesser causes 100 writes a
day at most. While it is open the right code writes nothing, and a wrong one closes it.
"""

from firmware.errors import CommandRefused
from firmware.storage import record_file
from firmware.storage.settings import LOCKED

if False:  # for mypy alone
    from collections.abc import Callable, Iterable

    from firmware.clock import Clock
    from firmware.storage.settings import Settings

FILE = "/attempts"  # wrong codes since the last right one
OPEN_MS = 600000
TRIES = 3
WAITS_MS = (
    60000,
    120000,
    240000,
    480000,
    900000,
)  # after so many wrong codes, and one more each; the last for all beyond


class InstallerLock:
    """`wrong` counts wrong codes since the last right one, over all restarts."""

    def __init__(
        self,
        settings: "Settings",
        clock: "Clock",
        note: "Callable[[str, dict[str, object]], None]",
        folder: str,
    ) -> None:
        """`note(kind, details)` records an event; `folder` is that of the flash."""
        self._settings = settings
        self._clock = clock
        self._note = note
        self._path = folder + FILE
        stored = record_file.load(self._path)
        self.wrong: int = stored if isinstance(stored, int) else 0
        self._open_until_ms = 0
        self._wait()

    def unlock(self, code: str) -> None:
        """Open it. Raises CommandRefused for a wrong code, and for any while it has to wait; OSError, without a comparison, if
        the flash does not take the attempt."""
        wanted = self._settings["installer_code"]
        if not wanted:
            return
        now_ms = self._clock.now_ms()
        if now_ms < self._wait_until_ms:
            raise CommandRefused("too many wrong codes; wait %d s" % ((self._wait_until_ms - now_ms + 999) // 1000))
        was_open = now_ms < self._open_until_ms
        if not was_open:
            self._store(self.wrong + 1)
        if not is_same(code, wanted):
            self._open_until_ms = 0
            if was_open:
                self._store(self.wrong + 1)
            self._wait()
            self._note("security", {"what": "wrong installer code", "times": self.wrong})
            raise CommandRefused("wrong code")
        self._store(0)
        self._open_until_ms = now_ms + OPEN_MS

    def check(self, names: "Iterable[str]") -> None:
        """Raises CommandRefused if one of these, settings or `authority`, is locked now."""
        if not self._settings["installer_code"] or self._clock.now_ms() < self._open_until_ms:
            return
        for name in names:
            if name in LOCKED:
                raise CommandRefused("%s is locked; unlock CODE first" % name)

    def _store(self, wrong: int) -> None:
        record_file.save(self._path, wrong)
        self.wrong = wrong

    def _wait(self) -> None:
        """From now on, as many wrong codes require."""
        self._wait_until_ms = self._clock.now_ms()
        if self.wrong >= TRIES:
            self._wait_until_ms += WAITS_MS[min(self.wrong - TRIES, len(WAITS_MS) - 1)]


def is_same(code: str, wanted: str) -> bool:
    """Return whether they are equal, in a time that depends on the length of `code` alone. `wanted` is not empty."""
    typed, right = code.encode(), wanted.encode()
    differences = len(typed) ^ len(right)
    for place in range(len(typed)):
        differences |= typed[place] ^ right[place % len(right)]
    return differences == 0
