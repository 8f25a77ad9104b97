"""Plans for the next departure, and what is remembered of each from one check to the next (cloud_bridge/readiness).

A unit has at most one, set by the member of its household who set one last. It is removed two days after its departure,
and when that person can no longer see the unit. Its alerts that are not sent yet are removed with it.
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

LOOK_EVERY_MS = 5 * MINUTE_MS  # if nothing has changed
FARTHEST_MS = 26 * HOUR_MS  # a plan is for the next such time of day: a later one was set by a wrong clock


class StoredPlan(NamedTuple):
    """A plan that is about to be checked."""

    unit_id: str
    person_id: int
    set_ms: int
    judged_ms: int  # when it was last checked
    plan: ReadyPlan
    hours: str | None
    hours_ms: int
    time_zone: str  # of the site
    watched: Watched
    facts: Facts  # without the hours


class ShownPlan(NamedTuple):
    """A plan with the verdict of the last check."""

    ready_ms: int
    target_percent: float
    outlook: Outlook | None  # None: not checked yet


def set_plan(
    connection: Connection,
    unit_id: str,
    person_id: int,
    vehicle_id: int,
    plan: ReadyPlan,
    hours: str | None,
    now_ms: int,
) -> None:
    """Set a plan in place of the previous one. If that one was still being watched for the same vehicle, what is known
    of the vehicle is kept."""
    columns = ready_plans.c
    same = (columns.unit_id == unit_id, columns.vehicle_id == vehicle_id, columns.ready_ms > now_ms)
    known = connection.execute(select(columns.watched).where(*same)).scalar()
    watched = Watched() if known is None else _watched(known)
    row = {"unit_id": unit_id, "person_id": person_id, "vehicle_id": vehicle_id, "set_ms": now_ms, "full_ms": None}
    of_look = {"judged_ms": 0, "watched": _written(anew(watched)), "verdict": None, "reason": None, "percent": None}
    replace(connection, ready_plans, [row | plan._asdict() | of_look | {"hours": hours, "hours_ms": now_ms}])
    _drop_unsent(connection, unit_id)


def remove_plan(connection: Connection, unit_id: str, person_id: int | None = None) -> None:
    """Remove the plan of a unit; only one set by that person, if a person is given."""
    theirs = () if person_id is None else (ready_plans.c.person_id == person_id,)
    connection.execute(delete(ready_plans).where(ready_plans.c.unit_id == unit_id, *theirs))
    _drop_unsent(connection, unit_id, person_id)


def plan_of(connection: Connection, unit_id: str, now_ms: int) -> ShownPlan | None:
    """The plan whose departure is still to come."""
    row = connection.execute(_TO_COME, {"unit": unit_id, "now_ms": now_ms}).one_or_none()
    if row is None:
        return None
    return ShownPlan(row.ready_ms, row.target_percent, _outlook(row))


_TO_COME = select(ready_plans).where(
    ready_plans.c.unit_id == bindparam("unit"), ready_plans.c.ready_ms > bindparam("now_ms")
)


def due_plans(connection: Connection, now_ms: int) -> list[StoredPlan]:
    """The plans for which something has changed since the last check, those not checked for five minutes, and those in
    their last period for an alert."""
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
                judged_ms > now_ms,  # checked by a wrong clock
                heartbeats.c.received_ms > judged_ms,
                vehicles.c.seen_ms > judged_ms,
                ready_plans.c.ready_ms.between(*last_call(now_ms)),
            ),
        )
    )
    return [_stored(row) for row in connection.execute(query.order_by(ready_plans.c.unit_id))]


def _others() -> ColumnElement[bool]:
    """Whether a member of the household has another vehicle."""
    other = vehicles.alias("other_vehicles")
    at_home = select(members.c.person_id).where(members.c.unit_id == ready_plans.c.unit_id)
    is_theirs = or_(other.c.person_id == units.c.owner_id, other.c.person_id.in_(at_home.correlate(ready_plans)))
    return exists().where(other.c.id != ready_plans.c.vehicle_id, is_theirs).correlate(ready_plans, units)


def store_look(connection: Connection, stored: StoredPlan, watched: Watched, found: Outlook, now_ms: int) -> bool:
    """Store the result of a check. False: the plan was set again meanwhile, or another process has checked it; then
    nothing is changed."""
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
    """Store the hours that the unit has now."""
    values = {"hours": hours, "hours_ms": now_ms}
    connection.execute(update(ready_plans).where(ready_plans.c.unit_id == stored.unit_id).values(values))


def _drop_unsent(connection: Connection, unit_id: str, person_id: int | None = None) -> None:
    """Remove the unsent alerts of a plan that is no longer valid."""
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
    except ValueError:  # written by a newer version
        return None


def _written(watched: Watched) -> str:
    """Only the values that differ from the initial ones, as JSON."""
    at_first = Watched()._asdict()
    return json.dumps({name: value for name, value in watched._asdict().items() if value != at_first[name]})


def _watched(text: str) -> Watched:
    """Read the stored values. If another version of the bridge has written them, the initial values are returned."""
    try:
        return Watched(**json.loads(text))
    except (ValueError, TypeError):
        return Watched()
