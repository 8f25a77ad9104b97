"""Does Ctrl-C end a program that a person starts, also while its modules are being imported?"""

import runpy
import sys
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("command", "module"), [("hil_tests", "hil_tests.demo.make_run"), ("hil_tests.rig", "hil_tests.rig.command_line")]
)
def test_is_it_quiet(monkeypatch: pytest.MonkeyPatch, command: str, module: str) -> None:
    """And with the exit code that shells know?"""

    class StillImporting:
        def __getattr__(self, name: str) -> Any:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, module, StillImporting())
    with pytest.raises(SystemExit, match="130"):
        runpy.run_module(command, run_name="__main__")
