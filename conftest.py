"""Which tests run side by side in `make test`: four groups, each in its own order in one process (pytest-xdist, loadgroup).

Most of the whole-product tests wait for something real, so the groups share two cores well. A group keeps what its tests
share: one running system, one browser, one folder.
"""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent
# The longest beginning that fits a test's file names its group.
GROUPS = {
    "tests": "fast",
    "hil_tests": "units on walls",
    "hil_tests/web": "pages",
    "hil_tests/test_vehicle_link.py": "pages",
    "hil_tests/test_make_run.py": "pages",
    "hil_tests/modem": "lines and stores",
    "hil_tests/link": "lines and stores",
    "hil_tests/test_link_life.py": "lines and stores",
    "hil_tests/ingest": "lines and stores",
    "hil_tests/store": "lines and stores",
}


def group_of(path: Path) -> str:
    name = path.relative_to(ROOT).as_posix()
    return GROUPS[max((part for part in GROUPS if f"{name}/".startswith(f"{part}/")), key=len)]


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item.path)))
