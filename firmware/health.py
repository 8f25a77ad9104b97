"""Troubles of the unit that do not stop the charging, counted since the start, and the cause of the last reset."""

import sys

if False:  # for mypy alone
    from firmware.installer_lock import InstallerLock
    from firmware.link.journal import Journal
    from firmware.persistence import Persistence
    from firmware.storage.boots import Boot
    from firmware.storage.settings import Settings
    from modem.traffic import Traffic

FAILURES_MAX = 8  # texts that are stored; further failures are only counted


class Health:
    """The counters. `cause`: of the last reset; `crashes`: unexpected exceptions that were caught; `failures`: their texts,
    each once; `failed_parts`: the names of the parts that raised them. The other fields are parts, None if not created.
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
        """Record an unexpected exception in `part` that was caught."""
        self.crashes += 1
        if part not in self.failed_parts:
            self.failed_parts.append(part)
        text = "%s: %r" % (part, error)
        if text not in self.failures and len(self.failures) < FAILURES_MAX:
            self.failures.append(text)
        sys.print_exception(error)

    def flash_fails(self) -> bool:
        """Return whether the flash refuses records now, or has refused another important write since the start."""
        return bool(self.journal and self.journal.outbox.flash_failed) or self.refused_writes() > 0

    def refused_writes(self) -> int:
        """Return the number of failed flash writes since the start: checkpoints, settings, security events, the boot count."""
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
