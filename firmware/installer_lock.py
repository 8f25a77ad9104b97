"""The lock of the installer's settings and the unit's identity. The installer code opens it for ten minutes (unlocking.py).

A unit without a code is always open.
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
    """The state of the lock. `wrong` counts the wrong codes since the last correct one, across restarts."""

    def __init__(
        self,
        settings: "Settings",
        clock: "Clock",
        note: "Callable[[str, dict[str, object]], None]",
        folder: str,
    ) -> None:
        """`note(kind, details)` records an event in the journal; `folder`: the folder of the unit's files."""
        self.settings = settings
        self.clock = clock
        self.note = note
        self.path = folder + "/attempts"
        stored = record_file.load(self.path)
        self.wrong: int = stored if isinstance(stored, int) else 0
        self.open_until_ms = 0
        self.wait_until_ms: int | None = None  # None before the first attempt since the start

    def unlock(self, code: str) -> None:
        """Open the lock. Raises CommandRefused for a wrong code, and for any code during a wait; OSError if the attempt cannot
        be stored on the flash, in which case the code is not compared.
        """
        with LazyImport():
            from firmware import unlocking

            unlocking.unlock(self, code)

    def check(self, names: "Iterable[str]") -> None:
        """Raise CommandRefused if one of `names` is locked now: an installer's setting, `authority` or `commission`."""
        if not self.settings["installer_code"] or self.clock.now_ms() < self.open_until_ms:
            return
        for name in names:
            if name not in OWNERS:
                raise CommandRefused("%s is locked; unlock CODE first" % name)
