"""The last frames of each charger, on their way into the store. Thread-safe.

They wait in memory until they are written, so that a charger that talks costs no transaction of its own: once a second those
of the chargers that have waited longest, and no more than WRITTEN_AT_ONCE. Where few talk that is all of them; where many do,
as after an outage, each has its turn, with its last frames of then. Those that wait are lost with a kill -9, and those that
are being written when the database goes away: they help whoever looks for a fault, and nothing else is made of them.
"""

from collections import deque
from threading import Lock

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.ingest.ocpp.masked import masked
from cloud_bridge.store.database import Database
from cloud_bridge.store.ocpp_frames import FRAMES_KEPT, KeptFrame, record_frames

FRAMES_WAITING = 20_000  # of all chargers; more are left out, and counted
MAX_READ = 4096  # bytes of a frame: what is masked of it is longer than what is kept
WRITTEN_AT_ONCE = 1000  # in one transaction: the recorder waits for it

_Waiting = tuple[int, bool, bytes, str | None]  # as KeptFrame, and not masked


class FrameLog:
    """Of the chargers that are connected here."""

    def __init__(self, database: Database) -> None:
        self.left_out = 0  # since the start
        self._database = database
        self._lock = Lock()
        self._waiting: dict[str, deque[_Waiting]] = {}  # those that have waited longest come first
        self._count = 0

    def note(self, unit_id: str, at_ms: int, said: bytes, answered: str | None = None, is_ours: bool = False) -> None:
        """A frame, and our answer where that was given at once."""
        with self._lock:
            frames = self._waiting.get(unit_id)
            if frames is None or len(frames) < FRAMES_KEPT:
                if self._count >= FRAMES_WAITING:
                    self.left_out += 1
                    return
                self._count += 1
                if frames is None:
                    frames = self._waiting[unit_id] = deque(maxlen=FRAMES_KEPT)
            frames.append((at_ms, is_ours, said[:MAX_READ], answered))

    def write(self) -> None:
        """Store some of what waits. Raises SQLAlchemyError; then what could not be stored is given up."""
        taken = self._some()
        if not taken:
            return
        frames = {unit_id: [_as_kept(*one) for one in of_unit] for unit_id, of_unit in taken.items()}
        try:
            with self._database.writing() as connection:
                record_frames(connection, frames)
        except SQLAlchemyError:
            self.left_out += sum(map(len, frames.values()))
            raise

    def _some(self) -> dict[str, deque[_Waiting]]:
        taken: dict[str, deque[_Waiting]] = {}
        with self._lock:
            count = 0
            for unit_id, frames in self._waiting.items():
                if count + len(frames) > WRITTEN_AT_ONCE:
                    break
                count += len(frames)
                taken[unit_id] = frames
            for unit_id in taken:
                del self._waiting[unit_id]
            self._count -= count
        return taken


def _as_kept(at_ms: int, is_ours: bool, said: bytes, answered: str | None) -> KeptFrame:
    shown = None if answered is None else masked(answered)
    return KeptFrame(at_ms, is_ours, masked(said.decode(errors="replace")), shown)
