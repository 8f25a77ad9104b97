"""Do stories that once broke a promise keep all of them? `python -m hil_tests.years --replay SEED --keep NAME` adds
one.
"""

from pathlib import Path

import pytest

from hil_tests.years.keeping import KEPT, read
from hil_tests.years.telling import tell


@pytest.mark.parametrize("path", sorted(KEPT.glob("*.json")), ids=lambda path: path.stem)
def test_a_story_that_broke_a_promise_breaks_none(path: Path) -> None:
    kept = read(path)
    assert tell(kept.story).broken == (), kept.broke
