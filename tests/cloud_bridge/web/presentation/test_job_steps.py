"""Is the next step of a job one button, and the right one for each viewer?"""

import pytest

from cloud_bridge.store.access import Role
from cloud_bridge.store.job_states import JobState, moves_of
from cloud_bridge.store.jobs import Measured
from cloud_bridge.web.presentation import job_steps
from cloud_bridge.web.presentation.job_steps import big_button, stages
from tests.cloud_bridge.running import START_MS
from tests.cloud_bridge.web.presentation.test_job_words import job


@pytest.mark.parametrize(
    ("state", "before", "button", "shown"),
    [
        (JobState.RAISED, None, job_steps.ACCEPT, "now later later later"),
        (JobState.ACCEPTED, None, job_steps.ARRIVE, "now later later later"),
        (JobState.PLANNED, None, job_steps.ARRIVE, "now later later later"),
        (JobState.ON_SITE, None, job_steps.MEASURE, "done now later later"),
        (JobState.ON_SITE, 11, job_steps.FIT, "done done now later"),
        (JobState.ON_SITE, 14, job_steps.FIT, "done done now later"),
        (JobState.ON_SITE, 15, job_steps.DONE, "done done done now"),
        (JobState.FITTED, 11, job_steps.DONE, "done done done now"),
        (JobState.FITTED, None, job_steps.DONE, "done now done later"),
        (JobState.PLANNED, 11, job_steps.ARRIVE, "now later later later"),  # a second visit
    ],
)
def test_one_step_at_a_time(state: JobState, before: int | None, button: job_steps.BigButton, shown: str) -> None:
    measured = None if before is None else Measured(before, None, START_MS)
    found = job(state)._replace(before=measured)
    assert big_button(found, moves_of(Role.INSTALLER, state)) == button
    assert " ".join(stage.state for stage in stages(found)) == shown


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", JobState)
def test_only_the_installer_of_an_open_job_has_one_and_it_is_a_move_of_theirs(role: Role, state: JobState) -> None:
    moves = moves_of(role, state)
    button = big_button(job(state), moves)
    is_at_work = role is Role.INSTALLER and state not in (JobState.GIVEN_BACK, JobState.DONE, JobState.CANCELLED)
    assert (button is not None) == is_at_work
    if button is not None:
        path = "close" if button.path is None else button.path
        moves_by_path = {"accept": "ACCEPT", "arrive": "ARRIVE", "measure": "MEASURE", "fit": "FIT", "close": "FINISH"}
        assert moves_by_path[path] in {move.name for move in moves}
