"""Is the Exchange the only data that the two threads share, and does each of its fields have one writer?"""

import ast
import sys
import threading
from pathlib import Path

import pytest

from firmware.charge_point import ChargePoint
from firmware.charging import limits
from firmware.charging.claims import Claims
from firmware.charging.control_state import Setup
from firmware.charging.controller import Controller
from firmware.charging.exchange import Exchange
from firmware.charging.session import Kept
from firmware.claim_manager import ClaimManager
from firmware.control_loop import ControlLoop
from firmware.persistence import Persistence
from firmware.storage.checkpoint import Checkpoint
from firmware.wall_clock import WallClock
from tests.firmware.link.fake_clock import FakeClock
from tests.firmware.storage.folder import empty

ROOT = Path(__file__).parent.parent.parent
MAIN = {"setup", "claims", "delay_s", "link_proven", "pauses", "turns"}  # fields by writer
ASKED = {
    "clear_wanted",
    "test_wanted",
    "began_ms",
    "worst_taken",
    "inputs_wanted",
}  # set by the main thread, reset by the control thread
CONTROL = {"report", "fault_history", "inputs", "powered", "worst_ms", "closings", "owed", "pressed_ms"}
SHARED = {"apart", "events", "ended"}  # never replaced
METHODS = {"take_worst_ms", "guard_openings"}
# What the control thread runs. Everything else is run by the main thread, and app.py, which creates both.
IN_CONTROL = ("firmware/charging/controller.py", "firmware/control_loop.py", "firmware/supervisor.py")
PURE = (
    "firmware/charging/",
    "firmware/boards/",
    "firmware/metering/",
)  # values and hardware; claims.py belongs to the main thread


def fields() -> set[str]:
    return set(vars(Controller(0, Setup(32, True, False, 0, True)).exchange))


def is_exchange(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id == "exchange") or (
        isinstance(node, ast.Attribute) and node.attr in ("exchange", "_exchange")
    )


def touched(text: str) -> tuple[set[str], set[str]]:
    """Return (fields of an exchange that are read, fields that are written) in a module's source."""
    read, written = set(), set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and is_exchange(node.value):
            (read if isinstance(node.ctx, ast.Load) else written).add(node.attr)
    return read, written


def sources(in_control: bool) -> dict[str, str]:
    found = {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / "firmware").rglob("*.py")}
    return {
        name: text
        for name, text in found.items()
        if (name in IN_CONTROL) == in_control and (in_control or not name.startswith(PURE))
    }


def test_each_field_has_one_writer_and_no_other_is_there() -> None:
    assert fields() == MAIN | ASKED | CONTROL | SHARED
    for name, text in sources(in_control=True).items():
        read, written = touched(text)
        assert read <= fields() and written <= CONTROL | ASKED, name
    for name, text in sources(in_control=False).items():
        read, written = touched(text)
        assert read <= fields() | METHODS and written <= MAIN | ASKED, name


def test_the_main_thread_keeps_nothing_of_the_control_threads_but_the_exchange() -> None:
    """Controller and ControlLoop are created in a function of app.py that keeps neither, and are named nowhere else."""
    for name, text in sources(in_control=False).items():
        run = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name | ast.Attribute)]
        names = {node.id if isinstance(node, ast.Name) else node.attr for node in run}
        assert name == "firmware/app.py" or not names & {"Controller", "ControlLoop", "controller", "control_loop"}, (
            name
        )
    (unit,) = [
        node
        for node in ast.parse((ROOT / "firmware/app.py").read_text()).body
        if isinstance(node, ast.ClassDef) and node.name == "Unit"
    ]
    for node in ast.walk(unit):
        if isinstance(node, ast.Assign) and any(isinstance(target, ast.Attribute) for target in node.targets):
            assert "controller" not in ast.unparse(node.value).replace("controller.exchange", ""), ast.unparse(node)
        assert not (isinstance(node, ast.Attribute) and node.attr in ("controller", "control_loop"))


def test_a_write_of_the_wrong_thread_would_be_seen() -> None:
    assert touched("self._exchange.report = None\nexchange.worst_ms += 1\nunit.exchange.claims") == (
        {"claims"},
        {"report", "worst_ms"},
    )


class Watched(Exchange):
    """Records which thread writes which field."""

    def __setattr__(self, name: str, value: object) -> None:
        self.__dict__.setdefault("written", {}).setdefault(name, set()).add(threading.current_thread().name)
        super().__setattr__(name, value)


class Board:
    """A board with a charging car, for `steps` steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def read(self, inputs: object) -> None:
        vars(inputs).update(rail_mv=5000, supply_mv=230_000, temperature_c=25, meter_wh=1, pilot_high_mv=6000)
        vars(inputs).update(pilot_low_mv=-12_000)
        self.left -= 1
        if self.left < 0:
            raise EOFError("the end of the test")

    def write(self, outputs: object) -> None:
        pass

    def move_live_line(self) -> None:
        pass

    def keep_latched(self, names: object) -> None:
        pass

    def give_up(self) -> None:
        pass

    def feed(self) -> None:
        pass


def test_two_threads_that_run_write_what_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real loop runs on its own thread, beside everything that the main thread does to it."""
    controller = Controller(0, Setup(32, True, False, 0, True))
    exchange = controller.exchange
    exchange.__class__ = Watched
    clock = FakeClock()
    monkeypatch.setattr(sys, "print_exception", lambda error: None, raising=False)
    monkeypatch.setattr(ControlLoop, "_sleep_until", lambda self, due_ms: None)
    loop = threading.Thread(target=ControlLoop(Board(2000), controller, clock)._run, name="control")
    manager = ClaimManager(exchange, Claims(lambda: 0), {"schedule": ""}, WallClock(clock), lambda *_: None)
    folder = empty("tests-exchange")
    persistence = Persistence(exchange, manager, Checkpoint(folder, 0), WallClock(clock), folder)
    unit = ChargePoint()
    unit.exchange, unit._claim_manager = exchange, manager

    def turn() -> None:
        clock.now += 20
        persistence.poll()
        unit.clear_faults()
        unit.test_rcd()
        exchange.take_worst_ms()

    loop.start()
    while loop.is_alive():
        turn()
    for _ in range(20):
        turn()
    written = vars(exchange)["written"]
    main = threading.current_thread().name
    assert {name for name, by in written.items() if by == {main}} <= MAIN | ASKED
    assert {name for name, by in written.items() if by == {"control"}} <= CONTROL
    assert {name for name, by in written.items() if len(by) == 2} <= ASKED
    assert {"claims", "clear_wanted", "report", "worst_ms", "powered"} <= set(written)
    assert sum(exchange.apart) == 2000


def values(value: object) -> list[object]:
    return [value, *(inner for one in value for inner in values(one))] if isinstance(value, tuple) else [value]


def test_what_a_field_refers_to_cannot_be_changed_afterwards() -> None:
    """Otherwise half of a change could be seen."""
    exchange = Controller(0, Setup(32, True, False, 0, True)).exchange
    exchange.report = exchange.report._replace(session=Kept(1, 0, 0, 0))
    exchange.claims = limits.unread(0)
    for name in fields() - SHARED:
        for value in values(getattr(exchange, name)):
            assert isinstance(value, tuple | str | int | float | bool | None), name
