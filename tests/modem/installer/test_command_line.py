"""Which exit code and output does the tool have, also without a modem?"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from serial.tools import list_ports  # type: ignore[import-untyped]

from modem.installer import command_line, finding
from modem.installer.errors import CannotTalk
from modem.installer.measuring import measuring
from modem.installer.readings import Network
from tests.modem.installer.fake import EE, O2, VODAFONE, FakeSource

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the tool with a source; no port is opened, and no time passes."""

    def running(source: FakeSource, *arguments: str) -> tuple[int, str, str]:
        now = iter(range(100_000))
        monkeypatch.setattr(command_line, "open_port", lambda path, idle: (path or "/dev/ttyUSB0", None))
        monkeypatch.setattr(command_line, "ModemSource", lambda *_: source)

        def at_once(source: Any, seconds: int) -> Any:
            return measuring(source, seconds, lambda: next(now) / 2, lambda _: None)

        monkeypatch.setattr(command_line, "measuring", at_once)
        code = command_line.main(list(arguments))
        said = capsys.readouterr()
        assert source.left
        return code, said.out, said.err

    return running


@pytest.mark.parametrize(("csq", "code"), [(15, 0), (14, 1), (0, 1), (99, 2)])
def test_signal_passes_fails_or_has_no_reading(run: Run, csq: int, code: int) -> None:
    assert run(FakeSource([csq]), "signal")[0] == code


@pytest.mark.parametrize(("csq", "code"), [(15, 0), (14, 1)])
def test_rsrp_and_rsrq_are_shown_and_the_verdict_stays_in_csq(run: Run, csq: int, code: int) -> None:
    source = FakeSource([csq])
    source.reference = (-109, -18)
    got, out, err = run(source, "signal", "--json")
    assert got == code
    assert "RSRP -109 dBm, RSRQ -18 dB" in " ".join(err.split())
    told = json.loads(out)
    assert (told["rsrp_dbm"], told["rsrq_db"], told["csq"]["median"]) == (-109, -18, csq)


def test_json_is_one_object_and_all_else_goes_elsewhere(run: Run) -> None:
    code, out, err = run(FakeSource([17]), "signal", "--json")
    assert json.loads(out)["verdict"] == "pass"
    assert "PASS" in err


@pytest.mark.parametrize(("found", "code"), [([VODAFONE, O2], 0), ([VODAFONE], 1), ([], 2)])
def test_scan_passes_if_any_network_would(run: Run, found: list[Network], code: int) -> None:
    got, out, _ = run(FakeSource([17], found=found), "scan", "--json")
    assert got == code
    assert [row["plmn"] for row in json.loads(out)["networks"]] == [network.plmn for network in found]


def test_report_writes_a_page_and_its_json(run: Run, tmp_path: Path) -> None:
    where = tmp_path / "report.html"
    source = FakeSource([6], found=[VODAFONE, EE])
    code, out, _ = run(source, "report", "--place", "Garage", "--unit", "CK-9", "--out", str(where))
    assert code == 1
    assert "Signal booster" in out
    told = json.loads(where.with_suffix(".json").read_text())
    assert (told["unit"], told["place"], told["recommendation"]) == ("CK-9", "Garage", "signal booster")


def test_a_report_that_cannot_be_written_is_said_in_one_line_before_anything_is_measured(
    run: Run, tmp_path: Path
) -> None:
    with_nothing_to_measure = FakeSource([])
    code, out, err = run(with_nothing_to_measure, "report", "--out", str(tmp_path / "none" / "r.html"))
    assert (code, out) == (3, "")
    assert err == f"{tmp_path}/none: cannot write the report (No such file or directory); choose another path\n"


def test_a_report_that_cannot_be_written_after_all_is_said_in_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "r.html").mkdir()
    code, _, err = run(FakeSource([20]), "report", "--out", str(tmp_path / "r.html"))
    assert code == 3
    assert err == f"{tmp_path}/r.html: cannot write the report (Is a directory); choose another path\n"


def test_ctrl_c_leaves_the_modem_and_says_so(run: Run) -> None:
    class Interrupted(FakeSource):
        def networks(self) -> list[Network]:
            raise KeyboardInterrupt

    assert run(Interrupted([20]), "scan")[0] == 130


def test_no_port_at_all_is_exit_code_3(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(list_ports, "comports", list)
    assert command_line.main(["signal"]) == 3
    assert capsys.readouterr().err == "no serial port found; plug in the cable, or name the port with --port\n"


class Found:
    """A port as pyserial lists it."""

    def __init__(self, device: str, vid: int | None) -> None:
        self.device = device
        self.vid = vid


@pytest.mark.parametrize("onboard", [[], [Found("/dev/ttyS0", None), Found("/dev/ttyS1", None)]])
def test_the_only_port_with_something_behind_it_is_found(monkeypatch: pytest.MonkeyPatch, onboard: list[Found]) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: [*onboard, Found("/dev/ttyUSB0", 0x1A86)])
    assert finding.only_port() == "/dev/ttyUSB0"


def test_of_several_ports_one_must_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: [Found("/dev/ttyUSB1", 1), Found("/dev/ttyUSB0", 1)])
    with pytest.raises(CannotTalk, match="/dev/ttyUSB0, /dev/ttyUSB1"):
        finding.only_port()


@pytest.mark.parametrize(
    ("path", "words"), [("/dev/none", "no such port"), ("/etc/passwd", "not a serial port"), ("/tmp", "not a")]
)
def test_what_is_no_port_is_said_in_one_line(path: str, words: str) -> None:
    with pytest.raises(CannotTalk, match=words):
        finding.open_port(path)


@pytest.mark.parametrize("seconds", ["9", "-1", "x", "4000"])
def test_a_silly_duration_is_refused(seconds: str) -> None:
    with pytest.raises(SystemExit, match="64"):
        command_line.main(["signal", "--seconds", seconds])
