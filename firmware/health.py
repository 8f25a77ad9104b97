"""What is not well with the unit though it charges, counted since its start, and how it came to that start."""

import sys

if False:  # for mypy alone
    from firmware.link.journal import Journal
    from firmware.persistence import Persistence
    from firmware.storage.boots import Boot
    from firmware.storage.settings import Settings


class Health:
    """`cause` is that of the last reset; `crashes` counts mistakes of ours that were survived."""

    def __init__(
        self, cause: str, boot: "Boot", settings: "Settings", persistence: "Persistence", journal: "Journal"
    ) -> None:
        self.cause = cause
        self.boot = boot
        self.crashes = 0
        self._settings = settings
        self._persistence = persistence
        self.outbox = journal.outbox
        self._log = journal.log

    def crashed(self, error: BaseException) -> None:
        """Count a mistake of ours, and print it."""
        self.crashes += 1
        sys.print_exception(error)

    def flash_fails(self) -> bool:
        """Whether the flash does not take the records of now, or has refused anything else that matters since the start."""
        return self.outbox.flash_failed or self.refused_writes() > 0

    def refused_writes(self) -> int:
        """Of the flash, since the start: what must survive a power cut, settings, events of security, the count of boots."""
        uncounted_boots = 1 if self.boot.number is None else 0
        return (
            self._persistence.lost_writes
            + self._settings.lost_writes
            + (self._log.refused if self._log else 0)
            + uncounted_boots
        )
