"""A simulated modem on a real pty, in its own process, with a world that the test describes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from hil_tests.fixtures.modem_process import ROOT as ROOT  # imported by tests that run the tools
from hil_tests.fixtures.modem_process import simulated_modem

SimulatedModem = Callable[..., Path]


@pytest.fixture
def modem(tmp_path: Path) -> Iterator[SimulatedModem]:
    """Yield a function that starts a modem in a world and returns the path of its port."""
    with ExitStack() as running:
        count = 0

        def start(seed: int = 1, **world: Any) -> Path:
            nonlocal count
            count += 1
            return running.enter_context(simulated_modem(tmp_path / f"modem{count - 1}", seed, **world))

        yield start
