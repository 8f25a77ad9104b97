"""Is every record reported exactly once, whatever happens to the link? A sample of `python -m hil_tests.link_life`."""

import asyncio
from pathlib import Path

import pytest

from hil_tests.link_life.__main__ import live, make

SEED = 1
FAULTS = 12
MINUTES = 0.2
UNITS = 3


@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore:.*was never awaited", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_every_record_is_told_exactly_once(tmp_path: Path) -> None:
    lives, cloud = make(tmp_path, SEED, UNITS)
    wrong = asyncio.run(live(lives, cloud, FAULTS, MINUTES))
    assert not wrong, "\n".join([*wrong, *(life.unit.full_log() for life in lives)])
