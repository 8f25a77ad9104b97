"""A buffer for the last frames of each charger, on their way to the store. Thread-safe.

Frames wait in memory, so that a frame does not cost a transaction. Once a second at most WRITTEN_AT_ONCE are written,
those of the chargers that have waited longest first. With little traffic that is all of them; with much, as after an
outage, chargers take turns, and the last frames of each are written. Frames in memory are lost with a kill -9 or an
error of the database. They are for troubleshooting only, and nothing else depends on them.
"""

from collections import deque
from threading import Lock

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.ingest.ocpp.masked import masked
from cloud_bridge.store.database import Database
from cloud_bridge.store.ocpp_frames import FRAMES_KEPT, KeptFrame, record_frames

FRAMES_WAITING = 20_000  # of all chargers; further ones are dropped and counted
MAX_READ = 4096  # bytes of a frame that are masked; less of it is stored
WRITTEN_AT_ONCE = 1000  # in one transaction, during which the recorder waits

_Waiting = tuple[int, bool, bytes, str | None]  # the fields of KeptFrame, before masking


class FrameLog:
    """The frames of the chargers that are connected to this process."""

    def __init__(self, database: Database) -> None:
        self.left_out = 0  # frames that were dropped since the start
        self._database = database
        self._lock = Lock()
        self._waiting: dict[str, deque[_Waiting]] = {}  # the charger that has waited longest comes first
        self._count = 0

    def note(self, unit_id: str, at_ms: int, said: bytes, answered: str | None = None, is_ours: bool = False) -> None:
        """Add a frame and our answer to it, if it was answered immediately."""
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
        """Store up to WRITTEN_AT_ONCE frames. Raises SQLAlchemyError; these frames are then dropped and counted."""
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
