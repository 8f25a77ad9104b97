"""Writes a batch of messages into the tables, in one transaction, which the caller owns."""

from collections.abc import Iterator, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    or_,
    select,
    update,
)

from cloud_bridge.clock import Step
from cloud_bridge.contact import FUTURE_MS, KEPT_STEPS, Gap, Listened, merged
from cloud_bridge.store.authorities import said_by
from cloud_bridge.store.commissioning import commissioned_in, record_commissionings
from cloud_bridge.store.duplicates import record_duplicates
from cloud_bridge.store.gaps import Found, find_gaps, locked_last_contacts, needs_question, paths_before, record_gaps
from cloud_bridge.store.inbound_message import CanaryMark, Doors, InboundMessage
from cloud_bridge.store.journal import insert_records, without_stored
from cloud_bridge.store.paths import listened_at, path_of
from cloud_bridge.store.roll_out_reports import record_reports, record_versions, reports_in, versions_in
from cloud_bridge.store.row_order import in_parts, lock_in_order
from cloud_bridge.store.tables import (
    clock_steps,
    contact_gaps,
    contacts,
    duplicate_identities,
    events,
    heartbeats,
    listening,
    listening_gaps,
    power,
    rejected_messages,
    results,
    sessions,
    signal,
    units,
)
from cloud_bridge.store.upsert import Insert, execute_each, execute_many, insert_into, replace
from cloud_bridge.wire import Heartbeat, Message, is_plugged

MAX_CSQ = 31  # larger values are the modem's "not known"
MAX_WATTS = 50_000  # twice the power of three phases of 32 A
MAX_OPERATOR = 16  # characters of the column; a PLMN has five or six digits
MAX_REASON = 200  # characters of the column
KEPT_REJECTED = 10_000  # messages; at most 4 kB each
ADOPTED_AT_ONCE = 10_000  # units in one transaction, at start


_COLUMNS: dict[str, tuple[Table, tuple[str, ...]]] = {  # journal kinds -> table and the columns read from the message
    "event": (events, ("boot", "sequence", "unit_time_s", "kind")),
    "session": (
        sessions,
        ("boot", "sequence", "unit_time_s", "started_s", "ended_s", "duration_s", "energy_wh", "reason"),
    ),
    "result": (results, ("boot", "sequence", "unit_time_s", "command", "ok", "reason")),
}


# The latest possible timestamp. A later one in the store is replaced: the clock was wrong when it was written.
_BELIEVABLE: ColumnElement[int] = bindparam("believable_ms", type_=BigInteger)
_EMPTY: ColumnElement[str] = literal_column("''")  # no parameters: the rows have none of these names
_ONE: ColumnElement[int] = literal_column("1")


@cache
def _add_contacts(dialect: str, doors: Doors = ()) -> Insert:
    """Insert or update contacts. The last contact only ever grows, whatever the order of the batches, unless the stored
    one is impossible; the counters are added up.

    A last contact after which a silence was noticed cannot be later than the beginning of that silence. If it is later
    than a present message, it was stamped by a clock that was ahead. Such a clock may even have written exactly the
    timestamp of a present message, which nevertheless ends the silence, so the two must be made to differ
    (transitions.py).

    In a cluster a message may be stored after a later one. How long its path had listened is then read from the store,
    and is kept with the contact that it belongs to (store/paths.py)."""
    statement = insert_into(dialect, contacts)
    if doors:
        statement = statement.values(shard=path_of(doors), listened_ms=listened_at(doors))
    new, old = statement.excluded, contacts.c
    newer = or_(
        new.last_contact_ms >= old.last_contact_ms,
        old.last_contact_ms > _BELIEVABLE,
        old.silent_ms.is_not(None),
    )
    return statement.on_conflict_do_update(
        index_elements=["unit_id"],
        set_={
            "last_contact_ms": case((newer, new.last_contact_ms), else_=old.last_contact_ms),
            "last_kind": case((newer, new.last_kind), else_=old.last_kind),
            "silent_ms": case((old.silent_ms == new.last_contact_ms, old.silent_ms - _ONE), else_=old.silent_ms),
            "operator": case((and_(newer, new.operator != _EMPTY), new.operator), else_=old.operator),
            **{
                name: case((newer, new[name]), else_=old[name]) if doors else new[name]
                for name in ("listened_ms", "latest_ms", "shard")
            },
            "messages": old.messages + new.messages,
            "bad_payloads": old.bad_payloads + new.bad_payloads,
        },
    )


_AT_MS: ColumnElement[int] = bindparam("at_ms", type_=BigInteger)
_ABOUT_ITSELF = (  # when the unit was first heard, and which authorities it trusts; null: not reported
    update(units)
    .where(units.c.id == bindparam("unit"))
    .values(
        first_contact_ms=case(
            (or_(units.c.first_contact_ms.is_(None), units.c.first_contact_ms > _AT_MS), _AT_MS),
            else_=units.c.first_contact_ms,
        ),
        authorities=func.coalesce(bindparam("said", type_=units.c.authorities.type), units.c.authorities),
    )
)


@cache
def _newest_heartbeats(dialect: str) -> Insert:
    statement = insert_into(dialect, heartbeats)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["unit_id"],
        set_={"received_ms": new.received_ms, "payload": new.payload},
        where=or_(new.received_ms >= heartbeats.c.received_ms, heartbeats.c.received_ms > _BELIEVABLE),
    )


@cache
def _new_signal(dialect: str) -> Insert:
    return insert_into(dialect, signal).on_conflict_do_nothing()


@cache
def _new_power(dialect: str) -> Insert:
    return insert_into(dialect, power).on_conflict_do_nothing()


def record(connection: Connection, messages: Sequence[InboundMessage], now_ms: int = 0) -> None:
    """Write a batch of messages that arrived in this order. Journal records that exist already are not changed
    (journal.py).

    `now_ms` is our present clock, which shows how long the messages have waited and which stored timestamps are
    impossible; if the timestamp of the newest message is later, that one is used. Rows are written in the order of unit
    id (row_order.py), those of one unit in the order of arrival, which in a cluster is that of their timestamps.
    """
    now_ms = max([now_ms, *(one.received_ms for one in messages[-1:])])
    believable_ms = now_ms + FUTURE_MS
    doors = messages[0].doors  # all messages of a process come by the same way
    messages = sorted(messages, key=attrgetter("unit_id", "received_ms") if doors else attrgetter("unit_id"))
    contact_of: dict[str, dict[str, Any]] = {}
    newest_heartbeats: dict[str, InboundMessage] = {}
    journal: dict[str, list[dict[str, Any]]] = {}
    delivered_again: dict[str, list[dict[str, Any]]] = {}
    power_rows: list[dict[str, Any]] = []
    signal_rows: list[dict[str, Any]] = []
    saying = [one for one in messages if one.message is not None]  # the others count only as a contact
    for inbound in messages:
        if inbound.late:
            if inbound.message is not None:
                journal.setdefault(inbound.kind, []).append(_journal_row(inbound, inbound.message))
            continue
        row = contact_of.get(inbound.unit_id)
        if row is None:
            row = contact_of[inbound.unit_id] = {
                "unit_id": inbound.unit_id,
                "last_contact_ms": 0,
                "messages": 0,
                "bad_payloads": 0,
                "operator": "",
                "believable_ms": believable_ms,
                **({"unit": inbound.unit_id} if doors else {"shard": inbound.shard}),
            }
        if not doors:
            row["listened_ms"], row["latest_ms"] = inbound.listened_ms, inbound.latest_ms
        if inbound.received_ms >= row["last_contact_ms"] or row["last_contact_ms"] > believable_ms:
            row["last_contact_ms"] = inbound.received_ms
            row["last_kind"] = inbound.kind
            if doors:
                row["stamp_ms"], row["latest_ms"] = inbound.stored_by_ms, inbound.latest_ms
        row["messages"] += 1
        row["bad_payloads"] += inbound.bad
        message = inbound.message
        if message is None:
            continue
        if isinstance(message, Heartbeat):
            if message.csq is not None and message.csq <= MAX_CSQ:
                signal_rows.append(_signal_row(inbound, message))
            if (power_row := _power_row(inbound, message)) is not None:
                power_rows.append(power_row)
            row["operator"] = (message.operator or row["operator"])[:MAX_OPERATOR]
            newest_heartbeats[inbound.unit_id] = inbound
        elif inbound.again and None in (message.boot, message.sequence):
            delivered_again.setdefault(inbound.kind, []).append(_journal_row(inbound, message))
        else:
            journal.setdefault(inbound.kind, []).append(_journal_row(inbound, message))
    found = _what_the_store_knows(connection, messages, list(contact_of), now_ms)
    dialect = connection.dialect.name
    add = execute_each if doors else execute_many
    add(connection, _add_contacts(dialect, doors), list(contact_of.values()))
    heartbeat_rows = [_heartbeat_row(one) | {"believable_ms": believable_ms} for one in newest_heartbeats.values()]
    execute_many(connection, _newest_heartbeats(dialect), heartbeat_rows)
    execute_many(connection, _new_signal(dialect), signal_rows)
    execute_many(connection, _new_power(dialect), power_rows)
    _record_about_itself(connection, found.first, said_by([(one.unit_id, one.message) for one in saying]))
    record_versions(connection, versions_in(saying))
    record_reports(connection, reports_in(saying))
    record_commissionings(connection, commissioned_in(saying))
    for kind, may_be_stored in delivered_again.items():
        journal.setdefault(kind, []).extend(without_stored(connection, _COLUMNS[kind][0], may_be_stored))
    for kind, (table, _) in _COLUMNS.items():
        if rows := journal.get(kind):
            insert_records(connection, table, sorted(rows, key=_number))
    record_gaps(connection, found)
    if duplicates := {one.unit_id: one.duplicate for one in messages if one.duplicate is not None}:
        record_duplicates(connection, duplicates, believable_ms)


def _what_the_store_knows(
    connection: Connection, messages: Sequence[InboundMessage], unit_ids: list[str], now_ms: int
) -> Found:
    """What the messages show together with the last contacts in the store, which is queried only if necessary."""
    heard = [one for one in messages if not one.late]
    if not needs_question(heard, now_ms):
        return Found([], [], {})
    found = find_gaps(heard, locked_last_contacts(connection, unit_ids, now_ms + FUTURE_MS))
    return found._replace(paths=paths_before(connection, found)) if found.gaps and messages[0].doors else found


def _record_about_itself(connection: Connection, first_ms: dict[str, int], said: dict[str, str]) -> None:
    rows = [
        {"unit": unit_id, "at_ms": first_ms.get(unit_id), "said": said.get(unit_id)}
        for unit_id in sorted(first_ms.keys() | said.keys())
    ]
    if rows:
        connection.execute(_ABOUT_ITSELF, rows)


def _number(row: dict[str, Any]) -> tuple[str, int, int]:
    """The order in which records are written, since the same records may be delivered to two processes."""
    return row["unit_id"], row["boot"] or 0, row["sequence"] or 0


def _heartbeat_row(inbound: InboundMessage) -> dict[str, Any]:
    return {"unit_id": inbound.unit_id, "received_ms": inbound.received_ms, "payload": inbound.payload.decode()}


def _signal_row(inbound: InboundMessage, heartbeat: Heartbeat) -> dict[str, Any]:
    return {
        "unit_id": inbound.unit_id,
        "received_ms": inbound.received_ms,
        "csq": heartbeat.csq,
        "operator": (heartbeat.operator or "")[:MAX_OPERATOR],
    }


def _power_row(inbound: InboundMessage, heartbeat: Heartbeat) -> dict[str, Any] | None:
    """The row of the power table. None if the heartbeat does not report the power, or one that no home charger can
    draw."""
    if heartbeat.state is None or heartbeat.watts is None or not 0 <= heartbeat.watts <= MAX_WATTS:
        return None
    return {
        "unit_id": inbound.unit_id,
        "received_ms": inbound.received_ms,
        "plugged": is_plugged(heartbeat),
        "watts": round(heartbeat.watts),
        "total_wh": heartbeat.total_wh,
    }


def _journal_row(inbound: InboundMessage, message: Message) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(message, name) for name in _COLUMNS[inbound.kind][1]}
    row["unit_id"] = inbound.unit_id
    row["received_ms"] = inbound.received_ms
    row["payload"] = inbound.payload.decode()
    return row


def reject(connection: Connection, inbound: InboundMessage, reason: str) -> None:
    """Keep the bytes of a message whose data the database refuses, so that they can be examined. The newest
    KEPT_REJECTED are kept."""
    row = {
        "unit_id": inbound.unit_id,
        "kind": inbound.kind,
        "received_ms": inbound.received_ms,
        "payload": inbound.payload,
        "reason": reason[:MAX_REASON],
    }
    newest = connection.execute(rejected_messages.insert().returning(rejected_messages.c.id), row).scalar_one()
    connection.execute(delete(rejected_messages).where(rejected_messages.c.id <= newest - KEPT_REJECTED))


class ClockSet(NamedTuple):
    """A step of our clock while we ran, or between two processes, in which case it was at least this large."""

    step: Step
    start_ms: int  # when this process started, by the clock before the step
    heard: Sequence[str]  # the units that it has heard since its start
    shard: int = 1


def record_clock_set(connection: Connection, done: ClockSet) -> None:
    """Store a clock step; the newest KEPT_STEPS are kept. The timestamps that this process has written are moved with
    the clock, so that they are as long ago as before: last contacts, newest heartbeats, the last sign of listening and,
    if the clock went back, the ends of gaps that began before this process."""
    at_ms, by_ms = done.step
    newest = connection.execute(clock_steps.insert().returning(clock_steps.c.id), done.step._asdict()).scalar_one()
    connection.execute(delete(clock_steps).where(clock_steps.c.id <= newest - KEPT_STEPS))
    for some in in_parts(sorted(done.heard)):
        lock_in_order(connection, contacts.c.unit_id, some)
        last_ms, silent_ms = contacts.c.last_contact_ms, contacts.c.silent_ms
        moved: dict[Any, Any] = {last_ms: last_ms + by_ms, silent_ms: silent_ms + by_ms}
        connection.execute(update(contacts).where(contacts.c.unit_id.in_(some)).values(moved))
        received_ms = heartbeats.c.received_ms + by_ms
        connection.execute(update(heartbeats).where(heartbeats.c.unit_id.in_(some)).values(received_ms=received_ms))
        found = duplicate_identities
        noticed = {found.c.since_ms: found.c.since_ms + by_ms, found.c.last_ms: found.c.last_ms + by_ms}
        connection.execute(update(found).where(found.c.unit_id.in_(some)).values(noticed))
    listened = update(listening).where(listening.c.id == done.shard, listening.c.until_ms >= done.start_ms)
    connection.execute(listened.values(until_ms=listening.c.until_ms + by_ms))
    if by_ms < 0:
        for gaps in (listening_gaps, contact_gaps):
            ends_here = gaps.c.to_ms.between(done.start_ms, at_ms - by_ms + FUTURE_MS)
            ended = update(gaps).where(ends_here, gaps.c.from_ms < done.start_ms)
            connection.execute(ended.values(to_ms=gaps.c.to_ms + by_ms))


def read_steps(connection: Connection) -> list[Step]:
    """The steps of our clock, in the order in which they happened."""
    query = select(clock_steps.c.at_ms, clock_steps.c.by_ms).order_by(clock_steps.c.id)
    return [Step(*row) for row in connection.execute(query)]


def record_listening(connection: Connection, mark: CanaryMark, gap: Gap | None) -> None:
    """Store that we listened when the mark was received, and the gap, if any, that ended with it."""
    row = {"until_ms": mark.received_ms, "listened_ms": mark.listened_ms, "latest_ms": mark.latest_ms}
    replace(connection, listening, [{"id": mark.shard, **row}])
    if gap is not None:  # written a second time if the previous commit succeeded but its answer was lost
        replace(connection, listening_gaps, [gap._asdict()])


_GAPS = select(listening_gaps.c.from_ms, listening_gaps.c.to_ms).order_by(listening_gaps.c.from_ms)
_LISTENED = select(listening.c.id, listening.c.until_ms, listening.c.listened_ms, listening.c.latest_ms)


def read_gaps(connection: Connection) -> list[Gap]:
    """The gaps of all shards, oldest first and not overlapping."""
    return merged(Gap(*row) for row in connection.execute(_GAPS))


def read_listened(connection: Connection) -> dict[int, Listened]:
    """What each shard has stored about its listening."""
    return {shard: Listened(*row) for shard, *row in connection.execute(_LISTENED)}


_HEARD_BY_OTHERS = select(contacts.c.unit_id).where(contacts.c.shard != bindparam("ours"))


def heard_by_others(connection: Connection, shard: int) -> Iterator[Sequence[str]]:
    """The units that were last heard by another shard, in groups: there may be a million. This reads the whole
    table."""
    found = connection.execution_options(yield_per=ADOPTED_AT_ONCE).execute(_HEARD_BY_OTHERS, {"ours": shard})
    return found.scalars().partitions()


def adopt(connection: Connection, unit_ids: Sequence[str], shard: int, listened_ms: int) -> None:
    """Note that these units now belong to this shard. They were last heard by another shard, whose count of listened
    time differs, so the time until they count as silent starts anew."""
    for some in in_parts(sorted(unit_ids)):
        lock_in_order(connection, contacts.c.unit_id, some)
        theirs = contacts.c.unit_id.in_(some)
        connection.execute(update(contacts).where(theirs).values(shard=shard, listened_ms=listened_ms))
