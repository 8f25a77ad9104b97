"""Does a driver read how far their installer's job is, with its day, and for how long that it is done?"""

import pytest

from cloud_bridge.durations import DAY_MS
from cloud_bridge.store.jobs import Progress
from cloud_bridge.web.presentation.job_words import DONE_FOR_MS, told
from tests.cloud_bridge.running import START_MS

ZONE = "Europe/London"
ASKED = Progress(START_MS, None, None, has_installer=True)


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (ASKED, "Your installer was asked on 1 Jan"),
        (ASKED._replace(has_installer=False), "We are looking for an installer"),
        (ASKED._replace(visited_ms=START_MS + DAY_MS), "An installer was at your charger on 2 Jan"),
        (ASKED._replace(visited_ms=START_MS, closed_ms=START_MS + 2 * DAY_MS), "was done on 3 Jan"),
    ],
)
def test_the_latest_step_is_told(job: Progress, words: str) -> None:
    assert words in str(told(job, START_MS + 3 * DAY_MS, ZONE))


def test_that_it_is_done_is_news_for_a_week_and_no_job_says_nothing() -> None:
    done = ASKED._replace(closed_ms=START_MS)
    assert told(done, START_MS + DONE_FOR_MS - 1, ZONE) is not None
    assert told(done, START_MS + DONE_FOR_MS, ZONE) is None
    assert told(None, START_MS, ZONE) is None


def test_marks_differ_wherever_words_do() -> None:
    steps = [ASKED, ASKED._replace(visited_ms=START_MS), ASKED._replace(visited_ms=START_MS, closed_ms=START_MS)]
    assert len({step.mark for step in steps}) == len(steps)
