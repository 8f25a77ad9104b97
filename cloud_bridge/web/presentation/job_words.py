"""How a job stands, in words: for the installer and support, and plainer for the driver. Pure."""

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from cloud_bridge.durations import DAY_MS
from cloud_bridge.store.job_states import JobState, Move
from cloud_bridge.store.job_timeline import JobEvent
from cloud_bridge.store.jobs import Job
from cloud_bridge.store.ownership import DEFAULT_TIME_ZONE
from cloud_bridge.time_zones import local_time, span
from cloud_bridge.web.presentation.words import Glance, day_and_time
from cloud_bridge.words import formats

NEWS_FOR_MS = 7 * DAY_MS  # as long as that a job has ended is news

GLANCES = {
    JobState.RAISED: Glance("unsure", "New"),
    JobState.ACCEPTED: Glance("unsure", "Accepted"),
    JobState.PLANNED: Glance("good", "Planned"),
    JobState.ON_SITE: Glance("good", "On site"),
    JobState.FITTED: Glance("good", "Boost fitted"),
    JobState.GIVEN_BACK: Glance("bad", "Given back"),
    JobState.DONE: Glance("good", "Done"),
    JobState.CANCELLED: Glance("unsure", "Cancelled"),
}
AT_WORK = (JobState.ON_SITE, JobState.FITTED)
ENDED = Glance("unsure", "Ended")  # open, and its installer does not see the charger any more

MOVED = {
    Move.RAISE: "Raised",
    Move.ACCEPT: "Accepted",
    Move.PLAN: "Visit planned",
    Move.ARRIVE: "Arrived",
    Move.MEASURE: "Signal measured, before the work",
    Move.FIT: "Boost fitted",
    Move.FINISH: "Done",
    Move.GIVE_BACK: "Given back to support",
    Move.ASK: "Installer asked",
    Move.CANCEL: "Cancelled",
}
TOLD_DRIVER = {
    Move.RAISE: "We have asked your installer.",
    Move.ACCEPT: "Your installer has accepted.",
    Move.PLAN: "A visit was planned.",
    Move.ARRIVE: "Your installer has arrived.",
    Move.MEASURE: "Your installer has measured the signal.",
    Move.FIT: "Your installer has fitted a signal boost.",
    Move.FINISH: "Your installer's work is done.",
    Move.GIVE_BACK: "The installer cannot do it. We look for another one.",
    Move.ASK: "We have asked an installer again.",
    Move.CANCEL: "We have closed this without a visit.",
}


class Step(NamedTuple):
    """One move of a job."""

    when: str
    words: str
    by: str | None = None
    note: str = ""  # what the person wrote


def headline(job: Job, time_zone: str, now_ms: int) -> str:
    """For the installer and support."""
    if job.state is JobState.PLANNED and job.visit is not None:
        return f"{_planned(job, now_ms)} for {span(*job.visit, time_zone)}"
    if job.closed_ms is not None:
        return f"{GLANCES[job.state].word} on {_day(job.closed_ms, time_zone)}"
    return {
        JobState.RAISED: f"New since {_day(job.raised_ms, time_zone)}: not yet accepted",
        JobState.ACCEPTED: "Accepted: no visit is planned yet",
        JobState.ON_SITE: "On site: no boost is fitted yet",
        JobState.FITTED: "Boost fitted: the job is not closed yet",
        JobState.GIVEN_BACK: "Given back to support: no installer has it",
    }.get(job.state, GLANCES[job.state].word)


def told_to_driver(job: Job, time_zone: str, now_ms: int) -> str:
    """One line, without what is in the job."""
    if job.state is JobState.PLANNED and job.visit is not None:
        return f"{_planned(job, now_ms)} for {span(*job.visit, time_zone)}"
    if job.closed_ms is not None:
        end = "Done" if job.state is JobState.DONE else "Closed without a visit"
        return f"{end} on {_day(job.closed_ms, time_zone)}"
    return {
        JobState.RAISED: f"Your installer has been asked on {_day(job.raised_ms, time_zone)}",
        JobState.ACCEPTED: "Your installer has accepted and plans a visit",
        JobState.FITTED: "Your installer has fitted a signal boost",
        JobState.GIVEN_BACK: "We are looking for another installer",
    }.get(job.state, "Your installer is at work on it")


def news_for_driver(job: Job | None, now_ms: int, time_zone: str) -> str | None:
    """A line of other pages; None: there is no job, or its end is no news any more."""
    if job is None or (job.closed_ms is not None and now_ms - job.closed_ms >= NEWS_FOR_MS):
        return None
    return f"{told_to_driver(job, time_zone, now_ms)}."


class Listed(NamedTuple):
    """A line of the list of jobs."""

    job: Job
    headline: str
    glance: Glance


def listed(job: Job, time_zone: str | None, now_ms: int) -> Listed:
    """`time_zone` is of a unit that the asker sees; None: they do not see it any more."""
    if time_zone is None and job.closed_ms is None:
        return Listed(job, "You do not see this charger any more", ENDED)
    return Listed(job, headline(job, time_zone or DEFAULT_TIME_ZONE, now_ms), GLANCES[job.state])


def steps(events: Iterable[JobEvent], time_zone: str) -> list[Step]:
    """For the installer and support, with who and what they wrote."""
    return [
        Step(day_and_time(one.at_ms, time_zone), _moved(one, MOVED[one.move], time_zone), one.person, one.words)
        for one in events
    ]


def steps_for_driver(events: Iterable[JobEvent], time_zone: str) -> list[Step]:
    """In plain words, without who and what they wrote."""
    return [
        Step(day_and_time(one.at_ms, time_zone), _moved(one, TOLD_DRIVER[one.move].rstrip("."), time_zone) + ".")
        for one in events
    ]


def in_order(jobs: Iterable[Job], seen_units: Collection[str]) -> list[Job]:
    """For a phone on the road: the one at which they are first, then the nearest visit, then new ones, then those without a
    date; what has ended last, the newest of it first."""

    def place(job: Job) -> tuple[int, int]:
        if job.closed_ms is not None or job.unit_id not in seen_units:
            return 9, -(job.closed_ms or job.raised_ms)
        if job.state in AT_WORK:
            return 0, job.raised_ms
        if job.visit is not None:
            return 1, job.visit.from_ms
        ranks = {JobState.RAISED: 2, JobState.GIVEN_BACK: 3}
        return ranks.get(job.state, 4), job.raised_ms

    return sorted(jobs, key=place)


def tel(phone: str) -> str | None:
    """What stands behind tel: (RFC 3966), without what is there for the eye; None where it is no number."""
    abroad = phone.replace("(0)", "") if phone.startswith("+") else phone  # +44 (0)161: the 0 is for calls from within
    number = re.sub(r"[ ()./-]", "", abroad)
    return number if re.fullmatch(r"\+?[0-9]{3,15}", number) else None


def _moved(event: JobEvent, words: str, time_zone: str) -> str:
    if event.visit is None:
        return words
    if event.move is Move.PLAN:
        return f"{words}: {span(*event.visit, time_zone)}"
    return f"{words.rstrip('.')}; the visit of {span(*event.visit, time_zone)} is called off"


def _planned(job: Job, now_ms: int) -> str:
    return "Visit was planned" if job.visit is not None and job.visit.until_ms < now_ms else "Visit planned"


def _day(at_ms: int, time_zone: str) -> str:
    return formats.weekday_day(local_time(at_ms, time_zone))
