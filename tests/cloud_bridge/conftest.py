"""A bridge of its own for every test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud_bridge.running import Bridge, running_bridge


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Bridge]:
    with running_bridge(tmp_path) as bridge:
        yield bridge
