"""The last frames of each OCPP charger, for troubleshooting. They are masked before they are stored
(ingest/ocpp/masked.py). Each charger has FRAMES_KEPT slots, which are overwritten in turn, so that no rows have to be
deleted."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from cloud_bridge.store.ownership import Period, within
from cloud_bridge.store.readable import Rows, readable
from cloud_bridge.store.tables import ocpp_frames, units
from cloud_bridge.store.upsert import replace

FRAMES_KEPT = 50  # of each charger


class KeptFrame(NamedTuple):
    """A frame that a charger has sent, or one of our CALLs."""

    at_ms: int
    is_ours: bool
    said: str
    answered: str | None  # our answer; None if there was none, and for our CALLs, whose answers are separate frames


def record_frames(connection: Connection, frames: Mapping[str, Sequence[KeptFrame]]) -> None:
    """Store frames by unit id, oldest first. Ids that are not units are left out."""
    ids = sorted(frames)
    known = connection.execute(select(units.c.id).where(units.c.id.in_(ids)).order_by(units.c.id)).scalars().all()
    newest = select(ocpp_frames.c.unit_id, func.max(ocpp_frames.c.number)).where(ocpp_frames.c.unit_id.in_(ids))
    last = {unit_id: number for unit_id, number in connection.execute(newest.group_by(ocpp_frames.c.unit_id))}
    rows = [
        {"unit_id": unit_id, "slot": number % FRAMES_KEPT, "number": number, **one._asdict()}
        for unit_id in known
        for number, one in enumerate(frames[unit_id][-FRAMES_KEPT:], last.get(unit_id, -1) + 1)
    ]
    replace(connection, ocpp_frames, rows)


def frames_of(connection: Connection, period: Period) -> Rows[KeptFrame]:
    """Return the frames that the asker may see, newest first."""
    columns = [ocpp_frames.c[name] for name in KeptFrame._fields]
    query = select(*columns).where(within(ocpp_frames, period)).order_by(ocpp_frames.c.number.desc())
    found = readable(columns, connection.execute(query))
    return Rows((KeptFrame(*row) for row in found), found.unreadable)
