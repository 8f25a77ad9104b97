"""The last frames of each charger, on their way into the store. Thread-safe.

They wait in memory until they are written, once a second, so that a charger that talks costs no transaction of its own. Those
of the last second are lost with a kill -9, and those that wait when the database goes away: they help whoever looks for a
fault, and nothing else is made of them.
"""

from collections import deque
from threading import Lock

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.clock import Clock
from cloud_bridge.ingest.ocpp.masked import masked
from cloud_bridge.store.database import Database
from cloud_bridge.store.ocpp_frames import FRAMES_KEPT, KeptFrame, record_frames

FRAMES_WAITING = 20_000  # of all chargers; more are left out, and counted
MAX_READ = 4096  # bytes of a frame: what is masked of it is longer than what is kept
WRITTEN_AT_ONCE = 2000  # in one transaction: the recorder waits for it


class FrameLog:
    """Of the chargers that are connected here."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.left_out = 0  # since the start
        self._database = database
        self._clock = clock
        self._lock = Lock()
        self._waiting: dict[str, deque[KeptFrame]] = {}
        self._count = 0

    def note(self, unit_id: str, said: bytes, answered: str | None = None, is_ours: bool = False) -> None:
        """A frame, and our answer where that was given at once."""
        frame = KeptFrame(self._clock.now_ms(), is_ours, said[:MAX_READ].decode(errors="replace"), answered)
        with self._lock:
            if self._count >= FRAMES_WAITING:
                self.left_out += 1
                return
            self._count += 1
            self._waiting.setdefault(unit_id, deque()).append(frame)
            if len(self._waiting[unit_id]) > FRAMES_KEPT:
                self._waiting[unit_id].popleft()
                self._count -= 1

    def write(self) -> None:
        """Store what waits. Raises SQLAlchemyError; then what could not be stored is given up."""
        with self._lock:
            taken, self._waiting, self._count = self._waiting, {}, 0
        some: dict[str, list[KeptFrame]] = {}
        for unit_id, frames in taken.items():
            some[unit_id] = [_as_kept(one) for one in frames]
            if sum(map(len, some.values())) >= WRITTEN_AT_ONCE:
                self._store(some)
                some = {}
        if some:
            self._store(some)

    def _store(self, frames: dict[str, list[KeptFrame]]) -> None:
        try:
            with self._database.writing() as connection:
                record_frames(connection, frames)
        except SQLAlchemyError:
            self.left_out += sum(map(len, frames.values()))
            raise


def _as_kept(frame: KeptFrame) -> KeptFrame:
    answered = None if frame.answered is None else masked(frame.answered)
    return frame._replace(said=masked(frame.said), answered=answered)
