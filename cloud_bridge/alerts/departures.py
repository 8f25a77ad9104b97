"""Checks the plans for the next departure, and queues alerts for their drivers.

What was alerted is stored in the transaction that queues the alert. Each alert is therefore sent once, however many processes
there are. The decisions are pure: cloud_bridge/readiness.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from cloud_bridge.alerts.detection import OnBadRow, Queued, queue
from cloud_bridge.alerts.kinds import AlertKind, Happening
from cloud_bridge.charging_hours import ALL_WEEK, stored
from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.errors import BridgeError
from cloud_bridge.readiness.facts import Watched
from cloud_bridge.readiness.following import follow
from cloud_bridge.readiness.hours_ahead import avoided
from cloud_bridge.readiness.outlook import Outlook, outlook
from cloud_bridge.readiness.telling import News, tell
from cloud_bridge.store.ownership import household_period
from cloud_bridge.store.people import person_by_id
from cloud_bridge.store.ready_plans import StoredPlan, due_plans, remove_plan, store_hours, store_look
from cloud_bridge.store.schedules import schedule_in_force
from cloud_bridge.store.units import visible_unit

HOURS_EVERY_MS = 15 * MINUTE_MS  # interval at which the unit's hours are read again; they change a few times a year
AT_ONCE = 100  # plans in one transaction

InWords = Callable[[News, int, float, Outlook, str], str]  # of news, departure, target, outlook and site's time zone


class Hours(NamedTuple):
    """The charging hours of a unit, in its format. `text` is None if it has reported none."""

    text: str | None
    read_ms: int


class Seen(NamedTuple):
    """The result of checking a plan."""

    watched: Watched
    outlook: Outlook
    news: News | None


class Look(NamedTuple):
    """A check of a plan. `seen` is None if the person who set the plan no longer sees the unit."""

    stored: StoredPlan
    hours: Hours
    seen: Seen | None


def look(connection: Connection, now_ms: int, on_bad_row: OnBadRow) -> list[Look]:
    """Check all plans that are due. Only reads. A plan that cannot be evaluated is skipped."""
    found = []
    for one in due_plans(connection, now_ms):
        try:
            found.append(_look(connection, one, now_ms))
        except (
            BridgeError,
            ArithmeticError,
            TypeError,
            ValueError,
        ) as error:  # no version of the bridge has written this
            on_bad_row(error)
    return found


def some_at_once(looks: Sequence[Look]) -> Iterator[Sequence[Look]]:
    return (looks[at : at + AT_ONCE] for at in range(0, len(looks), AT_ONCE))


def store_looks(
    connection: Connection, looks: Sequence[Look], now_ms: int, in_words: InWords, on_bad_row: OnBadRow
) -> Queued:
    """Store the checks, and queue the alerts. If two processes have checked the same plan, only the first one's check is
    stored."""
    happenings = []
    for one in looks:
        if one.seen is None:
            remove_plan(connection, one.stored.unit_id, one.stored.person_id)
        elif store_look(connection, one.stored, one.seen.watched, one.seen.outlook, now_ms):
            if one.hours.read_ms != one.stored.hours_ms:
                store_hours(connection, one.stored, *one.hours)
            if one.seen.news is not None:
                happenings.append(_happening(one.stored, one.seen.news, one.seen.outlook, now_ms, in_words))
    return queue(connection, happenings, on_bad_row) if happenings else Queued(0, 0)


def _look(connection: Connection, one: StoredPlan, now_ms: int) -> Look:
    hours = Hours(one.hours, one.hours_ms)
    if not 0 <= now_ms - one.hours_ms < HOURS_EVERY_MS:
        unit = visible_unit(connection, person_by_id(connection, one.person_id), one.unit_id)
        if unit is None:
            return Look(one, hours, None)
        hours = Hours(schedule_in_force(connection, household_period(unit.period)), now_ms)
    allowed = stored(hours.text)
    ahead = avoided(ALL_WEEK if allowed is None else allowed, now_ms, one.plan.ready_ms)
    facts = one.facts._replace(avoided=ahead)
    watched = follow(one.watched, facts, one.plan, now_ms)
    found = outlook(one.plan, watched, facts, now_ms)
    watched, news = tell(one.plan, watched, found, now_ms)
    return Look(one, hours, Seen(watched, found, news))


def _happening(one: StoredPlan, news: News, found: Outlook, now_ms: int, in_words: InWords) -> Happening:
    result = partial(in_words, news, one.plan.ready_ms, one.plan.target_percent, found, one.time_zone)
    detail = f"{one.plan.ready_ms} {news}"
    return Happening(AlertKind.NOT_READY, one.unit_id, now_ms, detail, person_id=one.person_id, result=result)
