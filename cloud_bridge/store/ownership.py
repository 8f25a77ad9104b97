"""Ownership of rows: a row belongs to a person and the time of their ownership, not to the charge point.

All decisions about that are made here. A reader of a table in HAPPENED takes a `Period`, from `visible_unit`, and
restricts its query with `within`. Export and erasure use `owned_in`. What each asker sees of a charge point's past:

    asker               signal, silences, restarts,     sessions, energy, commands,    present contact
                        faults, networks (evidence)     answers, all other events      and firmware
    ------------------------------------------------------------------------------------------------------
    driver, its owner   since the claim                 since the claim                always
    driver, a member    since they joined               since they joined              always
    installer, support  all that is kept                since the last change of       always
                                                        hands
    installer, of a     all until the job was closed,   nothing                        never
    job that is done    or the unit changed hands
    operator            all that is kept                all that is kept               always

A row's time is when the event happened, not when it was received: a session that began before the claim belongs to the
former owner, even if the unit delivers it after the claim. The unit's clock is believed if it can be right: not later
than the receipt, and at most USED_BEFORE_MS before the unit was added. Otherwise the time of receipt counts, less a
session's duration.

A member of the household (members.py) sees what happened since they joined, and not the whole of the present ownership,
just as a new owner sees only what happened since the claim: the owner's comings and goings in the months before are
private. The rows still belong to the owner, for export and erasure. A row that may be from before the claim can be
given to the first owner, because it can belong to nobody else. It may be from before a member joined, so for members
the unit's own time decides wherever it can be right (`SAID`).

The table `ownerships` has the owners of each unit, in periods that do not overlap. A period begins after every row that
was stored before it, and ends after every row that was stored in it, whatever the clock shows. So a clock that was set
back cannot give the rows of the former owner to the new one. If the clock was ahead, the new owner's period begins at
that later time.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    String,
    Table,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)

from cloud_bridge.durations import DAY_MS
from cloud_bridge.store.access import SEE_ALL, Asker, Role
from cloud_bridge.store.chunks import in_chunks
from cloud_bridge.store.job_customers import forget_customers
from cloud_bridge.store.job_photos import forget_photos
from cloud_bridge.store.ready_plans import remove_plan
from cloud_bridge.store.tables import (
    alerts,
    commands,
    contact_gaps,
    contacts,
    duplicate_identities,
    events,
    heartbeats,
    jobs,
    member_invitations,
    members,
    northbound,
    ocpp_frames,
    ownerships,
    power,
    rejected_messages,
    results,
    sessions,
    signal,
    signal_5min,
    signal_hourly,
    tariffs,
    transitions,
    unit_installers,
    units,
)

USED_BEFORE_MS = 30 * DAY_MS  # the longest use of a unit before it is added; earlier times are wrong
SECOND_MS = 2000  # tolerance: a unit sends whole seconds, and its clock differs slightly from ours
BUCKET_MS = 5 * 60 * 1000  # width of a row of signal_5min
DEFAULT_TIME_ZONE = "Europe/London"  # of a site whose time zone was not set
EVIDENCE_EVENTS = (  # kinds about the charge point and its network, not about a person
    "boot",
    "day",
    "dropped",
    "fault_cleared",
    "fault_raised",
    "mode",
    "modem",
    "network",
    "networks",
    "time",
)


class Period(NamedTuple):
    """The part of one charge point's past that an asker may see, up to now. Created only by `period_for`."""

    unit_id: str
    from_ms: int  # for data about people
    evidence_from_ms: int  # for data about the charge point only
    household_from_ms: int | None = None  # for a member: the start of the present ownership


class Extent(NamedTuple):
    """The properties of a period that determine the form of its condition. A statement that is built once for an extent
    has unit and times as parameters, which `Period._asdict` provides."""

    is_all: bool  # everything that is stored
    has_more_evidence: bool  # the evidence goes back further than the data about people
    is_members: bool


def extent_of(period: Period) -> Extent:
    """Return the extent of a period."""
    return Extent(
        period.from_ms == period.evidence_from_ms == 0,
        period.evidence_from_ms < period.from_ms,
        period.household_from_ms is not None,
    )


class Happened(NamedTuple):
    """When the event of a row began and ended."""

    began_ms: ColumnElement[int]
    ended_ms: ColumnElement[int]
    is_evidence: bool = False  # about the charge point only, so `Period.evidence_from_ms` applies


def _milliseconds(seconds: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(seconds, BigInteger) * literal(1000, BigInteger)


def _of_unit(table: Table, column: Column[Any]) -> ColumnElement[Any]:
    return select(column).where(units.c.id == table.c.unit_id).scalar_subquery()


def _witnessed(table: Table, began_ms: ColumnElement[Any], ended_ms: ColumnElement[Any]) -> ColumnElement[int]:
    """Return when the event began if that determines the owner; otherwise when the row was received.

    A row that was received during the first ownership can belong to nobody else. Later, the time of the event decides
    if it is after the first claim. If it is before the first claim, the row belongs to the owner at the time of
    receipt, provided that the event ended in their period.
    """
    received_ms, first_owned_ms = table.c.received_ms, _of_unit(table, units.c.first_owned_ms)
    first_until_ms = _of_unit(table, units.c.first_until_ms)
    is_first_owners = or_(first_owned_ms.is_(None), first_until_ms.is_(None), received_ms < first_until_ms)
    claimed_ms = (
        select(func.max(ownerships.c.from_ms))
        .where(ownerships.c.unit_id == table.c.unit_id, ownerships.c.from_ms <= received_ms)
        .scalar_subquery()
    )
    ended_since = and_(began_ms < first_owned_ms, ended_ms > claimed_ms - SECOND_MS)
    return case((or_(_is_no_word(table, began_ms), is_first_owners, ended_since), received_ms), else_=began_ms)


def _said(table: Table, began_ms: ColumnElement[Any]) -> ColumnElement[int]:
    """Return when the event began by the unit's clock if that can be right; otherwise when the row was received."""
    return case((_is_no_word(table, began_ms), table.c.received_ms), else_=began_ms)


def _is_no_word(table: Table, began_ms: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that the unit's time is missing, impossible, or the same as the time of receipt."""
    earliest_ms = _of_unit(table, units.c.created_ms) - USED_BEFORE_MS
    return or_(began_ms.is_(None), began_ms > table.c.received_ms - SECOND_MS, began_ms < earliest_ms)


def _once(at_ms: ColumnElement[int], is_evidence: bool = False) -> Happened:
    return Happened(at_ms, at_ms, is_evidence)


_event_ms, _result_ms = _milliseconds(events.c.unit_time_s), _milliseconds(results.c.unit_time_s)
_lasted_ms = _milliseconds(func.coalesce(sessions.c.duration_s, 0))
_ended_ms = func.coalesce(_milliseconds(sessions.c.ended_s), sessions.c.received_ms)
_began_ms = func.coalesce(_milliseconds(sessions.c.started_s), _ended_ms - _lasted_ms)

HAPPENED: dict[Table, Happened] = {
    events: _once(_witnessed(events, _event_ms, _event_ms)),
    results: _once(_witnessed(results, _result_ms, _result_ms)),
    sessions: _once(_witnessed(sessions, _began_ms, _ended_ms)),  # it belongs to whoever plugged in
    commands: _once(commands.c.given_ms),
    alerts: _once(alerts.c.at_ms),
    heartbeats: _once(heartbeats.c.received_ms),
    power: _once(power.c.received_ms),
    rejected_messages: _once(rejected_messages.c.received_ms),
    contacts: _once(contacts.c.last_contact_ms),
    signal: _once(signal.c.received_ms, is_evidence=True),
    signal_5min: Happened(signal_5min.c.from_ms, signal_5min.c.from_ms + literal(BUCKET_MS, BigInteger), True),
    signal_hourly: Happened(signal_hourly.c.from_ms, signal_hourly.c.until_ms, True),
    contact_gaps: Happened(contact_gaps.c.from_ms, contact_gaps.c.to_ms, True),
    transitions: _once(transitions.c.at_ms, is_evidence=True),
    duplicate_identities: _once(duplicate_identities.c.last_ms, is_evidence=True),
    jobs: _once(jobs.c.raised_ms, is_evidence=True),
    ocpp_frames: _once(ocpp_frames.c.at_ms),
}


SAID: dict[Table, ColumnElement[int]] = {  # for members: the start of events for which HAPPENED may have a later time
    events: _said(events, _event_ms),
    results: _said(results, _result_ms),
    sessions: _said(sessions, _began_ms),
}

TOLD_LATER = (events, results, sessions)  # records that a unit queues, with their times, until it can send them


def joined_ms(asker: Asker) -> ColumnElement[Any]:
    """Return an expression for a query of units: when the asker became a member of the unit, or null if they are
    none."""
    if asker.role is not Role.DRIVER:
        return null()
    of_asker = (members.c.unit_id == units.c.id, members.c.person_id == asker.id)
    return select(members.c.from_ms).where(*of_asker).scalar_subquery()


def period_for(asker: Asker, unit_id: str, owned_from_ms: int, joined_ms: int | None) -> Period:
    """Return the period of an asker. `owned_from_ms` is that of the unit, `joined_ms` as above. access.py decides
    whether the asker may see the unit at all."""
    if asker.role is Role.OPERATOR:
        return Period(unit_id, 0, 0)
    if asker.role in SEE_ALL or asker.role is Role.INSTALLER:
        return Period(unit_id, owned_from_ms, 0)
    if joined_ms is not None:
        return Period(unit_id, joined_ms, joined_ms, owned_from_ms)
    return Period(unit_id, owned_from_ms, owned_from_ms)


def household_period(period: Period) -> Period:
    """Return the period for limits in force, which concern everybody in the household: the whole present ownership."""
    from_ms = period.household_from_ms
    return period if from_ms is None else Period(period.unit_id, from_ms, from_ms)


def is_within(period: Period, began_ms: int, said_ms: int) -> bool:
    """Return whether the asker may see an event about the charge point. `began_ms` is its time by HAPPENED, `said_ms`
    by SAID."""
    return (began_ms if period.household_from_ms is None else min(began_ms, said_ms)) >= period.evidence_from_ms


def contact_period(period: Period) -> Period:
    """Return the period for data about the present contact, such as the length of a silence, which everybody may
    see."""
    return period._replace(evidence_from_ms=0)


def begins_ms(table: Table, period: Period) -> int:
    """Return the start of the asker's part of this table."""
    return period.evidence_from_ms if HAPPENED[table].is_evidence else period.from_ms


def within(table: Table, period: Period) -> ColumnElement[bool]:
    """Return the condition that a row belongs to the period's unit and is of a time that the asker may see."""
    return _within(table, extent_of(period), period)


def within_any(table: Table, extent: Extent) -> ColumnElement[bool]:
    """Return the condition of `within` for a statement that is built once for all periods of this extent."""
    return _within(table, extent, ANY_PERIOD)


_parameters: Any = [
    bindparam("unit_id", type_=String),
    *(bindparam(name, type_=BigInteger) for name in Period._fields[1:]),
]
ANY_PERIOD = Period(*_parameters)


def _within(table: Table, extent: Extent, period: Period) -> ColumnElement[bool]:
    of_unit: ColumnElement[bool] = table.c.unit_id == period.unit_id
    if extent.is_all:
        return of_unit
    began_ms = HAPPENED[table].began_ms
    if extent.is_members:
        began_ms = SAID.get(table, began_ms)
    seen = began_ms >= begins_ms(table, period)
    if table is events and extent.has_more_evidence:
        seen = or_(seen, and_(events.c.kind.in_(EVIDENCE_EVENTS), HAPPENED[events].began_ms >= period.evidence_from_ms))
    return and_(of_unit, seen)


def is_owners(table: Table) -> ColumnElement[bool]:
    """Return the condition that a row is of the present ownership, for a query on all units that joins rows with their
    units."""
    return HAPPENED[table].began_ms >= units.c.owned_from_ms


class Ended(NamedTuple):
    """The rows of a unit that existed when a period ended. Because clocks are set, a row that is stored later may have
    a time in the period. It belongs to the period only if it is a record that the unit delivered later (`TOLD_LATER`),
    by its own time."""

    from_ms: int  # our clock then; existing rows may have later times, from a clock that was ahead
    ids: dict[str, int]  # the newest id in each table with increasing ids
    stamps: Mapping[str, int | None] = MappingProxyType({})  # time of the row, for tables with one for each unit


class Owned(NamedTuple):
    """A period in which a unit belonged to a person."""

    unit_id: str
    from_ms: int
    until_ms: int | None
    ended: Ended | None  # None if it has not ended, or ended in an older version that did not store this


def periods_of(connection: Connection, person_id: int) -> list[Owned]:
    """Return all periods in which a unit belonged to the person."""
    columns = (ownerships.c.unit_id, ownerships.c.from_ms, ownerships.c.until_ms, ownerships.c.ended)
    rows = connection.execute(select(*columns).where(ownerships.c.person_id == person_id))
    return [
        Owned(row.unit_id, row.from_ms, row.until_ms, Ended(**json.loads(row.ended)) if row.ended else None)
        for row in rows
    ]


def owned_in(table: Table, periods: Sequence[Owned]) -> ColumnElement[bool]:
    """Return the condition that a row lies completely in one of these periods."""
    return or_(false(), *(_owned_in(table, one) for one in periods))


def _owned_in(table: Table, period: Owned) -> ColumnElement[bool]:
    happened = HAPPENED[table]
    conditions = [
        table.c.unit_id == period.unit_id,
        happened.began_ms >= period.from_ms,
        in_chunks(happened.began_ms, period.from_ms, period.until_ms),
    ]
    if period.until_ms is not None:
        conditions += [happened.began_ms < period.until_ms, happened.ended_ms <= period.until_ms]
    if period.ended is not None:
        conditions.append(_was_there(table, period.ended))
    return and_(*conditions)


def _was_there(table: Table, ended: Ended) -> ColumnElement[bool]:
    """Return the condition that a row existed at the end of the period, or was delivered later with a time before
    that."""
    happened, newest_id = HAPPENED[table], ended.ids.get(table.name)
    if table.name in ended.stamps:
        return happened.began_ms == ended.stamps[table.name]
    ended_before = happened.ended_ms < ended.from_ms
    if newest_id is None:
        return ended_before
    if table not in TOLD_LATER:
        there: ColumnElement[bool] = table.c.id <= newest_id
        return there
    told = and_(ended_before, happened.began_ms < table.c.received_ms - SECOND_MS)
    return or_(table.c.id <= newest_id, told)


def begin_ownership(connection: Connection, unit_id: str, person_id: int, now_ms: int) -> None:
    """Begin an ownership. The caller must have checked that the unit has no owner."""
    from_ms = _after_all_rows(connection, unit_id, now_ms)
    connection.execute(insert(ownerships), {"unit_id": unit_id, "person_id": person_id, "from_ms": from_ms})
    first_ms = func.coalesce(units.c.first_owned_ms, from_ms)
    connection.execute(
        update(units).where(units.c.id == unit_id).values(owned_from_ms=from_ms, first_owned_ms=first_ms)
    )


def begin_membership(connection: Connection, unit_id: str, person_id: int, now_ms: int) -> None:
    """Begin a membership: the person sees the unit from now on."""
    row = {"unit_id": unit_id, "person_id": person_id, "from_ms": _after_all_rows(connection, unit_id, now_ms)}
    connection.execute(insert(members), row)


def end_sights(connection: Connection, unit_id: str, now_ms: int) -> None:
    """End all installers' access to the unit."""
    lasting = (unit_installers.c.unit_id == unit_id, unit_installers.c.until_ms.is_(None))
    connection.execute(update(unit_installers).where(*lasting).values(until_ms=now_ms))


def end_ownership(connection: Connection, unit_id: str, now_ms: int) -> None:
    """End the ownership of a unit. Its name, time zone, currency, tariff, members, back-end, plan, OCPP frames, and the
    customers and photos of its jobs are deleted, and installers lose their access. All other rows stay the former
    owner's."""
    until_ms = _after_all_rows(connection, unit_id, now_ms)
    end_sights(connection, unit_id, until_ms)
    lasting = (ownerships.c.unit_id == unit_id, ownerships.c.until_ms.is_(None))
    ended = Ended(now_ms, _newest_ids(connection, unit_id), _stamps(connection, unit_id))
    values = {"until_ms": until_ms, "ended": json.dumps(ended._asdict())}
    connection.execute(update(ownerships).where(*lasting).values(values))
    for table in (tariffs, members, member_invitations, ocpp_frames, northbound):
        connection.execute(table.delete().where(table.c.unit_id == unit_id))
    remove_plan(connection, unit_id)
    forget_customers(connection, unit_id)
    forget_photos(connection, unit_id)
    first_ms = func.coalesce(units.c.first_until_ms, until_ms)
    nobodys = {
        "first_until_ms": first_ms,
        "owner_id": None,
        "claimed_ms": None,
        "name": "",
        "time_zone": DEFAULT_TIME_ZONE,
        "currency": None,
    }
    connection.execute(update(units).where(units.c.id == unit_id).values(owned_from_ms=until_ms, **nobodys))


def end_ownerships(connection: Connection, person_id: int) -> list[str]:
    """End all ownerships of a person who is to be removed, each after the unit's newest row. Return the unit ids."""
    theirs = list(connection.execute(select(units.c.id).where(units.c.owner_id == person_id)).scalars())
    for unit_id in theirs:
        end_ownership(connection, unit_id, 0)
    return theirs


_STAMPED = (  # the columns with the times at which a unit's rows were stored
    contacts.c.last_contact_ms,
    heartbeats.c.received_ms,
    events.c.received_ms,
    sessions.c.received_ms,
    results.c.received_ms,
    transitions.c.at_ms,
    duplicate_identities.c.last_ms,
    commands.c.given_ms,
    jobs.c.raised_ms,
    alerts.c.at_ms,
    rejected_messages.c.received_ms,
    power.c.received_ms,
    signal.c.received_ms,
    signal_5min.c.from_ms,
)
_NEWEST_STAMPS = select(  # built once, because building it takes as long as executing it
    *(
        func.coalesce(
            select(func.max(column))
            .where(column.table.c.unit_id == bindparam("unit_id"), in_chunks(column, None, None))
            .scalar_subquery(),
            -1,
        )
        for column in _STAMPED
    )
)


def _newest_ids(connection: Connection, unit_id: str) -> dict[str, int]:
    """Return the unit's newest id in each table with increasing ids."""
    return {
        table.name: connection.execute(select(func.max(table.c.id)).where(table.c.unit_id == unit_id)).scalar() or 0
        for table in HAPPENED
        if isinstance(table.c.get("id"), Column) and isinstance(table.c.id.type, Integer)
    }


def _stamps(connection: Connection, unit_id: str) -> dict[str, int | None]:
    stamps = ((table, HAPPENED[table].began_ms) for table in (contacts, heartbeats))
    return {
        table.name: connection.execute(select(at_ms).where(table.c.unit_id == unit_id)).scalar()
        for table, at_ms in stamps
    }


def _after_all_rows(connection: Connection, unit_id: str, now_ms: int) -> int:
    """Return the present time, or the time just after the newest row if a wrong clock has given it a later time."""
    known = connection.execute(_NEWEST_STAMPS, {"unit_id": unit_id}).one()
    before = connection.execute(select(units.c.owned_from_ms).where(units.c.id == unit_id)).scalar() or 0
    return max([now_ms, before, *(int(stamp) + 1 for stamp in known)])
