"""How long we have listened on each path of a cluster (cloud_bridge/paths.py), and which of it was so at a contact.

Every worker may store a message of every unit and a canary of every node, in whatever order, so both questions are
answered here, in the transaction that stores it, and not from what a process remembers.

A message is stamped before it is stored: by milliseconds, or by an hour after an outage of ours. With its contact stands
how long its path had listened at that stamp, never less, since the difference to now is called silence. With `until` and
`total` of the path's row as it is when the contact is stored:

    the stamp is                       at most, it had listened
    ------------------------------------------------------------------------------------------------------------
    at or after `until`                total, and what the next canary may add: the time since `until`, of which more
                                       than 2 x OUTAGE_AFTER_MS is never counted (contact.proves_listening)
    before `until`                     total less the time from the stamp to `until`, without the gaps in it: what of
                                       that time was a gap is not in the total. For EVERY those of all paths, which may
                                       overlap: that makes it more, and never less
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
    """A canary of a path has come through. Returns what it has changed."""
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
    """For a row of `contacts` with the parameter `unit`: the path of the node that it is on, or was last."""
    if len(doors) == 1 and doors[0][0] == ANYWHERE:
        return literal_column(str(doors[0][1]))
    door = select(presence.c.door).where(presence.c.unit_id == bindparam("unit")).scalar_subquery()
    said: dict[Any, ColumnElement[int]] = {  # no parameters: the rows have none of these names
        literal_column("'" + name.replace("'", "''") + "'"): literal_column(str(number)) for name, number in doors
    }
    return case(said, value=door, else_=literal_column(str(EVERY)))


@cache
def listened_at(doors: Doors) -> ColumnElement[int]:
    """With the parameter `stamp_ms` beside it: how long that path had listened then, at most."""
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
    """Contacts on paths that are no more, as of a node that was taken away, or of before there was a cluster: the silence
    of these units begins to count anew."""
    speaks_ocpp = contacts.c.unit_id.in_(select(units.c.id).where(units.c.protocol == literal_column("'ocpp'")))
    for number, own_paths, theirs in ((OCPP, (OCPP,), speaks_ocpp), (EVERY, (*paths, EVERY, OCPP), true())):
        total_ms = func.coalesce(select(listening.c.listened_ms).where(listening.c.id == number).scalar_subquery(), 0)
        strays = contacts.c.shard.not_in(own_paths)
        connection.execute(contacts.update().where(strays, theirs).values(shard=number, listened_ms=total_ms))
