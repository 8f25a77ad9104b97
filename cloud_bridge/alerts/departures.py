"""Looks at the plans for the next departure, and queues what their drivers are to be told of them.

What is told, and that it was told, is stored in one transaction with the alert, so each is told once, by however many
processes. What decides is pure: cloud_bridge/readiness.
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

HOURS_EVERY_MS = 15 * MINUTE_MS  # the unit's hours are read anew; they change a few times a year
AT_ONCE = 100  # plans of one transaction

InWords = Callable[[News, int, float, Outlook, str], str]  # of a departure, its target, in the site's time zone


class Hours(NamedTuple):
    """Of a unit, as it stores them; None: it has told of none."""

    text: str | None
    read_ms: int


class Seen(NamedTuple):
    """What a look at a plan has found."""

    watched: Watched
    outlook: Outlook
    news: News | None


class Look(NamedTuple):
    """At a plan. Without `seen`, whoever set it does not see the unit any more."""

    stored: StoredPlan
    hours: Hours
    seen: Seen | None


def look(connection: Connection, now_ms: int, on_bad_row: OnBadRow) -> list[Look]:
    """At all that are due. Only reads. A plan that cannot be judged is skipped."""
    found = []
    for one in due_plans(connection, now_ms):
        try:
            found.append(_look(connection, one, now_ms))
        except (BridgeError, ArithmeticError, TypeError, ValueError) as error:  # what no version of ours has written
            on_bad_row(error)
    return found


def some_at_once(looks: Sequence[Look]) -> Iterator[Sequence[Look]]:
    return (looks[at : at + AT_ONCE] for at in range(0, len(looks), AT_ONCE))


def store_looks(
    connection: Connection, looks: Sequence[Look], now_ms: int, in_words: InWords, on_bad_row: OnBadRow
) -> Queued:
    """Store them, and queue what is news. Of two that have looked at the same, the first one does so."""
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
