"""The OCPP doors of a cluster, each a process: which of them are alive, and until when all of them were listening.

A live door increments its `beat`. No clocks are compared: another door that sees the same beat for too long, while it
can read the store itself, removes the door and marks its chargers as disconnected (ingest/ocpp/beats.py). A door that
is alive but does not listen stays, and the path of all doors does not advance (cloud_bridge/paths.py).
"""

from sqlalchemy import Connection, delete, select, update

from cloud_bridge.contact import Listened
from cloud_bridge.paths import OCPP, Heard, heard_at_doors
from cloud_bridge.store.inbound_message import CanaryMark
from cloud_bridge.store.presence import lost_door
from cloud_bridge.store.tables import listening, listening_gaps, ocpp_doors
from cloud_bridge.store.upsert import insert_one, replace


def beat(connection: Connection, name: str, now_ms: int) -> bool:
    """Increment the beat of a door. If it was not known or had been removed, add it, as listening until now, and return
    False."""
    counted = update(ocpp_doors).where(ocpp_doors.c.name == name).values(beat=ocpp_doors.c.beat + 1)
    if connection.execute(counted).rowcount == 1:
        return True
    insert_one(connection, ocpp_doors, {"name": name, "beat": now_ms, "until_ms": now_ms})  # a new beat
    return False


def read_beats(connection: Connection) -> dict[str, int]:
    """Return the beats by name of the door."""
    return {name: counted for name, counted in connection.execute(select(ocpp_doors.c.name, ocpp_doors.c.beat))}


def take_out(connection: Connection, name: str, last_beat: int, now_ms: int) -> bool:
    """Remove a door whose beat is still `last_beat`, and mark its chargers as disconnected. Return False if the beat
    has changed or another door has removed it."""
    gone = delete(ocpp_doors).where(ocpp_doors.c.name == name, ocpp_doors.c.beat == last_beat)
    if connection.execute(gone).rowcount != 1:
        return False
    lost_door(connection, name, now_ms)
    return True


def leave(connection: Connection, name: str) -> None:
    """Remove a door that stops normally."""
    connection.execute(delete(ocpp_doors).where(ocpp_doors.c.name == name))


def record_door_mark(connection: Connection, mark: CanaryMark, now_ms: int) -> Heard:
    """Store a canary of a door. Return the changes to the path of all doors."""
    row = select(listening.c.until_ms, listening.c.listened_ms, listening.c.latest_ms).where(listening.c.id == OCPP)
    stored = connection.execute(row.with_for_update()).one_or_none()
    here = update(ocpp_doors).where(ocpp_doors.c.name == mark.door)
    connection.execute(here.values(until_ms=mark.received_ms))
    marks_ms = connection.execute(select(ocpp_doors.c.until_ms)).scalars().all()
    if not marks_ms:  # the door was removed, and will be added again with its next beat
        return Heard({}, None)
    changed = heard_at_doors(None if stored is None else Listened(*stored), marks_ms, mark.latest_ms, now_ms)
    for number, new in changed.rows.items():
        listened = {"until_ms": new.until_ms, "listened_ms": new.total_ms, "latest_ms": new.latest_ms}
        replace(connection, listening, [{"id": number, **listened}])
    if changed.gap is not None:
        replace(connection, listening_gaps, [{**changed.gap._asdict(), "path": OCPP}])
    return changed
