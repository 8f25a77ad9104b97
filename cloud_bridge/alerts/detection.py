"""From the store's own records to alerts that are due: new transitions, new events, hold-downs that end, a day's signal.

Everything is one transaction with the cursors, so what happened is alerted once, also when the process dies in between.
What is held down and for how long: kinds.py.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, select

from cloud_bridge.alerts.kinds import (
    HOLD_MS,
    INCIDENT_WITHIN_MS,
    MAX_DETAIL,
    MAX_FAULTS,
    AlertKind,
    Happening,
    is_incident,
    words,
)
from cloud_bridge.alerts.subscriptions import Subscription, subscriptions_by_kind
from cloud_bridge.contact import Contact
from cloud_bridge.durations import DAY_MS
from cloud_bridge.store.access import visible
from cloud_bridge.store.tables import (
    alert_cursors,
    alert_wishes,
    alerts,
    events,
    heartbeats,
    signal_5min,
    transitions,
    units,
)
from cloud_bridge.store.troubles import heartbeats_with_trouble
from cloud_bridge.store.upsert import replace
from cloud_bridge.troubles import names_of
from cloud_bridge.values import PASS_ABOVE_CSQ

SAMPLES_A_DAY = 100  # fewer heartbeats say nothing of a whole day
AT_ONCE = 1000
HELD_BY_DETAIL = (AlertKind.FAULT, AlertKind.TROUBLE)  # another one is news
SETTLED_MS = 60_000  # after a hold-down: what came in before its end is in the store by then


class Settled(NamedTuple):
    """Up to which ids the rows are complete: settled.py."""

    transitions: int
    events: int


def notice(connection: Connection, now_ms: int, settled: Settled) -> int:
    """Queue what has happened since the last look, for everybody who wants to be told. Returns how many were queued."""
    new = [*_transitions(connection, now_ms, settled.transitions), *_events(connection, settled.events)]
    return _tell(connection, [*new, *_still_there(connection, now_ms)])


def notice_weak_signal(connection: Connection, now_ms: int) -> int:
    """Queue the units whose signal was weak on average for the last day; to be asked now and then."""
    mean = func.sum(signal_5min.c.total) * 1.0 / func.sum(signal_5min.c.samples)
    query = (
        select(signal_5min.c.unit_id, mean)
        .where(signal_5min.c.from_ms >= now_ms - DAY_MS)
        .group_by(signal_5min.c.unit_id)
        .having(mean <= PASS_ABOVE_CSQ, func.sum(signal_5min.c.samples) >= SAMPLES_A_DAY)
    )
    weak = [Happening(AlertKind.WEAK_SIGNAL, row[0], now_ms, f"{row[1]:.0f}") for row in connection.execute(query)]
    return _tell(connection, weak)


def troubled(connection: Connection, now_ms: int) -> list[Happening]:
    """The troubles that the units' newest heartbeats, of the last day, report; to be asked now and then. Only reads."""
    return [
        Happening(AlertKind.TROUBLE, unit_id, now_ms, _fault_name(name))
        for unit_id, heartbeat in heartbeats_with_trouble(connection, now_ms - DAY_MS)
        for name in names_of(heartbeat)
    ]


def notice_trouble(connection: Connection, happenings: Sequence[Happening]) -> int:
    """Queue what `troubled` found."""
    return _tell(connection, happenings)


def _transitions(connection: Connection, now_ms: int, settled_id: int) -> Iterable[Happening]:
    rows = connection.execute(
        select(transitions)
        .where(transitions.c.id > _cursor(connection, "transitions"), transitions.c.id <= settled_id)
        .order_by(transitions.c.id)
        .limit(AT_ONCE)
    ).all()
    if not rows:
        return
    _move_cursor(connection, "transitions", rows[-1].id)
    fell = connection.execute(
        select(func.count(func.distinct(transitions.c.unit_id))).where(
            transitions.c.contact == Contact.SILENT.value, transitions.c.at_ms >= now_ms - INCIDENT_WITHIN_MS
        )
    ).scalar_one()
    if is_incident(fell, connection.execute(select(func.count()).select_from(units)).scalar_one()):
        yield Happening(AlertKind.INCIDENT, None, now_ms, str(fell))
        rows = [row for row in rows if row.contact != Contact.SILENT.value]  # the incident tells of all of them
    for row in rows:
        about = AlertKind.SILENT if row.contact == Contact.SILENT.value else AlertKind.BACK
        yield Happening(about, row.unit_id, row.at_ms)


def _events(connection: Connection, settled_id: int) -> Iterable[Happening]:
    rows = connection.execute(
        select(events.c.id, events.c.unit_id, events.c.received_ms, events.c.kind, events.c.payload)
        .where(events.c.id > _cursor(connection, "events"), events.c.id <= settled_id)
        .order_by(events.c.id)
        .limit(AT_ONCE)
    ).all()
    if rows:
        _move_cursor(connection, "events", rows[-1].id)
    for row in rows:
        details = _details(row.payload)
        if row.kind == "fault_raised":
            yield Happening(AlertKind.FAULT, row.unit_id, row.received_ms, _fault_name(details.get("fault")))
        elif row.kind == "boot" and details.get("cause") == "brown_out":
            yield Happening(AlertKind.BROWN_OUT, row.unit_id, row.received_ms)


def _still_there(connection: Connection, now_ms: int) -> Iterable[Happening]:
    """Faults and silences that came back while they were held down, and are there now that the hold-down has ended."""
    newer = alerts.alias()
    same = (newer.c[name] == alerts.c[name] for name in ("wish_id", "unit_id", "about", "detail"))
    is_newest = ~select(newer.c.id).where(*same, newer.c.id > alerts.c.id).exists()
    for about, is_back in ((AlertKind.FAULT, _fault_is_back), (AlertKind.SILENT, _silence_is_back)):
        cursor = f"{about} hold-downs"
        begun = select(alerts.c.id, alerts.c.unit_id, alerts.c.detail, alerts.c.at_ms).where(
            alerts.c.about == about.value, alerts.c.id > _cursor(connection, cursor), is_newest
        )
        seen_id = 0
        for row in connection.execute(begun.order_by(alerts.c.id).limit(AT_ONCE)).all():
            ends_ms = row.at_ms + HOLD_MS[about] + SETTLED_MS
            if row.at_ms <= now_ms < ends_ms:  # a stamp of the future holds nothing down
                break
            seen_id = row.id
            if is_back(connection, row.unit_id, row.detail, row.at_ms):
                yield Happening(about, row.unit_id, now_ms, row.detail)
        if seen_id:
            _move_cursor(connection, cursor, seen_id)


def _fault_is_back(connection: Connection, unit_id: str, fault: str, since_ms: int) -> bool:
    """Whether it was raised since then and is still set. A unit that restarts forgets faults without an event, so its
    newest heartbeat is asked too."""
    changes = (
        select(events.c.kind, events.c.received_ms, events.c.payload)
        .where(
            events.c.unit_id == unit_id,
            events.c.received_ms > since_ms,
            events.c.kind.in_(("fault_raised", "fault_cleared")),
        )
        .order_by(events.c.received_ms.desc(), events.c.id.desc())
        .limit(AT_ONCE)
    )
    for change in connection.execute(changes):
        if _fault_name(_details(change.payload).get("fault")) == fault:
            break
    else:
        return False
    query = select(heartbeats.c.received_ms, heartbeats.c.payload).where(heartbeats.c.unit_id == unit_id)
    heartbeat = connection.execute(query).one_or_none()
    if heartbeat is None or heartbeat.received_ms <= change.received_ms:
        return bool(change.kind == "fault_raised")
    faults = json.loads(heartbeat.payload).get("f")
    return change.kind == "fault_raised" and (faults is None or fault in map(_fault_name, faults))


def _silence_is_back(connection: Connection, unit_id: str, _detail: str, since_ms: int) -> bool:
    """Whether it fell silent since then and is still silent."""
    newest = select(transitions.c.contact, transitions.c.at_ms).where(transitions.c.unit_id == unit_id)
    row = connection.execute(newest.order_by(transitions.c.id.desc()).limit(1)).one_or_none()
    return row is not None and row.contact == Contact.SILENT.value and row.at_ms > since_ms


def _details(payload: str) -> dict[str, Any]:
    """Of an event, as the unit wrote them: any JSON may be in there."""
    details: dict[str, Any] = json.loads(payload).get("d") or {}
    return details


def _fault_name(said: Any) -> str:
    """A unit may write anything; what no store can keep must not stop everybody's alerts."""
    return said[:MAX_DETAIL] if isinstance(said, str) and said and said.isprintable() else "unknown"


def _tell(connection: Connection, happenings: Sequence[Happening]) -> int:
    """Queue them for those who subscribed to it; returns how many were queued."""
    subscriptions = subscriptions_by_kind(connection) if happenings else {}
    wished = [
        (happening, subscription) for happening in happenings for subscription in subscriptions.get(happening.about, ())
    ]
    told = 0
    for happening, subscription in wished:
        name = _name_for(connection, subscription, happening.unit_id)
        if name is not None and not _is_held_down(connection, subscription, happening):
            connection.execute(
                alerts.insert(),
                {
                    "wish_id": subscription.id,
                    "unit_id": happening.unit_id,
                    "about": happening.about.value,
                    "detail": happening.detail,
                    "at_ms": happening.at_ms,
                    "words": words(happening, name),
                    "due_ms": happening.at_ms,
                },
            )
            told += 1
    return told


def _name_for(connection: Connection, subscription: Subscription, unit_id: str | None) -> str | None:
    """What the unit is called; None if the person may not see it."""
    if unit_id is None:
        return ""
    query = select(units.c.name, units.c.id).where(units.c.id == unit_id, visible(subscription.person))
    row = connection.execute(query).one_or_none()
    return None if row is None else row.name or row.id


def _is_held_down(connection: Connection, subscription: Subscription, happening: Happening) -> bool:
    if happening.about is AlertKind.BACK:
        return not _waits_for_return(connection, subscription, happening.unit_id)
    hold_ms = HOLD_MS[happening.about]
    same = _alerted(happening.unit_id, happening.about).where(
        alerts.c.wish_id == subscription.id,
        alerts.c.at_ms > happening.at_ms - hold_ms,
        alerts.c.at_ms < happening.at_ms + hold_ms,  # later ones are of a clock that was wrong
    )
    details = list(connection.execute(same).scalars())
    if happening.about in HELD_BY_DETAIL:
        return happening.detail in details or len(details) >= MAX_FAULTS
    return bool(details)


def _waits_for_return(connection: Connection, subscription: Subscription, unit_id: str | None) -> bool:
    """Whether the person was alerted to a silence, by any of their subscriptions, and by this one to no return since."""
    silences = _alerted(unit_id, AlertKind.SILENT).join(alert_wishes, alert_wishes.c.id == alerts.c.wish_id)
    silence_id = _newest_id(connection, silences.where(alert_wishes.c.person_id == subscription.person.id))
    return silence_id > _newest_id(
        connection, _alerted(unit_id, AlertKind.BACK).where(alerts.c.wish_id == subscription.id)
    )


def _alerted(unit_id: str | None, about: AlertKind) -> Select[Any]:
    unit = alerts.c.unit_id == unit_id if unit_id is not None else alerts.c.unit_id.is_(None)
    return select(alerts.c.detail).where(unit, alerts.c.about == about.value)


def _newest_id(connection: Connection, query: Select[Any]) -> int:
    """0: none."""
    return connection.execute(query.with_only_columns(func.max(alerts.c.id))).scalar() or 0


def _cursor(connection: Connection, name: str) -> int:
    seen = connection.execute(select(alert_cursors.c.seen_id).where(alert_cursors.c.name == name)).scalar()
    return seen or 0


def _move_cursor(connection: Connection, name: str, seen_id: int) -> None:
    replace(connection, alert_cursors, [{"name": name, "seen_id": seen_id}])
