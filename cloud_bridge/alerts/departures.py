"""Looks at the plans for the next departure, and queues what their drivers are to be told of them.

What is told, and that it was told, is stored in one transaction with the alert, so each is told once, by however many
processes. What decides is pure: cloud_bridge/readiness.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from cloud_bridge.alerts.detection import OnBadRow, Queued, queue
from cloud_bridge.alerts.kinds import AlertKind, Happening
from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.errors import BridgeError
from cloud_bridge.readiness.facts import Watched
from cloud_bridge.readiness.hours_ahead import avoided
from cloud_bridge.readiness.outlook import Outlook, outlook
from cloud_bridge.readiness.telling import News, tell
from cloud_bridge.readiness.watching import follow
from cloud_bridge.store.ownership import household_period
from cloud_bridge.store.people import person_by_id
from cloud_bridge.store.ready_plans import StoredPlan, due_plans, store_hours, store_look
from cloud_bridge.store.schedules import schedule_in_force
from cloud_bridge.store.units import visible_unit
from cloud_bridge.web.presentation.hours import ALL_WEEK, stored

HOURS_EVERY_MS = 15 * MINUTE_MS  # the unit's hours are read anew; they change a few times a year
AT_ONCE = 100  # plans of one transaction

InWords = Callable[[News, int, float, Outlook, str], str]  # of a departure, its target, in the site's time zone


class Look(NamedTuple):
    """What was seen of a plan."""

    stored: StoredPlan
    hours: str | None
    watched: Watched
    found: Outlook
    news: News | None


def look(connection: Connection, now_ms: int, on_bad_row: OnBadRow) -> list[Look]:
    """At all that are due. Only reads. A plan that cannot be judged is skipped."""
    found = []
    for one in due_plans(connection, now_ms):
        try:
            found.append(_look(connection, one, now_ms))
        except (
            BridgeError,
            ValueError,
            OverflowError,
        ) as error:  # a number or a time that no version of ours has written
            on_bad_row(error)
    return found


def some_at_once(looks: Sequence[Look]) -> Iterator[Sequence[Look]]:
    return (looks[at : at + AT_ONCE] for at in range(0, len(looks), AT_ONCE))


def store_looks(
    connection: Connection, looks: Sequence[Look], now_ms: int, in_words: InWords, on_bad_row: OnBadRow
) -> Queued:
    """Store them, and queue what is news."""
    happenings = []
    for one in looks:
        stored_plan, news = one.stored, one.news
        if one.hours != stored_plan.hours or now_ms - stored_plan.hours_ms >= HOURS_EVERY_MS:
            store_hours(connection, stored_plan, one.hours, now_ms)
        if store_look(connection, stored_plan, one.watched, one.found, now_ms) and news is not None:
            plan = stored_plan.plan
            result = in_words(news, plan.ready_ms, plan.target_percent, one.found, stored_plan.time_zone)
            detail, person_id = f"{plan.ready_ms} {news}", stored_plan.person_id
            unit_id = stored_plan.unit_id
            happenings.append(Happening(AlertKind.NOT_READY, unit_id, now_ms, detail, None, person_id, result))
    return queue(connection, happenings, on_bad_row) if happenings else Queued(0, 0)


def _look(connection: Connection, one: StoredPlan, now_ms: int) -> Look:
    hours = one.hours
    if not 0 <= now_ms - one.hours_ms < HOURS_EVERY_MS:
        unit = visible_unit(connection, person_by_id(connection, one.person_id), one.unit_id)
        hours = None if unit is None else schedule_in_force(connection, household_period(unit.period))
    allowed = stored(hours)
    ahead = avoided(ALL_WEEK if allowed is None else allowed, now_ms, one.plan.ready_ms)
    facts = one.facts._replace(avoided=ahead)
    watched = follow(one.watched, facts, one.plan, now_ms)
    found = outlook(one.plan, watched, facts, now_ms)
    watched, news = tell(one.plan, watched, found, now_ms)
    return Look(one, hours, watched, found, news)
