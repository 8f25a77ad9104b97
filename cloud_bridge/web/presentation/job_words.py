"""The state of a job in words: for the installer and support, and in simpler words for the driver. Pure."""

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
from cloud_bridge.words import N_, formats
from cloud_bridge.words import gettext as _

NEWS_FOR_MS = 7 * DAY_MS  # how long the end of a job is shown as news

GLANCES = {
    JobState.RAISED: Glance("unsure", N_("New")),
    JobState.ACCEPTED: Glance("unsure", N_("Accepted")),
    JobState.PLANNED: Glance("good", N_("Planned")),
    JobState.ON_SITE: Glance("good", N_("On site")),
    JobState.FITTED: Glance("good", N_("Boost fitted")),
    JobState.GIVEN_BACK: Glance("bad", N_("Given back")),
    JobState.DONE: Glance("good", N_("Done")),
    JobState.CANCELLED: Glance("unsure", N_("Cancelled")),
}
AT_WORK = (JobState.ON_SITE, JobState.FITTED)
ENDED = Glance("unsure", N_("Ended"))  # the job is open, but its installer no longer sees the charge point

MOVED = {
    Move.RAISE: N_("Raised"),
    Move.ACCEPT: N_("Accepted"),
    Move.PLAN: N_("Visit planned"),
    Move.ARRIVE: N_("Arrived"),
    Move.MEASURE: N_("Signal measured, before the work"),
    Move.FIT: N_("Boost fitted"),
    Move.FINISH: N_("Done"),
    Move.GIVE_BACK: N_("Given back to support"),
    Move.ASK: N_("Installer asked"),
    Move.CANCEL: N_("Cancelled"),
}
TOLD_DRIVER = {
    Move.RAISE: N_("We have asked your installer."),
    Move.ACCEPT: N_("Your installer has accepted."),
    Move.PLAN: N_("A visit was planned."),
    Move.ARRIVE: N_("Your installer has arrived."),
    Move.MEASURE: N_("Your installer has measured the signal."),
    Move.FIT: N_("Your installer has fitted a signal boost."),
    Move.FINISH: N_("Your installer's work is done."),
    Move.GIVE_BACK: N_("The installer cannot do it. We look for another one."),
    Move.ASK: N_("We have asked an installer again."),
    Move.CANCEL: N_("We have closed this without a visit."),
}
HEADLINES = {
    JobState.RAISED: N_("New since {day}: not yet accepted"),
    JobState.ACCEPTED: N_("Accepted: no visit is planned yet"),
    JobState.ON_SITE: N_("On site: no boost is fitted yet"),
    JobState.FITTED: N_("Boost fitted: the job is not closed yet"),
    JobState.GIVEN_BACK: N_("Given back to support: no installer has it"),
}
ENDED_ON = N_("Ended on {day}")
CLOSED = {JobState.DONE: N_("Done on {day}"), JobState.CANCELLED: N_("Cancelled on {day}")}
TO_DRIVER = {
    JobState.RAISED: N_("Your installer has been asked on {day}"),
    JobState.ACCEPTED: N_("Your installer has accepted and plans a visit"),
    JobState.FITTED: N_("Your installer has fitted a signal boost"),
    JobState.GIVEN_BACK: N_("We are looking for another installer"),
}
AT_WORK_ON_IT = N_("Your installer is at work on it")


class Step(NamedTuple):
    """One entry in the timeline of a job."""

    when: str
    words: str
    by: str | None = None
    note: str = ""  # written by the person


def headline(job: Job, time_zone: str, now_ms: int) -> str:
    """Return the state of a job for the installer and support."""
    if job.state is JobState.PLANNED and job.visit is not None:
        return _planned(job, time_zone, now_ms)
    if job.closed_ms is not None:
        return _(CLOSED.get(job.state, ENDED_ON)).format(day=_day(job.closed_ms, time_zone))
    if job.state in HEADLINES:
        return _(HEADLINES[job.state]).format(day=_day(job.raised_ms, time_zone))
    return GLANCES[job.state].word


def told_to_driver(job: Job, time_zone: str, now_ms: int) -> str:
    """Return the state of a job in one line, without the content of the job."""
    if job.state is JobState.PLANNED and job.visit is not None:
        return _planned(job, time_zone, now_ms)
    if job.closed_ms is not None:
        end = _("Done on {day}") if job.state is JobState.DONE else _("Closed without a visit on {day}")
        return end.format(day=_day(job.closed_ms, time_zone))
    return _(TO_DRIVER.get(job.state, AT_WORK_ON_IT)).format(day=_day(job.raised_ms, time_zone))


def news_for_driver(job: Job | None, now_ms: int, time_zone: str) -> str | None:
    """Return a line for the driver's other pages. Return None if there is no job, or if it ended too long ago."""
    if job is None or (job.closed_ms is not None and now_ms - job.closed_ms >= NEWS_FOR_MS):
        return None
    return f"{told_to_driver(job, time_zone, now_ms)}."


class Listed(NamedTuple):
    """One entry of the list of jobs."""

    job: Job
    headline: str
    glance: Glance


def listed(job: Job, time_zone: str | None, now_ms: int) -> Listed:
    """Describe a job for the list. `time_zone` is that of the unit, or None if the viewer no longer sees the unit."""
    if time_zone is None and job.closed_ms is None:
        return Listed(job, _("You do not see this charger any more"), ENDED)
    return Listed(job, headline(job, time_zone or DEFAULT_TIME_ZONE, now_ms), GLANCES[job.state])


def steps(events: Iterable[JobEvent], time_zone: str) -> list[Step]:
    """Return the timeline for the installer and support, with names and notes."""
    return [
        Step(day_and_time(one.at_ms, time_zone), _moved(one, _(MOVED[one.move]), time_zone), one.person, one.words)
        for one in events
    ]


def steps_for_driver(events: Iterable[JobEvent], time_zone: str) -> list[Step]:
    """Return the timeline for the driver, without names and notes."""
    return [
        Step(day_and_time(one.at_ms, time_zone), _moved(one, _(TOLD_DRIVER[one.move]).rstrip("."), time_zone) + ".")
        for one in events
    ]


def in_order(jobs: Iterable[Job], seen_units: Collection[str]) -> list[Job]:
    """Sort jobs for an installer on the road: the one on site first, then by nearest visit, then new jobs, then those without
    a date. Ended jobs come last, the newest first."""

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
    """Return the number for a tel: link (RFC 3966), without separators; None if it is not a phone number."""
    abroad = phone.replace("(0)", "") if phone.startswith("+") else phone  # +44 (0)161: the 0 is for national calls
    number = re.sub(r"[ ()./-]", "", abroad)
    return number if re.fullmatch(r"\+?[0-9]{3,15}", number) else None


def _moved(event: JobEvent, words: str, time_zone: str) -> str:
    if event.visit is None:
        return words
    if event.move is Move.PLAN:
        return f"{words}: {span(*event.visit, time_zone)}"
    return _("{moved}; the visit of {time} is called off").format(moved=words, time=span(*event.visit, time_zone))


def _planned(job: Job, time_zone: str, now_ms: int) -> str:
    if job.visit is None:
        return GLANCES[job.state].word
    said = _("Visit was planned for {time}") if job.visit.until_ms < now_ms else _("Visit planned for {time}")
    return said.format(time=span(*job.visit, time_zone))


def _day(at_ms: int, time_zone: str) -> str:
    return formats.weekday_day(local_time(at_ms, time_zone))
