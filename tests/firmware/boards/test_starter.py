"""Does the starter of a stock image only start a complete copy, and say in one line what is wrong with any other?"""

import binascii
import json
import shutil
import sys
import types
from pathlib import Path

import pytest

from firmware.boards import board, esp32_reset
from firmware.boards.stock import main as starter
from firmware.boards.stock import starter as slot_choice

FILES = {
    "firmware/app.mpy": b"M\x06\x00\x1f app",
    "firmware/version.mpy": b"M\x06\x00\x1f 0.1.0",
    "modem/at.mpy": b"M\x06\x00\x1f at",
}
ROOM_BYTES = 300_000


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "chargekeeper"
    for name, content in FILES.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)
    write_list(home)
    return home


def write_list(home: Path, **changed: object) -> None:
    files = {name: binascii.crc32(content) for name, content in FILES.items()}
    made = {"version": "0.1.0", "image": "ESP32_GENERIC-SPIRAM", "mpy": 6, "heap_bytes": 215_000, "files": files}
    (home / starter.LIST).write_text(json.dumps({**made, **changed}))


def complaint(home: Path, mpy: int = 6, free_bytes: int = ROOM_BYTES) -> str | None:
    why = starter.complaint(str(home), mpy, free_bytes)
    assert why is None or "\n" not in why
    return why


def test_it_mounts_as_the_board_would() -> None:
    assert (board.Board.flash, board.PROGRAM_BYTES) == (starter.FLASH, starter.PROGRAM_BYTES)


def test_a_whole_copy_is_started(home: Path) -> None:
    assert complaint(home) is None


def test_no_copy_and_a_copy_that_was_cut_before_its_list(home: Path) -> None:
    (home / starter.LIST).unlink()
    assert "is not complete; run `make flash` again" in str(complaint(home))
    shutil.rmtree(home)
    assert "is not complete; run `make flash` again" in str(complaint(home))


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(home: Path, name: str) -> None:
    (home / name).unlink()
    assert complaint(home) == f"{name} of version 0.1.0 is missing; run `make flash` again"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "spoil", [lambda whole: whole[:-1], lambda whole: whole + b"x", lambda whole: b"", lambda whole: whole[::-1]]
)
def test_half_a_file_and_another_versions_file_are_named(home: Path, name: str, spoil: object) -> None:
    (home / name).write_bytes(spoil(FILES[name]))  # type: ignore[operator]  # one of the above
    assert complaint(home) == f"{name} is not that of version 0.1.0; run `make flash` again"


def test_a_list_cut_anywhere_is_one_line(home: Path) -> None:
    whole = (home / starter.LIST).read_bytes()
    for end in range(len(whole)):
        (home / starter.LIST).write_bytes(whole[:end])
        assert "cannot be read" in str(complaint(home)), end


@pytest.mark.parametrize("missing", ["version", "image", "mpy", "heap_bytes", "files"])
def test_a_list_without_a_field_is_one_line(home: Path, missing: str) -> None:
    made = json.loads((home / starter.LIST).read_text())
    del made[missing]
    (home / starter.LIST).write_text(json.dumps(made))
    assert "cannot be read" in str(complaint(home))


@pytest.mark.parametrize("field", ["mpy", "heap_bytes", "files"])
@pytest.mark.parametrize("value", [None, "x", [1], {"a": None}])
def test_a_list_with_a_wrong_value_is_one_line(home: Path, field: str, value: object) -> None:
    write_list(home, **{field: value})
    assert complaint(home) is not None


def test_another_image_is_told_which_one_it_takes(home: Path) -> None:
    assert complaint(home, mpy=5) == (
        "version 0.1.0 was made for ESP32_GENERIC-SPIRAM (.mpy files of version 6; this image runs 5); flash that image"
    )
    assert complaint(home, free_bytes=110_000) == (
        "version 0.1.0 needs 215000 bytes of memory, and this image has 110000; flash ESP32_GENERIC-SPIRAM"
    )


class Wires:
    """The wires of a board. `done` records the calls."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def make_safe(self) -> None:
        self.done.append("safe")

    def show_red(self) -> None:
        self.done.append("red")


def without_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "starter", slot_choice)
    monkeypatch.setitem(sys.modules, "machine", Machine())  # type: ignore[arg-type]  # as much of it as is used
    for name in ("choose", "rescue"):
        monkeypatch.setattr(slot_choice, name, lambda *_: "built_in")


def test_the_outputs_are_safe_the_light_red_and_the_line_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without_slots(monkeypatch)
    monkeypatch.setattr(starter, "complaint", lambda home: f"the copy in {home} is not complete")
    wires = Wires()
    starter.start(starter.Esp32(), wires)
    assert wires.done == ["safe", "red"]
    assert capsys.readouterr().out == (
        "chargekeeper: no slot is whole, and the copy in /chargekeeper is not complete\n"
    )


def test_wires_that_fail_leave_the_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "print_exception", lambda error: None, raising=False)
    for wires in (None, object()):
        starter.refuse(wires, "why")
        assert capsys.readouterr().out == "chargekeeper: why\n"


def test_each_board_that_is_flashed_has_its_wires() -> None:
    """The pins are equal to those of the board itself."""
    source = (Path(starter.__file__).parent / "wires_tcall.py").read_text()
    board_source = (Path(starter.__file__).parents[1] / "tcall.py").read_text()
    assert "PILOT_PWM, CONTACTOR, RCD_TEST, LIGHT = 25, 18, 19, 13\n" in source
    assert "PILOT_PWM, CONTACTOR, RCD_TEST, LIGHT, LIVE_LINE = 25, 18, 19, 13, 33\n" in board_source


class Machine:
    """MicroPython's module `machine` on an ESP32."""

    PWRON_RESET, HARD_RESET, WDT_RESET = 1, 2, 3

    def __init__(self, told: int = 1, memory: bytes = b"") -> None:
        self._told, self._memory = told, memory
        self.done: list[str] = []

    def reset_cause(self) -> int:
        return self._told

    def RTC(self) -> "Machine":  # noqa: N802  (the name that MicroPython has)
        return self

    def memory(self) -> bytes:
        return self._memory

    def WDT(self, timeout: int) -> None:  # noqa: N802  (likewise)
        self.done.append(f"watchdog {timeout}")

    def reset(self) -> None:
        self.done.append("reset")
        raise Reset


@pytest.mark.parametrize(
    ("told", "memory", "cause"),
    [
        (1, b"", "other"),
        (2, b"", "watchdog"),
        (2, b"reset rcd_ac", "other"),
        (3, b"", "watchdog"),
        (3, b"reset ", "watchdog"),
        (5, b"", "other"),
    ],
)
def test_a_panic_counts_and_a_restart_that_was_asked_for_does_not(
    monkeypatch: pytest.MonkeyPatch, told: int, memory: bytes, cause: str
) -> None:
    monkeypatch.setitem(sys.modules, "machine", Machine(told, memory))  # type: ignore[arg-type]  # as much of it as is used
    assert starter.Esp32().cause() == cause
    assert starter.ASKED == esp32_reset.ASKED


class Port(starter.Esp32):
    def mount(self) -> None:
        """Do not mount anything."""


class Reset(BaseException):
    """The processor was reset."""


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine on which importing the product raises."""
    machine = Machine()
    monkeypatch.setitem(sys.modules, "machine", machine)  # type: ignore[arg-type]  # as much of it as is used
    monkeypatch.setitem(sys.modules, "firmware.main", None)  # importing it raises
    monkeypatch.setattr(sys, "print_exception", lambda error: None, raising=False)
    monkeypatch.setattr(starter.time, "sleep", lambda seconds: machine.done.append(f"sleep {seconds}"))
    return machine


def test_a_slot_that_ends_by_a_mistake_is_blamed_and_the_unit_restarts(
    monkeypatch: pytest.MonkeyPatch, machine: Machine
) -> None:
    blamed, entered = [], []
    slots = types.ModuleType("starter")
    slots.choose = lambda flash, cause: "a"  # type: ignore[attr-defined]  # as the real one
    slots.enter = lambda flash, slot: entered.append((flash, slot))  # type: ignore[attr-defined]
    slots.blame = lambda flash, why: blamed.append((flash, why))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "starter", slots)
    with pytest.raises(Reset):
        starter.start(Port(), Wires())
    assert entered == [("/flash", "a")] and blamed == [("/flash", "panic")]
    assert machine.done == ["watchdog 30000", "reset"]


def test_what_was_flashed_and_ends_by_a_mistake_is_told_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, machine: Machine
) -> None:
    without_slots(monkeypatch)
    monkeypatch.setitem(sys.modules, "machine", machine)  # type: ignore[arg-type]  # likewise
    monkeypatch.setattr(starter, "complaint", lambda home: None)
    wires = Wires()
    with pytest.raises(Reset):
        starter.start(Port(), wires)
    assert wires.done == ["safe", "red"]
    assert machine.done == ["sleep 10", "reset"]


@pytest.mark.parametrize("broken", ["missing", "choose", "load"])
def test_a_starter_that_is_damaged_leaves_what_was_flashed(
    monkeypatch: pytest.MonkeyPatch, machine: Machine, broken: str
) -> None:
    monkeypatch.setitem(sys.modules, "starter", None if broken == "missing" else slot_choice)
    if broken != "missing":
        monkeypatch.setattr(slot_choice, broken, lambda *_: {}["active"])
    monkeypatch.setattr(starter, "_start_flashed", lambda port, wires: "started")
    monkeypatch.setattr(starter, "complaint", lambda home: None)
    assert starter.start(Port(), Wires()) == "started"
    assert machine.done == []
