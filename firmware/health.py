"""What is not well with the unit though it charges, counted since its start, and how it came to that start."""

import sys

if False:  # for mypy alone
    from firmware.installer_lock import InstallerLock
    from firmware.link.journal import Journal
    from firmware.persistence import Persistence
    from firmware.storage.boots import Boot
    from firmware.storage.settings import Settings
    from modem.traffic import Traffic

FAILURES_MAX = 8  # told by name; more are counted


class Health:
    """`cause` is that of the last reset; `crashes` counts mistakes of ours that were survived, `failures` are their texts,
    each once, and `failed_parts` the names of the parts that they were in. The rest is None as long as there is no such part.
    """

    def __init__(self, cause: str) -> None:
        self.cause = cause
        self.crashes = 0
        self.failures: list[str] = []
        self.failed_parts: list[str] = []
        self.boot: Boot | None = None
        self.settings: Settings | None = None
        self.persistence: Persistence | None = None
        self.journal: Journal | None = None
        self.installer_lock: InstallerLock | None = None
        self.traffic: Traffic | None = None

    def crashed(self, part: str, error: BaseException) -> None:
        """A mistake of ours, in `part`, that was survived."""
        self.crashes += 1
        if part not in self.failed_parts:
            self.failed_parts.append(part)
        text = "%s: %r" % (part, error)
        if text not in self.failures and len(self.failures) < FAILURES_MAX:
            self.failures.append(text)
        sys.print_exception(error)

    def flash_fails(self) -> bool:
        """Whether the flash does not take the records of now, or has refused anything else that matters since the start."""
        return bool(self.journal and self.journal.outbox.flash_failed) or self.refused_writes() > 0

    def refused_writes(self) -> int:
        """Of the flash, since the start: what must survive a power cut, settings, events of security, the count of boots."""
        refused = 0
        if self.boot is None or self.boot.number is None:
            refused += 1
        if self.settings:
            refused += self.settings.lost_writes
        if self.persistence:
            refused += self.persistence.lost_writes
        if self.journal and self.journal.log:
            refused += self.journal.log.refused
        return refused
