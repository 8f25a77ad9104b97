"""The installer's next step at a job, one at a time, by the moves that the job allows (store/job_states.py). Pure."""

from collections.abc import Collection
from typing import NamedTuple

from cloud_bridge.store.job_states import JobState, Move
from cloud_bridge.store.jobs import Job
from cloud_bridge.web.presentation.job_signal import is_good
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _


class BigButton(NamedTuple):
    """`path` is where its form is sent, below the job's; None if the button leads to the form that closes the job."""

    words: str
    path: str | None
    means: str

    def said(self) -> "BigButton":
        """The button in the reader's language."""
        return self._replace(words=_(self.words), means=_(self.means))


class Stage(NamedTuple):
    name: str
    state: str  # done, now or later


ACCEPT = BigButton(N_("Accept the job"), "accept", N_("Support and the driver see that you have it."))
ARRIVE = BigButton(N_("I have arrived"), "arrive", "")
MEASURE = BigButton(N_("Measure: keep as before"), "measure", N_("Keeps the reading above, to compare with."))
FIT = BigButton(N_("Boost fitted"), "fit", N_("Readings count as after from now on."))
DONE = BigButton(N_("Done: close the job"), None, "")


def big_button(job: Job, moves: Collection[Move]) -> BigButton | None:
    """Return the next step, or None if there is none for this person. A signal that was measured as good needs no boost."""
    if Move.ACCEPT in moves:
        return ACCEPT.said()
    if Move.ARRIVE in moves:
        return ARRIVE.said()
    if Move.MEASURE in moves and job.before is None:
        return MEASURE.said()
    if job.state is JobState.ON_SITE and Move.FIT in moves and not _is_good_before(job):
        return FIT.said()
    return DONE.said() if Move.FIT in moves else None


def stages(job: Job) -> list[Stage]:
    """Return all steps of a visit, and the state of each."""
    is_there = job.state in (JobState.ON_SITE, JobState.FITTED)
    done = {
        _("Arrive"): is_there,
        _("Measure"): is_there and job.before is not None,
        _("Boost"): job.state is JobState.FITTED or (is_there and _is_good_before(job)),
        _("Done"): job.closed_ms is not None,
    }
    now = next((name for name, is_done in done.items() if not is_done), None)
    return [Stage(name, "done" if is_done else "now" if name == now else "later") for name, is_done in done.items()]


def _is_good_before(job: Job) -> bool:
    return job.before is not None and is_good(job.before.csq)
