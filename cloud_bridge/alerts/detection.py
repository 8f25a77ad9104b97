"""Detects alerts in the store's records: new transitions, new events, hold-downs that end, and the signal of a day.

Rows are marked as processed in the transaction that queues their alerts (store/untold.py), so each is alerted once, even if
the process ends in between. kinds.py has the hold-downs.

A row that cannot be read, or whose alert the store refuses, is skipped but marked as processed, so one bad row does not stop
all alerts. `on_bad_row` is called with its error. Errors of the database itself are raised, and no row is then marked as
processed.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.alerts.done import IDLE_BELOW_W, NEWS_FOR_MS, Charged, charged, in_words
from cloud_bridge.alerts.kinds import (
    HOLD_MS,
    INCIDENT_WITHIN_MS,
    MAX_DETAIL,
    MAX_FAULTS,
    UNREAD_AFTER_MS,
    AlertKind,
    Happening,
    is_incident,
    words,
)
from cloud_bridge.alerts.services import Via
from cloud_bridge.contact import FUTURE_MS, Contact
from cloud_bridge.durations import DAY_MS, MINUTE_MS
from cloud_bridge.releases.roll_out_states import UnitState
from cloud_bridge.releases.stop_words import stop_words
from cloud_bridge.store import alerts, update_alerts
from cloud_bridge.store.data_errors import is_of_its_data
from cloud_bridge.store.idle_vehicles import idle_vehicles, owners_power
from cloud_bridge.store.push_browsers import browser_ids
from cloud_bridge.store.subscriptions import Subscription, subscriptions_by_kind
from cloud_bridge.store.troubles import heartbeats_with_trouble
from cloud_bridge.store.units import Protocol, count_units, protocol_of
from cloud_bridge.store.untold import queueing
from cloud_bridge.support.running_session import power_readings, running_session
from cloud_bridge.time_zones import span
from cloud_bridge.troubles import names_of
from cloud_bridge.values import PASS_ABOVE_CSQ
from cloud_bridge.vehicles import repository
from cloud_bridge.vehicles.repository import Vehicle
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _
from cloud_bridge.words.language import speaking

SAMPLES_A_DAY = 100  # fewer heartbeats are no evidence about a whole day
HELD_BY_DETAIL = (  # Kinds for which an alert with another detail is news.
    AlertKind.FAULT,
    AlertKind.TROUBLE,
    AlertKind.DONE,
    AlertKind.VEHICLE_LOST,
    AlertKind.MONTHLY_REPORT,
)
NEW_JOB_BY = ("raised", "asked")  # moves (store/job_states.py)
MAX_WAITING = 100  # most unsent alerts of one account; further ones are given up at once
TOO_MANY = N_("too many were waiting to be sent")
SETTLED_MS = 60_000  # after a hold-down: messages received before its end are committed by then
HEARD_WITHIN_MS = 15 * MINUTE_MS  # of an idle vehicle's unit: readings of a silent unit are out of date
UPDATE_WORDS = {  # Texts before and after an update; other states are not alerted.
    UnitState.TAKEN: N_(
        "its firmware is being updated to {version}. It loads while no vehicle charges; there is nothing to do."
    ),
    UnitState.GOOD: N_("its firmware was updated to {version}."),
    UnitState.ROLLED_BACK: N_(
        "the update to {version} did not run well, so it went back by itself. It charges as before."
    ),
    UnitState.CORRUPT: N_(
        "it has found that its firmware was not what we have signed. Your dashboard says what that means."
    ),
}
READINGS_MS = 2 * DAY_MS  # how long power readings are retained (store/upkeep.py)


OnBadRow = Callable[[Exception], object]
CostOf = Callable[[Connection, str, Charged], Callable[[], str] | None]  # gives the cost in words; None if unknown
LostInWords = Callable[[Vehicle, int], str]  # words of: a vehicle whose access is lost, the present time


class Queued(NamedTuple):
    """How many alerts were queued, and how many were given up at once because too many were waiting."""

    queued: int
    refused: int


def notice(connection: Connection, now_ms: int, on_bad_row: OnBadRow) -> Queued:
    """Queue what has happened since the last call, for everybody who subscribed to it."""
    queueing(connection)
    new = [
        *_transitions(connection, now_ms),
        *_events(connection, on_bad_row),
        *_duplicates(connection),
        *_job_moves(connection, on_bad_row),
        *_answers(connection, now_ms),
        *_updates(connection),
        *_stopped_roll_outs(connection, now_ms),
    ]
    return _queue(connection, [*new, *_still_there(connection, now_ms, on_bad_row)], on_bad_row)


def notice_weak_signal(connection: Connection, now_ms: int, on_bad_row: OnBadRow) -> Queued:
    """Queue the units whose mean signal was weak over the last day. Call it periodically."""
    queueing(connection)
    since_ms, until_ms = now_ms - DAY_MS, now_ms + FUTURE_MS
    weak = alerts.weak_signals(connection, since_ms, until_ms, PASS_ABOVE_CSQ, SAMPLES_A_DAY)
    happenings = [  # the readings are from the owner's time; a new member is alerted after a day of their own
        Happening(AlertKind.WEAK_SIGNAL, unit_id, now_ms, f"{mean:.0f}", now_ms, said_ms=since_ms)
        for unit_id, mean in weak
    ]
    return _queue(connection, happenings, on_bad_row)


def troubled(connection: Connection, now_ms: int) -> list[Happening]:
    """Return the troubles in the units' newest heartbeats of the last day. Call it periodically. Only reads."""
    return [
        Happening(AlertKind.TROUBLE, unit_id, now_ms, _fault_name(name), received_ms)
        for unit_id, received_ms, heartbeat in heartbeats_with_trouble(connection, now_ms - DAY_MS)
        for name in names_of(heartbeat)
    ]


def queue(connection: Connection, happenings: Sequence[Happening], on_bad_row: OnBadRow) -> Queued:
    """Queue what `troubled`, `charges_done` and `vehicles_lost` found."""
    queueing(connection)
    return _queue(connection, happenings, on_bad_row)


def charges_done(connection: Connection, now_ms: int, cost_of: CostOf) -> list[Happening]:
    """Return the vehicles that recently stopped drawing current. Call it periodically. Only reads."""
    found = []
    drew_since_ms = now_ms - NEWS_FOR_MS - HEARD_WITHIN_MS  # a heartbeat or two before it became idle
    for idle in idle_vehicles(connection, now_ms - HEARD_WITHIN_MS, IDLE_BELOW_W, drew_since_ms):
        unit_id = idle[0]
        rows = owners_power(connection, unit_id, now_ms - READINGS_MS, now_ms)
        running = running_session(power_readings(rows))
        charge = None if running is None else charged(running, now_ms)
        if running is not None and charge is not None:
            result = partial(in_words, charge, cost_of(connection, unit_id, charge))
            began_ms = running.from_ms
            found.append(Happening(AlertKind.DONE, unit_id, now_ms, str(began_ms), began_ms, result=result))
    return found


def vehicles_lost(connection: Connection, now_ms: int, lost_in_words: LostInWords) -> list[Happening]:
    """Return the vehicles whose access was lost, as long as an alert about that is held down. Call it periodically. Only
    reads."""
    since_ms = now_ms - HOLD_MS[AlertKind.VEHICLE_LOST] + 1
    return [
        Happening(
            AlertKind.VEHICLE_LOST,
            None,
            now_ms,
            str(vehicle.id),
            vehicle.link.since_ms,
            vehicle.person_id,
            partial(lost_in_words, vehicle, now_ms),
        )
        for vehicle in repository.lost(connection, since_ms, now_ms + FUTURE_MS)
    ]


def _transitions(connection: Connection, now_ms: int) -> Iterable[Happening]:
    rows = alerts.take_transitions(connection)
    if not rows:
        return
    fell = alerts.units_silent_between(connection, now_ms - INCIDENT_WITHIN_MS, now_ms + FUTURE_MS)
    if is_incident(fell, count_units(connection)):
        yield Happening(AlertKind.INCIDENT, None, now_ms, str(fell))
        rows = [row for row in rows if row.contact != Contact.SILENT.value]  # the incident covers all of them
    for row in rows:
        about = AlertKind.SILENT if row.contact == Contact.SILENT.value else AlertKind.BACK
        yield Happening(about, row.unit_id, row.at_ms, is_ocpp=_is_ocpp(connection, row.unit_id))


def _is_ocpp(connection: Connection, unit_id: str) -> bool:
    """Return True for an OCPP charger: its behaviour while silent is unknown."""
    return protocol_of(connection, unit_id) is Protocol.OCPP


def _events(connection: Connection, on_bad_row: OnBadRow) -> Iterable[Happening]:
    for row in alerts.take_events(connection):
        try:
            happening = _happening(row)
        except Exception as error:  # parsed from JSON that a unit wrote, perhaps for an older bridge
            on_bad_row(error)
            continue
        if happening is not None:
            yield happening


def _happening(row: alerts.NewEvent) -> Happening | None:
    details = _details(row.payload)
    if row.kind == "fault_raised":
        fault = _fault_name(details.get("fault"))
        return Happening(AlertKind.FAULT, row.unit_id, row.received_ms, fault, row.began_ms, said_ms=row.said_ms)
    if row.kind == "boot" and details.get("cause") == "brown_out":
        return Happening(AlertKind.BROWN_OUT, row.unit_id, row.received_ms, "", row.began_ms, said_ms=row.said_ms)
    return None


def _duplicates(connection: Connection) -> Iterable[Happening]:
    for row in alerts.take_duplicates(connection):
        yield Happening(AlertKind.DUPLICATE_IDENTITY, row.unit_id, row.last_ms)


def _job_moves(connection: Connection, on_bad_row: OnBadRow) -> Iterable[Happening]:
    """Return an alert for the job's present installer and one for the present owner about the planned visit. Of several moves
    of a job, only the newest counts."""
    newest: dict[tuple[AlertKind, int], Happening] = {}
    for row in alerts.take_job_moves(connection):
        try:
            happening = _of_move(row)
        except Exception as error:  # no version of the bridge has written this
            on_bad_row(error)
            continue
        if happening is not None:
            newest[happening.about, row.job_id] = happening
    yield from newest.values()


def _of_move(row: alerts.NewMove) -> Happening | None:
    if row.move in NEW_JOB_BY and row.is_open and row.installer_id is not None:
        return Happening(AlertKind.NEW_JOB, row.unit_id, row.at_ms, "", row.raised_ms, row.installer_id)
    if row.move_visit is not None and row.owner_id is not None:
        if row.visit is None:
            return Happening(AlertKind.VISIT, row.unit_id, row.at_ms, "", row.raised_ms, row.owner_id)
        planned = partial(span, *row.visit, row.time_zone)
        return Happening(AlertKind.VISIT, row.unit_id, row.at_ms, planned(), row.raised_ms, row.owner_id, planned)
    return None


def _updates(connection: Connection) -> Iterable[Happening]:
    for row in update_alerts.take_updates(connection):
        if (said := UPDATE_WORDS.get(row.state)) is not None:
            result = partial(_of_version, said, row.version)
            yield Happening(AlertKind.UPDATE, row.unit_id, row.state_ms, row.version, result=result)


def _of_version(said: str, version: str) -> str:
    return _(said).format(version=version)


def _stopped_roll_outs(connection: Connection, now_ms: int) -> Iterable[Happening]:
    for version, why in update_alerts.take_stopped(connection):
        yield Happening(AlertKind.ROLL_OUT_STOPPED, None, now_ms, version, result=partial(stop_words, why))


def _answers(connection: Connection, now_ms: int) -> Iterable[Happening]:
    """Return alerts about unread answers. They never contain the answer, because mail and push services can read them."""
    for row in alerts.take_answers(connection, now_ms - UNREAD_AFTER_MS, now_ms + FUTURE_MS):
        yield Happening(AlertKind.ANSWER, None, min(row.sent_ms, now_ms), person_id=row.person_id)


def _still_there(connection: Connection, now_ms: int, on_bad_row: OnBadRow) -> Iterable[Happening]:
    """Return the faults and silences that came back during a hold-down and still exist at its end."""
    for about, back_since in ((AlertKind.FAULT, _fault_back_since), (AlertKind.SILENT, _silence_back_since)):
        seen_id = 0
        for held in alerts.hold_downs(connection, about.value):
            ends_ms = held.at_ms + HOLD_MS[about] + SETTLED_MS
            if held.at_ms <= now_ms < ends_ms:  # a hold-down whose time is in the future has no effect
                break
            seen_id = held.id
            back, is_ocpp = None, False
            with _skipped_if_bad(connection, on_bad_row):
                back = back_since(connection, held.unit_id, held.detail, held.at_ms)
                is_ocpp = _is_ocpp(connection, held.unit_id)
            if back is not None:
                began_ms, said_ms = back
                yield Happening(about, held.unit_id, now_ms, held.detail, began_ms, said_ms=said_ms, is_ocpp=is_ocpp)
        if seen_id:
            alerts.hold_downs_ended(connection, about.value, seen_id)


class BackSince(NamedTuple):
    """Since when a condition exists again, with the fields of a Happening."""

    began_ms: int
    said_ms: int


def _fault_back_since(connection: Connection, unit_id: str, fault: str, since_ms: int) -> BackSince | None:
    """Return when the fault was raised again since then, if it is still set. The newest heartbeat is checked too, because a
    unit that restarts drops faults without an event."""
    for change in alerts.fault_changes(connection, unit_id, since_ms):
        if _fault_name(_details(change.payload).get("fault")) == fault:
            break
    else:
        return None
    back = BackSince(change.began_ms, change.said_ms) if change.kind == "fault_raised" else None
    heartbeat = alerts.newest_heartbeat(connection, unit_id)
    if heartbeat is None or heartbeat[0] <= change.received_ms:
        return back
    faults = json.loads(heartbeat[1]).get("f")
    return back if faults is None or fault in map(_fault_name, faults) else None


def _silence_back_since(connection: Connection, unit_id: str, _detail: str, since_ms: int) -> BackSince | None:
    """Return when the unit became silent again since then, if it is still silent."""
    silent_ms = alerts.silent_since(connection, unit_id)
    return BackSince(silent_ms, silent_ms) if silent_ms is not None and silent_ms > since_ms else None


def _details(payload: str) -> dict[str, Any]:
    """Return an event's details as the unit wrote them, which may be any JSON."""
    details: dict[str, Any] = json.loads(payload).get("d") or {}
    return details


def _fault_name(said: Any) -> str:
    """Return a fault's name that the store accepts, whatever the unit wrote, so that it cannot stop all alerts."""
    return said[:MAX_DETAIL] if isinstance(said, str) and said and said.isprintable() else "unknown"


def _queue(connection: Connection, happenings: Sequence[Happening], on_bad_row: OnBadRow) -> Queued:
    """Queue the happenings for everybody who subscribed to them."""
    subscriptions = subscriptions_by_kind(connection, on_bad_row) if happenings else {}
    wanted = [
        (happening, subscription)
        for happening in happenings
        for subscription in subscriptions.get(happening.about, ())
        if happening.person_id in (None, subscription.person.id)
    ]
    waiting = alerts.waiting_by_person(connection) if wanted else {}
    browsers = browser_ids(connection) if wanted else {}
    queued = refused = 0
    for happening, subscription in wanted:
        with _skipped_if_bad(connection, on_bad_row):
            alert = _alert(connection, happening, subscription)
            if alert is None:
                continue
            person_id = subscription.person.id
            for browser_id in browsers.get(person_id, []) if subscription.via is Via.BROWSER else [None]:
                has_room = waiting.get(person_id, 0) < MAX_WAITING
                row = alert | {"browser_id": browser_id}
                alerts.queue(connection, subscription.id, row, refused="" if has_room else TOO_MANY)
                waiting[person_id] = waiting.get(person_id, 0) + has_room
                queued += has_room
                refused += not has_room
    return Queued(queued, refused)


def _alert(connection: Connection, happening: Happening, subscription: Subscription) -> dict[str, Any] | None:
    """Return the row for the queue. Return None if the person may not know about the happening, or if it is held down."""
    unit_id = happening.unit_id
    began_ms = happening.at_ms if happening.began_ms is None else happening.began_ms
    said_ms = began_ms if happening.said_ms is None else happening.said_ms
    name = "" if unit_id is None else alerts.name_for(connection, subscription.person, unit_id, began_ms, said_ms)
    if name is None or _is_held_down(connection, subscription, happening):
        return None
    with speaking(subscription.person.language):
        said = words(happening, name)
    return {
        "unit_id": unit_id,
        "about": happening.about.value,
        "detail": happening.detail,
        "at_ms": happening.at_ms,
        "words": said,
    }


@contextmanager
def _skipped_if_bad(connection: Connection, on_bad_row: OnBadRow) -> Iterator[None]:
    """Roll back only this block if its row is bad. Raises SQLAlchemyError for errors of the database itself."""
    try:
        with connection.begin_nested():
            yield
    except Exception as error:
        if isinstance(error, SQLAlchemyError) and not is_of_its_data(error):
            raise
        on_bad_row(error)


def _is_held_down(connection: Connection, subscription: Subscription, happening: Happening) -> bool:
    if happening.about is AlertKind.BACK:
        return not _waits_for_return(connection, subscription, happening.unit_id)
    hold_ms = HOLD_MS[happening.about]
    before_ms = happening.at_ms + hold_ms  # later alerts come from a clock that was wrong
    details = alerts.details_between(
        connection, subscription.id, happening.unit_id, happening.about.value, happening.at_ms - hold_ms, before_ms
    )
    if happening.about in HELD_BY_DETAIL:
        return happening.detail in details or len(details) >= MAX_FAULTS
    return bool(details)


def _waits_for_return(connection: Connection, subscription: Subscription, unit_id: str | None) -> bool:
    """Return True if the person was alerted to a silence by any of their subscriptions, and not yet to the return by this
    one."""
    person_id, silent, back = subscription.person.id, AlertKind.SILENT.value, AlertKind.BACK.value
    silence_id = alerts.newest_alert_id_of_person(connection, person_id, unit_id, silent)
    return silence_id > alerts.newest_alert_id(connection, subscription.id, unit_id, back)
