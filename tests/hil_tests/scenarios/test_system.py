"""Does the introduction of a unit report how often it had to start again?"""

from typing import Any

import pytest

from hil_tests.rig.console import ConsoleSilent
from hil_tests.scenarios.system import INTRODUCTIONS, introduce


class Bridge:
    """Replaces BridgeProcess."""

    mqtts_port = 8883

    def authority_words(self) -> list[str]:
        return ["authority begin", "authority keep"]


class Rig:
    """A rig whose console does not answer the first `silent` commands."""

    def __init__(self, silent: int) -> None:
        self._silent = silent
        self.commands: list[str] = []

    def wait_for(self, *_: Any) -> None:
        pass

    def console(self, command: str) -> list[str]:
        self.commands.append(command.partition(" {")[0])
        if len(self.commands) <= self._silent:
            raise ConsoleSilent("no answer")
        return []


@pytest.mark.parametrize("silent", range(INTRODUCTIONS))
def test_attempts_are_counted_and_the_reason_is_printed(silent: int, capsys: pytest.CaptureFixture[str]) -> None:
    rig: Any = Rig(silent)
    bridge: Any = Bridge()
    assert introduce(rig, "CK-1", "secret", bridge) == silent + 1
    assert rig.commands[-4:] == ["authority begin", "authority keep", "provision", "commission"]
    assert capsys.readouterr().out.count("no answer") == silent


def test_the_last_attempt_raises() -> None:
    rig: Any = Rig(INTRODUCTIONS)
    bridge: Any = Bridge()
    with pytest.raises(ConsoleSilent):
        introduce(rig, "CK-1", "secret", bridge)
