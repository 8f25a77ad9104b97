"""From the store's own records to alerts that are due: new transitions, new events, and a day's signal.

Everything is one transaction with the cursor, so what happened is told once, also when the process dies in between.
"""

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, func, select

from cloud_bridge.alerts.about import DAY_MS, HOLD_MS, INCIDENT_WITHIN_MS, About, Happening, is_incident, words
from cloud_bridge.alerts.wishes import Wish, wishes_by_about
from cloud_bridge.contact import Contact
from cloud_bridge.store.access import visible
from cloud_bridge.store.tables import alert_cursors, alert_wishes, alerts, events, signal_5min, transitions, units
from cloud_bridge.store.upsert import replace

GOOD_CSQ = 14  # an installation passes with a CSQ greater than this
SAMPLES_A_DAY = 100  # fewer heartbeats say nothing of a whole day
AT_ONCE = 1000


def notice(connection: Connection, now_ms: int) -> int:
    """Queue what has happened since the last look, for everybody who wants to be told. Returns how many were queued."""
    return _tell(connection, [*_transitions(connection, now_ms), *_events(connection)])


def notice_weak_signal(connection: Connection, now_ms: int) -> int:
    """Queue the units whose signal was weak on average for the last day; to be asked now and then."""
    mean = func.sum(signal_5min.c.total) * 1.0 / func.sum(signal_5min.c.samples)
    query = (
        select(signal_5min.c.unit_id, mean)
        .where(signal_5min.c.from_ms >= now_ms - DAY_MS)
        .group_by(signal_5min.c.unit_id)
        .having(mean <= GOOD_CSQ, func.sum(signal_5min.c.samples) >= SAMPLES_A_DAY)
    )
    weak = [Happening(About.WEAK_SIGNAL, row[0], now_ms, f"{row[1]:.0f}") for row in connection.execute(query)]
    return _tell(connection, weak)


def _transitions(connection: Connection, now_ms: int) -> Iterable[Happening]:
    rows = connection.execute(
        select(transitions)
        .where(transitions.c.id > _cursor(connection, "transitions"))
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
        yield Happening(About.INCIDENT, None, now_ms, str(fell))
        rows = [row for row in rows if row.contact != Contact.SILENT.value]  # the incident tells of all of them
    for row in rows:
        about = About.SILENT if row.contact == Contact.SILENT.value else About.BACK
        yield Happening(about, row.unit_id, row.at_ms)


def _events(connection: Connection) -> Iterable[Happening]:
    rows = connection.execute(
        select(events.c.id, events.c.unit_id, events.c.received_ms, events.c.kind, events.c.payload)
        .where(events.c.id > _cursor(connection, "events"))
        .order_by(events.c.id)
        .limit(AT_ONCE)
    ).all()
    if rows:
        _move_cursor(connection, "events", rows[-1].id)
    for row in rows:
        details = json.loads(row.payload).get("d") or {}
        if row.kind == "fault_raised":
            yield Happening(About.FAULT, row.unit_id, row.received_ms, str(details.get("fault", "unknown"))[:40])
        elif row.kind == "boot" and details.get("cause") == "brown_out":
            yield Happening(About.BROWN_OUT, row.unit_id, row.received_ms)


def _tell(connection: Connection, happenings: Sequence[Happening]) -> int:
    """Queue them for those who wish it; returns how many were queued."""
    wishes = wishes_by_about(connection) if happenings else {}
    wished = [(happening, wish) for happening in happenings for wish in wishes.get(happening.about, ())]
    told = 0
    for happening, wish in wished:
        name = _name_for(connection, wish, happening.unit_id)
        if name is not None and not _is_held_down(connection, wish, happening):
            connection.execute(
                alerts.insert(),
                {
                    "wish_id": wish.id,
                    "unit_id": happening.unit_id,
                    "about": happening.about.value,
                    "at_ms": happening.at_ms,
                    "words": words(happening, name),
                    "due_ms": happening.at_ms,
                },
            )
            told += 1
    return told


def _name_for(connection: Connection, wish: Wish, unit_id: str | None) -> str | None:
    """What the unit is called; None if the person may not see it."""
    if unit_id is None:
        return ""
    query = select(units.c.name, units.c.id).where(units.c.id == unit_id, visible(wish.person))
    row = connection.execute(query).one_or_none()
    return None if row is None else row.name or row.id


def _is_held_down(connection: Connection, wish: Wish, happening: Happening) -> bool:
    if happening.about is About.BACK:  # of the same person's wishes: was the silence told, and no return since?
        last = _last(connection, happening.unit_id, wish.person.id, (About.SILENT, About.BACK))
        return last is None or last[0] is not About.SILENT
    last = _last(connection, happening.unit_id, wish.person.id, (happening.about,), wish.id)
    return last is not None and happening.at_ms - last[1] < HOLD_MS[happening.about]


def _last(
    connection: Connection,
    unit_id: str | None,
    person_id: int,
    abouts: tuple[About, ...],
    wish_id: int | None = None,
) -> tuple[About, int] | None:
    query = (
        select(alerts.c.about, alerts.c.at_ms)
        .join(alert_wishes, alert_wishes.c.id == alerts.c.wish_id)
        .where(
            alerts.c.unit_id == unit_id if unit_id is not None else alerts.c.unit_id.is_(None),
            alert_wishes.c.person_id == person_id,
            alerts.c.about.in_([about.value for about in abouts]),
        )
        .order_by(alerts.c.id.desc())
        .limit(1)
    )
    if wish_id is not None:
        query = query.where(alerts.c.wish_id == wish_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else (About(row.about), row.at_ms)


def _cursor(connection: Connection, name: str) -> int:
    seen = connection.execute(select(alert_cursors.c.seen_id).where(alert_cursors.c.name == name)).scalar()
    return seen or 0


def _move_cursor(connection: Connection, name: str, seen_id: int) -> None:
    replace(connection, alert_cursors, [{"name": name, "seen_id": seen_id}])
