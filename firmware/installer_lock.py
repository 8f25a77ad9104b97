"""The installer's settings and the unit's identity open with its installer code, for ten minutes: unlocking.py has the rules.

A unit without a code (not commissioned yet) is open.
"""

from firmware.errors import CommandRefused
from firmware.lazy_import import LazyImport
from firmware.storage import record_file
from firmware.storage.settings import OWNERS

if False:  # for mypy alone
    from collections.abc import Callable, Iterable

    from firmware.clock import Clock
    from firmware.storage.settings import Settings


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
        self.settings = settings
        self.clock = clock
        self.note = note
        self.path = folder + "/attempts"
        stored = record_file.load(self.path)
        self.wrong: int = stored if isinstance(stored, int) else 0
        self.open_until_ms = 0
        self.wait_until_ms: int | None = None  # not known before the first attempt since the start

    def unlock(self, code: str) -> None:
        """Open it. Raises CommandRefused for a wrong code, and for any while it has to wait; OSError, without a comparison, if
        the flash does not take the attempt."""
        with LazyImport():
            from firmware import unlocking

            unlocking.unlock(self, code)

    def check(self, names: "Iterable[str]") -> None:
        """Raises CommandRefused if one of these, settings or `authority`, is locked now."""
        if not self.settings["installer_code"] or self.clock.now_ms() < self.open_until_ms:
            return
        for name in names:
            if name not in OWNERS:
                raise CommandRefused("%s is locked; unlock CODE first" % name)
