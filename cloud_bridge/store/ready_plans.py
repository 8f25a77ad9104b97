"""Plans for the next departure, and what is remembered of each from look to look (cloud_bridge/readiness).

A unit has one at most, of whoever of its household set it last. It is gone two days after its departure, and when that person
sees the unit no more. What was to be told of it, and is not sent yet, goes with it.
"""

import json
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, exists, or_, select, update

from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.readiness.facts import Car, Facts, ReadyPlan, Watched
from cloud_bridge.readiness.outlook import Outlook, Verdict, last_call
from cloud_bridge.readiness.reasons import Reason
from cloud_bridge.readiness.telling import anew
from cloud_bridge.store.tables import alert_wishes, alerts, contacts, heartbeats, members, units
from cloud_bridge.store.upsert import replace
from cloud_bridge.store.vehicle_tables import ready_plans, vehicles
from cloud_bridge.wire import BadPayload, Heartbeat, decode

LOOK_EVERY_MS = 5 * MINUTE_MS  # where nothing has changed
FARTHEST_MS = 26 * HOUR_MS  # a plan is for the next such time of day: what is later was set by a clock that was wrong


class StoredPlan(NamedTuple):
    """A plan at which somebody is about to look."""

    unit_id: str
    person_id: int
    set_ms: int
    judged_ms: int  # of the last look
    plan: ReadyPlan
    hours: str | None
    hours_ms: int
    time_zone: str  # of the site
    watched: Watched
    facts: Facts  # without the hours


class ShownPlan(NamedTuple):
    """A plan with the verdict of the last look."""

    ready_ms: int
    target_percent: float
    outlook: Outlook | None  # None: nobody has looked


def set_plan(
    connection: Connection,
    unit_id: str,
    person_id: int,
    vehicle_id: int,
    plan: ReadyPlan,
    hours: str | None,
    now_ms: int,
) -> None:
    """Instead of the one that was there. While that is watched, what is known of the same vehicle is kept."""
    columns = ready_plans.c
    same = (columns.unit_id == unit_id, columns.vehicle_id == vehicle_id, columns.ready_ms > now_ms)
    known = connection.execute(select(columns.watched).where(*same)).scalar()
    watched = Watched() if known is None else _watched(known)
    row = {"unit_id": unit_id, "person_id": person_id, "vehicle_id": vehicle_id, "set_ms": now_ms, "full_ms": None}
    of_look = {"judged_ms": 0, "watched": _written(anew(watched)), "verdict": None, "reason": None, "percent": None}
    replace(connection, ready_plans, [row | plan._asdict() | of_look | {"hours": hours, "hours_ms": now_ms}])
    _drop_unsent(connection, unit_id)


def remove_plan(connection: Connection, unit_id: str, person_id: int | None = None) -> None:
    """Of that person alone, where one is given."""
    theirs = () if person_id is None else (ready_plans.c.person_id == person_id,)
    connection.execute(delete(ready_plans).where(ready_plans.c.unit_id == unit_id, *theirs))
    _drop_unsent(connection, unit_id, person_id)


def plan_of(connection: Connection, unit_id: str, now_ms: int) -> ShownPlan | None:
    """The one whose departure is yet to come."""
    row = connection.execute(_TO_COME, {"unit": unit_id, "now_ms": now_ms}).one_or_none()
    if row is None:
        return None
    return ShownPlan(row.ready_ms, row.target_percent, _outlook(row))


_TO_COME = select(ready_plans).where(
    ready_plans.c.unit_id == bindparam("unit"), ready_plans.c.ready_ms > bindparam("now_ms")
)


def due_plans(connection: Connection, now_ms: int) -> list[StoredPlan]:
    """Those of which something has changed since the last look, or at which nobody has looked for five minutes; and those
    that have to be told of now or never."""
    judged_ms = ready_plans.c.judged_ms
    query = (
        select(
            ready_plans,
            units.c.time_zone,
            heartbeats.c.received_ms,
            heartbeats.c.payload,
            contacts.c.silent_ms,
            vehicles.c.seen_ms,
            vehicles.c.battery_percent,
            vehicles.c.charging,
            vehicles.c.plugged_in,
            _others().label("has_others"),
        )
        .join(units, units.c.id == ready_plans.c.unit_id)
        .join(vehicles, vehicles.c.id == ready_plans.c.vehicle_id)
        .outerjoin(heartbeats, heartbeats.c.unit_id == ready_plans.c.unit_id)
        .outerjoin(contacts, contacts.c.unit_id == ready_plans.c.unit_id)
        .where(
            ready_plans.c.ready_ms.between(now_ms + 1, now_ms + FARTHEST_MS),
            or_(
                judged_ms <= now_ms - LOOK_EVERY_MS,
                judged_ms > now_ms,  # by a clock that was wrong
                heartbeats.c.received_ms > judged_ms,
                vehicles.c.seen_ms > judged_ms,
                ready_plans.c.ready_ms.between(*last_call(now_ms)),
            ),
        )
    )
    return [_stored(row) for row in connection.execute(query.order_by(ready_plans.c.unit_id))]


def _others() -> ColumnElement[bool]:
    """Whether somebody of the household has another vehicle."""
    other = vehicles.alias("other_vehicles")
    at_home = select(members.c.person_id).where(members.c.unit_id == ready_plans.c.unit_id)
    is_theirs = or_(other.c.person_id == units.c.owner_id, other.c.person_id.in_(at_home.correlate(ready_plans)))
    return exists().where(other.c.id != ready_plans.c.vehicle_id, is_theirs).correlate(ready_plans, units)


def store_look(connection: Connection, stored: StoredPlan, watched: Watched, found: Outlook, now_ms: int) -> bool:
    """What was seen. False: the plan was set anew meanwhile, or another process has looked; then nothing is changed."""
    same = (
        ready_plans.c.unit_id == stored.unit_id,
        ready_plans.c.set_ms == stored.set_ms,
        ready_plans.c.judged_ms == stored.judged_ms,
    )
    of_look = {
        "verdict": found.verdict.value,
        "reason": found.reason,
        "percent": found.percent,
        "full_ms": found.full_ms,
    }
    values = of_look | {"judged_ms": now_ms, "watched": _written(watched)}
    return connection.execute(update(ready_plans).where(*same).values(values)).rowcount == 1


def store_hours(connection: Connection, stored: StoredPlan, hours: str | None, now_ms: int) -> None:
    """As the unit has them now."""
    values = {"hours": hours, "hours_ms": now_ms}
    connection.execute(update(ready_plans).where(ready_plans.c.unit_id == stored.unit_id).values(values))


def _drop_unsent(connection: Connection, unit_id: str, person_id: int | None = None) -> None:
    """What waits to be sent of a plan that holds no more."""
    unsent = (alerts.c.unit_id == unit_id, alerts.c.about == AlertKind.NOT_READY.value, alerts.c.due_ms.is_not(None))
    wishes = select(alert_wishes.c.id).where(alert_wishes.c.person_id == person_id)
    theirs = () if person_id is None else (alerts.c.wish_id.in_(wishes),)
    connection.execute(delete(alerts).where(*unsent, *theirs))


def _stored(row: Row[Any]) -> StoredPlan:
    heartbeat = None if row.payload is None else _heartbeat(row.payload)
    car = None if row.seen_ms is None else Car(row.seen_ms, row.battery_percent, row.charging, row.plugged_in)
    heard_ms = None if heartbeat is None else row.received_ms
    facts = Facts(heartbeat, heard_ms, row.silent_ms is not None, car, has_others=row.has_others)
    plan = ReadyPlan(row.ready_ms, row.begin_ms, row.target_percent, row.capacity_kwh, row.power_w)
    of_unit = (row.hours, row.hours_ms, row.time_zone)
    times = (row.set_ms, row.judged_ms)
    return StoredPlan(row.unit_id, row.person_id, *times, plan, *of_unit, _watched(row.watched), facts)


def _heartbeat(payload: str) -> Heartbeat | None:
    try:
        message = decode("heartbeat", payload.encode())
    except BadPayload:  # written by another version of the bridge
        return None
    return message if isinstance(message, Heartbeat) else None


def _outlook(row: Row[Any]) -> Outlook | None:
    try:
        reason = None if row.reason is None else Reason(row.reason)
        return None if row.verdict is None else Outlook(Verdict(row.verdict), reason, row.percent, row.full_ms)
    except ValueError:  # of a newer version
        return None


def _written(watched: Watched) -> str:
    """Only what is not as at first."""
    at_first = Watched()._asdict()
    return json.dumps({name: value for name, value in watched._asdict().items() if value != at_first[name]})


def _watched(text: str) -> Watched:
    """As it was at first, where another version of the bridge has written it."""
    try:
        return Watched(**json.loads(text))
    except (ValueError, TypeError):
        return Watched()
