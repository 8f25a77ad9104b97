"""A scene of its own for every test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud_bridge.vehicles.acting import Scene, scene


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as play:
        yield play
