"""Do all files exist that .github/CONTRIBUTING.md names?"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / ".github" / "CONTRIBUTING.md").read_text()
PATHS = sorted(set(re.findall(r"`([a-z_]+(?:/[a-z0-9_.]+)+)`", TEXT)))


@pytest.mark.parametrize("path", PATHS)
def test_a_file_that_it_names_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_it_has_a_list_for_every_kind_of_addition() -> None:
    added = re.findall(r"^### (.+)$", TEXT, re.MULTILINE)
    assert len(added) == 8
    for section in TEXT.split("### ")[1:]:
        assert "\n1. `" in section
