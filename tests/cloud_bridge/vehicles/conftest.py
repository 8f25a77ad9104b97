"""A scene, or a driver with a browser, for every test that needs one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud_bridge.running import Bridge
from tests.cloud_bridge.vehicles.acting import Scene, scene
from tests.cloud_bridge.vehicles.browsing import Driver, browser


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as play:
        yield play


@pytest.fixture
def ann(bridge: Bridge) -> Iterator[Driver]:
    with browser(bridge) as driver:
        yield driver
