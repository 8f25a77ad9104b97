"""The security log: logins, refusals and changes, stored for operators (store/security_events.py) and written to the
log.

Password guesses must not cause a transaction each, and a flood of them must not fill the store. So entries wait in
memory until `write`, for a second at most. In each minute, EACH entries of one kind from one address are kept
individually. Further ones are counted, and become one entry with their number at the end of the minute.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from functools import partial
from threading import Lock

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.client_address import network_of
from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.duties import Duties
from cloud_bridge.store.database import Database
from cloud_bridge.store.security_events import Kind, SecurityEvent, add_security_events
from cloud_bridge.store.tokens import mark_used
from cloud_bridge.verified_time import Clocks

EACH = 20
WAITING_MAX = 2000  # entries
SOURCES_MAX = 2000  # pairs of kind and address in a minute; further addresses are counted together
WRITE_EVERY_S = 1.0
OTHERS = "other addresses"

_log = logging.getLogger(__name__)


class _Minute:
    """The entries of one kind from one address in a minute."""

    def __init__(self, since_ms: int) -> None:
        self.since_ms = since_ms  # by verified time
        self.kept = 0
        self.more = 0


class SecurityLog:
    """Collects entries and writes them to the store. Thread-safe."""

    def __init__(self, database: Database, clocks: Clocks) -> None:
        self.dropped = 0  # entries dropped because more than WAITING_MAX were waiting for the store
        self._database = database
        self._clocks = clocks
        self._lock = Lock()
        self._waiting: deque[SecurityEvent] = deque()
        self._tokens: set[int] = set()  # ids of used API tokens; bounded by the number of tokens
        self._minutes: OrderedDict[tuple[Kind, str], _Minute] = OrderedDict()

    def note(self, kind: Kind, address: str, person_id: int | None = None, about: str = "") -> None:
        """Add an entry with the present time."""
        source = network_of(address)
        with self._lock:
            if (kind, source) not in self._minutes and len(self._minutes) >= SOURCES_MAX:
                source = OTHERS
            minute = self._minutes.setdefault((kind, source), _Minute(self._clocks.verified.now_ms()))
            if minute.kept >= EACH:
                minute.more += 1
                return
            minute.kept += 1
            self._wait(SecurityEvent(self._clocks.clock.now_ms(), kind, source, person_id, about))

    def token_used(self, token_id: int) -> None:
        """Note that an API token was used; `write` stores the time with the token."""
        with self._lock:
            self._tokens.add(token_id)

    def take(self) -> list[SecurityEvent]:
        """Remove and return the waiting entries, and those with the counts of minutes that are over."""
        with self._lock:
            self._close_minutes()
            entries = list(self._waiting)
            self._waiting.clear()
        return entries

    def write(self) -> None:
        """Store the waiting entries. Raises SQLAlchemyError; the entries then wait for the next call."""
        entries = self.take()
        with self._lock:
            used, self._tokens = self._tokens, set()
        if not entries and not used:
            return
        try:
            with self._database.writing() as connection:
                add_security_events(connection, entries)
                for token_id in sorted(used):
                    mark_used(connection, token_id, self._clocks.verified.now_ms())
        except SQLAlchemyError:
            with self._lock:
                self._tokens |= used
                self._waiting.extendleft(reversed(entries))
                self._bound()
            raise

    async def run(self, duties: Duties) -> None:
        """Write once a second until cancelled."""
        await duties.every(WRITE_EVERY_S, "security log", partial(asyncio.to_thread, self.write))

    def _wait(self, entry: SecurityEvent) -> None:
        who = "" if entry.person_id is None else f" by person {entry.person_id}"
        about = f", {entry.about}" if entry.about else ""
        times = f", {entry.times} times" if entry.times > 1 else ""
        kind = entry.kind.replace("_", " ")  # part of the format string, by which lines are rate-limited (logs.py)
        _log.info(f"{kind} from %s%s%s%s", entry.address, who, about, times)
        self._waiting.append(entry)
        self._bound()

    def _bound(self) -> None:
        while len(self._waiting) > WAITING_MAX:
            self._waiting.popleft()
            self.dropped += 1

    def _close_minutes(self) -> None:
        now_ms = self._clocks.verified.now_ms()
        over = [key for key, minute in self._minutes.items() if now_ms - minute.since_ms >= MINUTE_MS]
        for kind, source in over:
            if more := self._minutes.pop((kind, source)).more:
                self._wait(SecurityEvent(self._clocks.clock.now_ms(), kind, source, times=more))
