"""Does the T-Call start safely: outputs, then the watchdog, then what could hang? Is a commanded restart marked?"""

import ast
from pathlib import Path

TREE = ast.parse((Path(__file__).parents[3] / "firmware" / "boards" / "tcall.py").read_text())
(BOARD,) = [node for node in TREE.body if isinstance(node, ast.ClassDef) and node.name == "TCallBoard"]
METHODS = {node.name: node for node in BOARD.body if isinstance(node, ast.FunctionDef)}


def calls(method: str) -> list[str]:
    """Return the calls in the order of their lines, the innermost of a line first."""
    found = [node for node in ast.walk(METHODS[method]) if isinstance(node, ast.Call)]
    return [ast.unparse(node) for node in sorted(found, key=lambda node: (node.lineno, -node.col_offset))]


def test_the_watchdog_comes_right_after_the_outputs() -> None:
    made = calls("__init__")
    outputs = [at for at, call in enumerate(made) if call.startswith("Pin(") and "Pin.OUT" in call]
    (watchdog,) = [at for at, call in enumerate(made) if call.startswith("WDT(")]
    slow = [
        at
        for at, call in enumerate(made)
        if call.startswith(("ADC(", "I2C(", "Port(", "UART(", "self._mount(", "SdmMeter("))
    ]
    assert len(outputs) == 5 and len(slow) >= 6
    assert max(outputs) < watchdog < min(slow)


def test_a_restart_that_was_asked_for_is_marked_and_the_mark_is_taken_away_at_the_start() -> None:
    asked = calls("reset")
    assert asked.index("rtc.memory(ASKED + rtc.memory())") < asked.index("machine.reset()")
    made = calls("__init__")
    told = [at for at, call in enumerate(made) if call.startswith("cause(")]
    assert told and made.index("rtc.memory().replace(ASKED, b'')") > told[0]
