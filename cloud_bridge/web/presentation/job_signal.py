"""The signal at a job, in figures to read at arm's length: the present verdict, and before and after side by side. Pure."""

from typing import NamedTuple

from cloud_bridge.contact import Contact
from cloud_bridge.store.jobs import Job, Measured
from cloud_bridge.values import NO_CSQ, PASS_ABOVE_CSQ
from cloud_bridge.web.presentation.view import ChargePoint
from cloud_bridge.web.presentation.words import ago, lasting, moment, operator_name, time_of_day, when
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

OFFER = N_("Offer a signal boost")
NONE = "–"  # shown instead of a missing figure


class Changes(NamedTuple):
    """The texts that compare a reading with the one before, by the result."""

    same: str
    better: str
    worse: str


CHANGES = {
    "good": Changes(N_("No change: it is good."), N_("{by} better: it is good."), N_("{by} worse: it is good.")),
    "good now": Changes("", N_("{by} better: it is good now."), ""),
    "too weak": Changes(
        N_("No change: too weak."), N_("{by} better, and still too weak."), N_("{by} worse: too weak.")
    ),
}


class Now(NamedTuple):
    """The present verdict. `tone` is that of a Glance. `csq` is None if there is no current reading."""

    tone: str
    csq: int | None
    words: str
    measured: Measured | None  # the newest reading, which may be old
    age_ms: int = 0  # age of the newest reading
    ago: str = ""
    moment: str = ""
    network: str = ""
    expected: str | None = None  # when the next message is due
    is_late: bool = False
    checked_at: str = ""


class Side(NamedTuple):
    """One of the two figures."""

    name: str
    figure: str
    tone: str
    about: str


class Comparison(NamedTuple):
    before: Side
    after: Side
    tone: str
    words: str


def is_good(csq: int) -> bool:
    return csq > PASS_ABOVE_CSQ


def measured_at(point: ChargePoint) -> Measured | None:
    """Return the newest reading that the charge point has reported."""
    csq = point.heartbeat.csq
    if csq is None or csq == NO_CSQ or point.heartbeat_ms is None:
        return None
    return Measured(csq, point.heartbeat.operator, point.heartbeat_ms)


def reading_of(point: ChargePoint) -> Measured | None:
    """Return the newest reading while the charge point is online, so that it is current; else None."""
    return measured_at(point) if point.verdict.contact is Contact.ONLINE else None


def now_of(point: ChargePoint) -> Now:
    reading, newest = reading_of(point), measured_at(point)
    tone, words = _verdict(point, reading)
    now = Now(tone, None if reading is None else reading.csq, words, newest)
    now = now._replace(checked_at=time_of_day(point.now_ms, point.time_zone))
    if point.due_ms is not None:
        now = now._replace(expected=time_of_day(point.due_ms, point.time_zone), is_late=point.is_late)
    if newest is None:
        return now
    age_ms = max(0, point.now_ms - newest.at_ms)
    return now._replace(
        age_ms=age_ms,
        ago=ago(age_ms),
        moment=moment(newest.at_ms, point.time_zone),
        network=operator_name(newest.operator) or _("a network that it did not name"),
    )


def compare(job: Job, typical_csq: int | None, now: Now, time_zone: str, now_ms: int) -> Comparison:
    """Compare the reading before the work with the present one. Without a reading before, use the typical CSQ of the two weeks
    before."""
    if job.before is not None:
        network = operator_name(job.before.operator)
        about = f"{when(job.before.at_ms, now_ms, time_zone)}{f', {network}' if network else ''}"
        before = _side(_("Before"), job.before.csq, about)
    else:
        about = _("typical of 14 days") if typical_csq is not None else _("not measured")
        before = _side(_("Before"), typical_csq, about)
    name = _("Now") if job.visited_ms is None else _("After")
    after_csq = _after(job, now)
    after = _side(name, after_csq, now.network if after_csq is not None else _("not measured yet"))
    csq = job.before.csq if job.before is not None else typical_csq
    return Comparison(before, after, *_change(csq, after_csq, now.expected))


def outcome(job: Job, now: Now) -> str:
    """Return the suggested text for the form that closes the job."""
    before_csq = None if job.before is None else job.before.csq
    if job.visited_ms is not None:
        after_csq = _after(job, now)
        if before_csq is None and after_csq is None:
            return _("Signal boost fitted.")
        if before_csq is None:
            return _("Signal boost fitted: CSQ {after} after.").format(after=after_csq)
        if after_csq is None:
            return _("Signal boost fitted: CSQ {before} before.").format(before=before_csq)
        said = _("Signal boost fitted: CSQ {before} before, CSQ {after} after.")
        return said.format(before=before_csq, after=after_csq)
    if before_csq is not None and is_good(before_csq):
        return _("Measured on site: CSQ {csq}, which is enough. No boost was needed.").format(csq=before_csq)
    return ""


def _verdict(point: ChargePoint, reading: Measured | None) -> tuple[str, str]:
    match point.verdict.contact:
        case Contact.NEVER:
            return "unsure", _("No reading: the charger has never reached us")
        case Contact.UNKNOWN:
            return "unsure", _("We cannot tell: our service was not listening")
        case Contact.SILENT:
            said = _("Silent: no reading for {length}")
            return "bad", said.format(length=lasting(point.verdict.silence_ms or 0))
    if reading is None:
        return "unsure", _("No reading: its modem tells no signal")
    if is_good(reading.csq):
        said = _("Good: {csq} CSQ, needs more than {most}")
        return "good", said.format(csq=reading.csq, most=PASS_ABOVE_CSQ)
    too_weak = _("Too weak: {csq} CSQ.").format(csq=reading.csq)
    return "bad", f"{too_weak} {_(OFFER)}"


def _after(job: Job, now: Now) -> int | None:
    """Return the reading to compare; None if it is older than the boost."""
    if now.measured is None or (job.visited_ms is not None and now.measured.at_ms < job.visited_ms):
        return None
    return now.csq


def _side(name: str, csq: int | None, about: str) -> Side:
    if csq is None:
        return Side(name, NONE, "unsure", about)
    return Side(name, str(csq), "good" if is_good(csq) else "bad", about)


def _change(before: int | None, after: int | None, expected: str | None) -> tuple[str, str]:
    if after is None:
        if not expected:
            return "unsure", _("Waiting for a reading.")
        return "unsure", _("Waiting for a reading: the next is due at {time}.").format(time=expected)
    if before is None:
        return "unsure", _("There is no reading of before to compare with.")
    by = after - before
    if is_good(after):
        said = CHANGES["good" if is_good(before) else "good now"]
    else:
        said = CHANGES["too weak"]
    found = said.better if by > 0 else said.worse if by < 0 else said.same
    return "good" if is_good(after) else "bad", _(found).format(by=abs(by))
