"""The health of the units of a roll-out: those that run the release compared with the others, as counts for
releases/verdict.py.

A unit runs the release when it reports so, and may run it as soon as it was sent the last byte: one that falls silent
then cannot report anything. Both groups are counted over the same time, since the present ring began, so that what
affects all units (a mast, a storm) is seen in both. In large fleets, SAMPLE units of each group are enough.
"""

from sqlalchemy import ColumnElement, Connection, Subquery, and_, case, func, or_, select

from cloud_bridge.releases.roll_out_states import WENT_BACK, UnitState
from cloud_bridge.releases.verdict import OWN_MS, Count, Own, Seen, Sign
from cloud_bridge.store.release_tables import roll_out_units
from cloud_bridge.store.releases import images_of
from cloud_bridge.store.roll_outs import RollOut
from cloud_bridge.store.tables import contacts, events, heartbeats

SAMPLE = 5000  # units
_REST = (UnitState.WAITING, UnitState.ORDERED, UnitState.TAKEN, UnitState.REFUSED, UnitState.WITHDRAWN)


def look(connection: Connection, roll_out: RollOut, now_ms: int) -> list[Seen]:
    """Every sign with its counts, the clearest first: a unit that goes back to its old version is also reset in doing
    so."""
    column = roll_out_units.c
    sizes = [(one.name, one.manifest.size) for one in images_of(connection, roll_out.version)]
    is_sent = or_(*(and_(column.release == name, column.loaded >= size) for name, size in sizes))
    has_it = or_(column.installed_ms.is_not(None), is_sent)
    updated = _some(roll_out, has_it, column.state_ms.desc())
    rest = _some(roll_out, and_(column.state.in_(_REST), ~has_it), column.ring)
    seen = [Seen(sign, _count(connection, updated, sign), _count(connection, rest, sign)) for sign in _IS_BAD]
    seen = [one._replace(own=_own(connection, roll_out, now_ms)) if one.sign is Sign.WATCHDOG else one for one in seen]
    return [Seen(Sign.WENT_BACK, _went_back(connection, roll_out), Count(0, 0)), *seen]


def _some(roll_out: RollOut, which: ColumnElement[bool], order: ColumnElement[object]) -> Subquery:
    """The ids of units, and the time from which each is counted."""
    column = roll_out_units.c
    has_it_ms = func.coalesce(column.installed_ms, column.state_ms)
    since_ms = case((has_it_ms > roll_out.ring_ms, has_it_ms), else_=roll_out.ring_ms)
    query = select(column.unit_id, since_ms.label("since_ms")).where(column.roll_out_id == roll_out.number, which)
    return query.order_by(order, column.unit_id).limit(SAMPLE).subquery()


def _was_reset(units: Subquery) -> ColumnElement[bool]:
    return _is_reset_between(units, units.c.since_ms, None)


def _is_reset_between(
    units: Subquery, from_ms: ColumnElement[int], to_ms: ColumnElement[int] | None
) -> ColumnElement[bool]:
    query = select(events.c.id).where(
        events.c.unit_id == units.c.unit_id,
        events.c.received_ms >= from_ms,
        events.c.kind == "boot",
        events.c.payload.contains('"cause":"watchdog"'),
    )
    return (query if to_ms is None else query.where(events.c.received_ms < to_ms)).exists()


def _fell_silent(units: Subquery) -> ColumnElement[bool]:
    return contacts.c.silent_ms >= units.c.since_ms


def _has_lost(units: Subquery) -> ColumnElement[bool]:
    return and_(heartbeats.c.received_ms >= units.c.since_ms, heartbeats.c.payload.contains('"d":'))


_IS_BAD = {Sign.WATCHDOG: _was_reset, Sign.SILENT: _fell_silent, Sign.RECORDS_LOST: _has_lost}


def _count(connection: Connection, units: Subquery, sign: Sign) -> Count:
    """Count the units that show a sign. Units that were silent before are left out: they cannot show anything."""
    could_show = or_(contacts.c.silent_ms.is_(None), contacts.c.silent_ms >= units.c.since_ms)
    rows = units.join(contacts, contacts.c.unit_id == units.c.unit_id)
    rows = rows.outerjoin(heartbeats, heartbeats.c.unit_id == units.c.unit_id)
    bad = func.count(case((_IS_BAD[sign](units), 1)))
    found = connection.execute(select(func.count(), bad).select_from(rows).where(could_show)).one()
    return Count(*found)


def _own(connection: Connection, roll_out: RollOut, now_ms: int) -> Own:
    """The updated units that were heard before, each compared over the time since installation and an equal time
    before."""
    column = roll_out_units.c
    age_ms = case((column.installed_ms < now_ms - OWN_MS, OWN_MS), else_=now_ms - column.installed_ms)
    installed = and_(column.roll_out_id == roll_out.number, column.installed_ms.is_not(None))
    some = select(column.unit_id, column.installed_ms, age_ms.label("age_ms")).where(installed)
    units = some.order_by(column.state_ms.desc(), column.unit_id).limit(SAMPLE).subquery()
    at_ms, span_ms = units.c.installed_ms, units.c.age_ms
    since = _is_reset_between(units, at_ms, at_ms + span_ms)
    before = _is_reset_between(units, at_ms - span_ms, at_ms)
    only_since = func.count(case((and_(since, ~before), 1)))
    only_before = func.count(case((and_(before, ~since), 1)))
    return Own(*connection.execute(select(only_since, only_before).select_from(units)).one())


def _went_back(connection: Connection, roll_out: RollOut) -> Count:
    column = roll_out_units.c
    bad = func.count(case((column.state.in_(WENT_BACK), 1)))
    has_it = and_(column.roll_out_id == roll_out.number, column.installed_ms.is_not(None))
    return Count(*connection.execute(select(func.count(), bad).where(has_it)).one())
