"""Checks of what could grow: the unit's queues, tables and files, its flash writes and bytes per day, the bridge's
rows.
"""

from collections import deque
from typing import Any

from sqlalchemy import text

from hil_tests.bench.air import MONTH_LIMIT_MB, RECORD_BYTES
from hil_tests.years.broker import Broker
from hil_tests.years.circumstances import Circumstances
from hil_tests.years.faults import BOARD, CLOUD, FLASH, HOUR, MINUTE, NETWORK, SIGNAL, SUPPLY
from hil_tests.years.mission import AIR, MEMORY, WEAR

OUTBOX_MAX = 300  # firmware/storage/outbox.py
IN_MEMORY_MAX = 16  # records that the outbox keeps in memory while the flash fails
SUBSCRIBERS_MAX = 8  # to unsolicited result codes: the modem client's own, and those of one connection
VALUE_FILE_BYTES = 4096  # settings, checkpoint, network, boots, orders
FLASH_BYTES = 700_000  # in the 2 MB partition, not counting the records of the outbox
FLASH_A_DAY = 400  # 1.5 million in 10 years, spread over the sectors of the 2 MB partition
IDLE_FLASH_A_DAY = 40  # an idle unit writes about once an hour
IDLE_DAY_BYTES = round(MONTH_LIMIT_MB * 1e6 / 30)
CONNECTION_BYTES = 6071  # a login with its TLS 1.3 handshake: `python -m hil_tests.bench.air`
LOGINS_AN_HOUR = 30  # whatever the fault; 30 logins are 180 kB
ROWS_A_DAY = 4000  # in the database, for one unit: a heartbeat a minute adds three, for signal, power and contact
DAY_S = 86_400
LOOK_S = 600


def bytes_on_air(broker: Broker) -> int:
    """Return the bytes sent so far, plus what TLS 1.3 would add: a record header for each piece, and the handshakes."""
    return broker.air_bytes + broker.pieces * RECORD_BYTES + broker.logins * CONNECTION_BYTES


class Bounds:
    """Checks the unit's bounds every LOOK_S seconds, and the daily bounds once a day."""

    def __init__(self, watch: Circumstances) -> None:
        self._watch, self._world = watch, watch.world
        self._rows = 0
        self._logins: deque[int] = deque([0], HOUR // LOOK_S + 1)  # the broker's count, at each check of the last hour

    def look(self) -> None:
        """Check the bounds of the unit itself, and its logins within an hour."""
        folder, unit = self._world.flash.folder, self._world.processor.unit
        waiting = sum(1 for _ in (folder / "outbox").glob("*"))
        self._at_most("records in the outbox", waiting, OUTBOX_MAX + 2)
        for path in folder.iterdir():
            if path.is_file():
                self._at_most(f"bytes in {path.name}", path.stat().st_size, VALUE_FILE_BYTES)
        link, journal = getattr(unit, "link", None), getattr(unit, "journal", None)
        if link is not None:
            self._at_most("subscribers to the modem", len(link.modem._subscribers), SUBSCRIBERS_MAX)
        if journal is not None:
            self._count(journal.outbox, waiting)
        self._logins.append(self._world.broker.logins)
        if self._logins[-1] - self._logins[0] > LOGINS_AN_HOUR:
            self._watch.break_(
                AIR, f"{self._logins[-1] - self._logins[0]} logins in an hour, of {LOGINS_AN_HOUR} at most"
            )
            self._logins = deque([self._logins[-1]], self._logins.maxlen)

    def _count(self, outbox: Any, files: int) -> None:
        """Compare the outbox's own count with its files: from this count it decides when to drop records."""
        self._at_most("records in memory", len(outbox._memory), IN_MEMORY_MAX)
        stored = files - len(outbox._not_removed)
        if self._watch.well_for_s(FLASH, SUPPLY) > 10 * MINUTE and abs(outbox._stored - stored) > 2:
            self._watch.break_(MEMORY, f"the outbox counts {outbox._stored} records, but stores {stored}")

    def _at_most(self, what: str, count: int, most: int) -> None:
        if count > most:
            self._watch.break_(MEMORY, f"{count} {what}, of {most} at most")

    def day(self, is_idle: bool, flash_writes: int, air_bytes: int) -> None:
        """Check the totals of one day. `is_idle`: nothing happened on this day or the day before."""
        most = IDLE_FLASH_A_DAY if is_idle else FLASH_A_DAY
        if flash_writes > most:
            self._watch.break_(WEAR, f"{flash_writes} flash writes in a day, of {most} at most")
        if is_idle and air_bytes > IDLE_DAY_BYTES:
            self._watch.break_(AIR, f"{air_bytes} bytes on the air on an idle day")
        files = (path.stat().st_size for path in self._world.flash.folder.rglob("*") if path.parent.name != "outbox")
        self._at_most("bytes in the flash", sum(files), FLASH_BYTES)
        if not self._world.bridge.database_away:
            rows = self._rows_now()
            self._at_most("new rows in the database in a day", rows - self._rows, ROWS_A_DAY)
            self._rows = rows

    def is_idle(self) -> bool:
        return self._watch.well_for_s(NETWORK, CLOUD, SUPPLY, FLASH, BOARD, SIGNAL) >= DAY_S + LOOK_S

    def _rows_now(self) -> int:
        with self._world.bridge.database.reading() as connection:
            names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
            counts = (connection.execute(text(f'SELECT COUNT(*) FROM "{name}"')).scalar_one() for name in names)
            return sum(counts)
