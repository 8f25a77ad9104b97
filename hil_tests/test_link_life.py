"""A sample of `python -m hil_tests.link_life`: is every record told exactly once, whatever happens to the link?"""

import asyncio
from pathlib import Path

import pytest

from hil_tests.link_life import Life

SEED = 1  # has a killed bridge, a browned-out modem, swallowed bytes and a cut in its first ten
FAULTS = 10


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore:.*was never awaited", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_every_record_is_told_exactly_once(tmp_path: Path) -> None:
    life = Life(tmp_path, SEED)
    wrong = asyncio.run(life.live(FAULTS))
    assert not wrong, "\n".join([*wrong, life.unit.whole_story()])
