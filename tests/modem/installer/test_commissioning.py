"""Do the steps of commissioning check each answer, refuse what must be corrected, and continue where the installer stopped?

The unit is the firmware's own console and commissioning, at the other end of a serial line (a pseudo-terminal).
"""

import json
import os
import select
import threading
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware.console import Console
from modem.installer import command_line
from modem.installer.commissioning import QUESTIONS, csq_of
from modem.installer.measuring import measuring
from modem.signal import UNKNOWN, Verdict, verdict
from tests.firmware.test_commissioning import Unit

GOOD = ["Jo Spark", "32", "tn-c-s", "y", "24"]


class Line:
    """The unit's end of the line, as the port of its console."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def read(self) -> bytes:
        return os.read(self._fd, 4096) if select.select([self._fd], [], [], 0)[0] else b""

    def write(self, data: bytes) -> None:
        os.write(self._fd, data)


class UnitConsole(Console):
    """A console whose measurements take the next value of `csqs`."""

    def __init__(self, port: Line, unit: Any, csqs: list[int]) -> None:
        super().__init__(port, unit)
        self.csqs, self._unit, self._samples = csqs, unit, 0

    def _answer(self, line: bytes) -> list[str]:
        if line.startswith(b"status"):
            commissioned = super()._answer(b"commission")[0]
            return ["id CP1", commissioned, "modem sim800 SIM800L", "csq 20", "ok"]
        if line.startswith(b"csq"):
            self._samples += 1
            return [f"csq {self.csqs[0]}", "operator 23415", f"sample {self._samples}", "ok"]
        return super()._answer(line)


class Bench:
    """A unit, its line, and an installer who types what the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.unit: Any = Unit()
        self.folder, self.typed, self.asked = folder, list[str](), list[str]()
        ours, self._theirs = os.openpty()
        tty.setraw(ours)
        tty.setraw(self._theirs)
        self.port = os.ttyname(self._theirs)
        self.console = UnitConsole(Line(ours), self.unit, [21])
        self._ours, self._over = ours, threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        now = iter(range(1_000_000))

        def measure(source: Any, seconds: int) -> Any:
            yield from measuring(source, seconds, lambda: next(now) / 2, lambda _: None)
            if len(self.console.csqs) > 1:
                self.console.csqs.pop(0)

        monkeypatch.setattr(command_line, "measuring", measure)
        monkeypatch.setattr("builtins.input", self._type)
        monkeypatch.setattr(command_line, "getpass", self._type)

    def _type(self, words: str) -> str:
        self.asked.append(words)
        if not self.typed:
            raise EOFError
        return self.typed.pop(0)

    def _serve(self) -> None:
        while not self._over.is_set():
            if select.select([self._ours], [], [], 0.05)[0]:
                self.console.poll()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()
        os.close(self._ours)
        os.close(self._theirs)

    def run(self, *typed: str) -> int:
        self.typed, self.asked = list(typed), []
        return command_line.main(["commission", "--port", self.port, "--report", str(self.folder / "record.txt")])


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(monkeypatch, tmp_path)
    yield bench
    bench.stop()


def test_the_unit_is_commissioned_and_its_record_written(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.run(*GOOD) == 0
    assert bench.unit.most_a() == 32
    record = (bench.folder / "record.txt").read_text()
    for line in ("Rating of the circuit (A)       32", "Earthing arrangement            TN-C-S", "Jo Spark", "console"):
        assert line in record, record
    assert "Commissioned for 32 A" in capsys.readouterr().out
    assert [path.name for path in bench.folder.iterdir()] == ["record.txt"], "nothing is left of the answers"


def test_an_answer_that_is_none_is_asked_for_again(bench: Bench) -> None:
    assert bench.run("", "Jo", "81", "1e1", "", "32", "IT", "TT", "perhaps", "yes", "fast", "0", "300") == 0
    record = bench.unit.noted[-1][1]
    assert (record["by"], record["amps"], record["earth"], record["rcd_ms"]) == ("Jo", 32, "TT", 300)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["Jo", "32", "TT", "n"], "Correct the supply, then run this command again"),
        (["Jo", "32", "TT", "y", "301"], "The RCD trips after 301 ms; the limit is 300 ms"),
    ],
)
def test_what_must_be_put_right_ends_it_and_it_goes_on_from_there(
    bench: Bench, capsys: pytest.CaptureFixture[str], typed: list[str], said: str
) -> None:
    assert bench.run(*typed) == 1
    assert said in " ".join(capsys.readouterr().out.split())
    assert bench.unit.most_a() == 6 and not (bench.folder / "record.txt").exists()
    assert bench.run(*GOOD[len(typed) - 1 :]) == 0, bench.asked
    assert bench.unit.most_a() == 32 and bench.unit.noted[-1][1]["earth"] == "TT"


@pytest.mark.parametrize("answers", range(len(GOOD) + 1))
def test_it_may_be_stopped_at_every_question(bench: Bench, answers: int) -> None:
    bench.console.csqs = [9, 9, 21]
    assert bench.run(*GOOD[:answers]) == 130
    assert bench.unit.most_a() == 6
    assert bench.run(*GOOD[answers:], "a", "a") == 0
    assert len(bench.asked) <= len(GOOD) - answers + 2


def test_a_weak_signal_is_offered_a_boost_and_what_came_of_it_is_recorded(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.console.csqs = [9, 17]
    assert bench.run(*GOOD, "?", "f") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Fit a signal booster" in said and "Offer a signal boost" in said
    assert (bench.unit.noted[-1][1]["csq"], bench.unit.noted[-1][1]["boost"]) == (17, "fitted")
    bench.console.csqs = [14]
    assert bench.run(*GOOD, "o") == 0
    assert (bench.unit.noted[-1][1]["csq"], bench.unit.noted[-1][1]["boost"]) == (14, "ordered")


def test_a_unit_with_a_code_asks_for_it(bench: Bench) -> None:
    bench.unit.settings.change({"installer_code": "4711-0815"})
    assert bench.run("wrong", "0000", "no") == 1 and bench.unit.most_a() == 6
    bench.unit.installer_lock.wait_until_ms = 0
    assert bench.run("4711-0815", *GOOD) == 0
    assert bench.unit.most_a() == 32


def test_what_the_unit_refuses_is_said(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.unit.flash = lambda: bench.unit.folder + "/none"
    assert bench.run(*GOOD) == 1
    assert "The unit refused: flash write failed" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "stored", ["", "[]", '{"unit": "CP2", "answers": {"amps": "80"}}', '{"unit": "CP1", "answers": 7}']
)
def test_answers_of_another_unit_and_what_is_no_such_file_count_as_none(bench: Bench, stored: str) -> None:
    (bench.folder / "record.answers.json").write_text(stored)
    assert bench.run(*GOOD) == 0 and bench.unit.most_a() == 32


def test_an_answer_of_before_is_checked_again(bench: Bench) -> None:
    answers = {"unit": "CP1", "answers": {"amps": "90", "polarity": "n", "by": "Al"}}
    (bench.folder / "record.answers.json").write_text(json.dumps(answers))
    assert bench.run(*GOOD[1:]) == 0
    assert (bench.unit.noted[-1][1]["amps"], bench.unit.noted[-1][1]["by"]) == (32, "Al")


def test_the_number_that_is_recorded_passes_if_the_verdict_does() -> None:
    assert csq_of(verdict([14, 15] * 5)) == 15 and csq_of(verdict([13, 14] * 5)) == 13
    assert csq_of(Verdict(UNKNOWN, 3, 20, 20, 20)) == 99
    assert len(QUESTIONS) == len(GOOD)
