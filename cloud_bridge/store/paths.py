"""The listening time of each path of a cluster (cloud_bridge/paths.py), and the listening time of a path at a contact.

Every worker may store messages of every unit and canaries of every node, in any order. So both are computed here, in
the transaction that stores the message or canary, and not from the memory of a process.

A message is timestamped before it is stored: milliseconds before, or an hour before after an outage of ours. With its
contact an upper bound of its path's listening time at that timestamp is stored. It must never be too low, because its
difference to the present listening time counts as silence. `until` and `total` are those of the path's row when the
contact is stored:

    the timestamp is                   upper bound of the listening time
    ------------------------------------------------------------------------------------------------------------
    at or after `until`                total, plus what the next canary may add: the time since `until`, but at most
                                       2 x OUTAGE_AFTER_MS (contact.proves_listening)
    before `until`                     total, minus the time from the timestamp to `until` without the outages in it,
                                       which are not in the total. For EVERY these are the outages of all paths, which
                                       may overlap: that makes the bound higher, never lower
"""

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, bindparam, case, func, literal_column, or_, select, true

from cloud_bridge.contact import OUTAGE_AFTER_MS, Listened
from cloud_bridge.paths import ALL, EVERY, OCPP, Heard, heard
from cloud_bridge.store.inbound_message import ANYWHERE, CanaryMark, Doors
from cloud_bridge.store.tables import contacts, listening, listening_gaps, presence, units
from cloud_bridge.store.upsert import replace

_STAMP: ColumnElement[int] = bindparam("stamp_ms", type_=BigInteger)


_IS_OF_PATH = or_(
    listening_gaps.c.path.in_((literal_column(str(ALL)), listening.c.id)), listening.c.id == literal_column(str(EVERY))
)


def record_mark(connection: Connection, mark: CanaryMark, now_ms: int) -> Heard:
    """Store a canary of a path. Return the changes."""
    rows = select(listening.c.id, listening.c.until_ms, listening.c.listened_ms, listening.c.latest_ms)
    locked = rows.where(listening.c.id.in_((*mark.paths, EVERY))).order_by(listening.c.id).with_for_update()
    known = {number: Listened(*row) for number, *row in connection.execute(locked)}
    changed = heard(known, mark.shard, mark.received_ms, mark.latest_ms, mark.paths, now_ms)
    replace(
        connection,
        listening,
        [
            {"id": number, "until_ms": row.until_ms, "listened_ms": row.total_ms, "latest_ms": row.latest_ms}
            for number, row in sorted(changed.rows.items())
        ],
    )
    if changed.gap is not None:
        replace(connection, listening_gaps, [{**changed.gap._asdict(), "path": mark.shard}])
    return changed


def path_of(doors: Doors) -> ColumnElement[int]:
    """Return an expression, with the parameter `unit`: the path of the node to which the unit is or was last
    connected."""
    if len(doors) == 1 and doors[0][0] == ANYWHERE:
        return literal_column(str(doors[0][1]))
    door = select(presence.c.door).where(presence.c.unit_id == bindparam("unit")).scalar_subquery()
    said: dict[Any, ColumnElement[int]] = {  # literals, because rows have no such parameters
        literal_column("'" + name.replace("'", "''") + "'"): literal_column(str(number)) for name, number in doors
    }
    return case(said, value=door, else_=literal_column(str(EVERY)))


@cache
def listened_at(doors: Doors) -> ColumnElement[int]:
    """Return an expression, with the parameters `unit` and `stamp_ms`: an upper bound of the listening time of the
    unit's path at that time."""
    until_ms, total_ms = listening.c.until_ms, listening.c.listened_ms
    deaf_ms = (
        select(
            func.coalesce(
                func.sum(
                    case((listening_gaps.c.to_ms < until_ms, listening_gaps.c.to_ms), else_=until_ms)
                    - case((listening_gaps.c.from_ms > _STAMP, listening_gaps.c.from_ms), else_=_STAMP)
                ),
                literal_column("0"),
            )
        )
        .where(listening_gaps.c.to_ms > _STAMP, listening_gaps.c.from_ms < until_ms, _IS_OF_PATH)
        .correlate(listening)
        .scalar_subquery()
    )
    since_ms = _STAMP - until_ms
    most_ms: ColumnElement[int] = literal_column(str(2 * OUTAGE_AFTER_MS))
    counted_ms = -since_ms - deaf_ms
    at_most = case(
        (since_ms >= most_ms, total_ms + most_ms),
        (since_ms >= literal_column("0"), total_ms + since_ms),
        (counted_ms > literal_column("0"), total_ms - counted_ms),
        else_=total_ms,
    )
    found = select(at_most).where(listening.c.id == path_of(doors)).scalar_subquery()
    return func.coalesce(found, literal_column("0"))


def adopt_strays(connection: Connection, paths: Collection[int]) -> None:
    """Move contacts on paths that do not exist any more, such as of a removed node or from before there was a cluster,
    to an existing path. The silence of these units begins to count anew."""
    speaks_ocpp = contacts.c.unit_id.in_(select(units.c.id).where(units.c.protocol == literal_column("'ocpp'")))
    for number, own_paths, theirs in ((OCPP, (OCPP,), speaks_ocpp), (EVERY, (*paths, EVERY, OCPP), true())):
        total_ms = func.coalesce(select(listening.c.listened_ms).where(listening.c.id == number).scalar_subquery(), 0)
        strays = contacts.c.shard.not_in(own_paths)
        connection.execute(contacts.update().where(strays, theirs).values(shard=number, listened_ms=total_ms))
