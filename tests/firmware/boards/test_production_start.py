"""Is the production image safe and red between two starts that fail?"""

import runpy
import sys
import time
import types
from pathlib import Path

import pytest

MAIN = Path(__file__).parents[3] / "firmware" / "boards" / "tcall" / "modules" / "main.py"


@pytest.mark.parametrize(("wires_fail", "seen"), [(False, ["safe", "red"]), (True, [])])
def test_a_start_that_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wires_fail: bool, seen: list[str]
) -> None:
    done: list[str] = []
    machine, wires = types.ModuleType("machine"), types.ModuleType("wires_tcall")
    machine.reset = lambda: done.append("reset")  # type: ignore[attr-defined]  # as MicroPython has it
    wires.make_safe = lambda: done.append("safe")  # type: ignore[attr-defined]  # as boards/stock has it
    wires.show_red = lambda: done.append("red")  # type: ignore[attr-defined]  # likewise
    monkeypatch.setitem(sys.modules, "machine", machine)
    monkeypatch.setitem(sys.modules, "wires_tcall", None if wires_fail else wires)  # type: ignore[arg-type]  # None raises
    monkeypatch.setitem(sys.modules, "firmware.main", None)  # type: ignore[arg-type]  # likewise
    monkeypatch.setattr(sys, "print_exception", lambda error: None, raising=False)
    monkeypatch.setattr(time, "sleep_ms", lambda ms: done.append("wait"), raising=False)
    runpy.run_path(str(MAIN))
    assert done == [*seen, "wait", "reset"]
    assert capsys.readouterr().out.startswith("chargekeeper: the start has failed")
