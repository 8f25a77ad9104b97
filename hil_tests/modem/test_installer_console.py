"""Does a charge point measure and scan for the installer's tool, through its service console?"""

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil_tests.modem.conftest import ROOT, SimulatedModem
from hil_tests.modem.test_installer import O2, VODAFONE, tool
from hil_tests.rig.loop import LINKS

UNIT_READY_WITHIN_S = 60
END_WITHIN_S = 30


@pytest.fixture
def console(modem: SimulatedModem, tmp_path: Path) -> Iterator[Path]:
    """Yield the console's port of a virtual unit whose modem receives two networks. Its own network has CSQ 13."""
    modem_port = modem(
        operators=[{**VODAFONE, "csq": 13}, {**O2, "csq": 19}], saved={"cops_mode": 1, "cops_plmn": "23415"}
    )
    command = [sys.executable, "-m", "hil_tests.rig.loop", tmp_path / "unit"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as unit:
        try:
            lines = [tmp_path / "unit" / LINKS["modem"], modem_port]
            _wait_for(lines[0])
            ends = [os.open(line, os.O_RDWR | os.O_NOCTTY) for line in lines]
            stop, stopped = os.pipe()
            cable = threading.Thread(target=_carry, args=(*ends, stop))
            cable.start()
            yield tmp_path / "unit" / LINKS["console"]
            os.close(stopped)
            cable.join(END_WITHIN_S)
            for end in (*ends, stop):
                os.close(end)
        finally:
            unit.terminate()
            unit.wait(END_WITHIN_S)


def _wait_for(link: Path) -> None:
    deadline_s = time.monotonic() + UNIT_READY_WITHIN_S
    while not link.exists():
        assert time.monotonic() < deadline_s, f"no {link}"
        time.sleep(0.05)


def _carry(one: int, other: int, stop: int) -> None:
    """Copy bytes between two lines, in both directions, until the pipe `stop` is closed."""
    while stop not in (ready := select.select([one, other, stop], [], [])[0]):
        for end in ready:
            os.write(other if end == one else one, os.read(end, 4096))


def test_does_the_unit_measure_and_scan_for_the_installer(console: Path, tmp_path: Path) -> None:
    """Does the tool tell the console from a modem's port, find the weak network and the better one, and write the report?"""
    page = tmp_path / "report.html"
    code, told, said = tool("report", "--console", "--port", console, "--seconds", "15", "--out", page)
    assert (code, told.get("verdict"), told.get("operator")) == (1, "fail", "23415"), (told, said)
    assert [(row["plmn"], row["csq"]) for row in told["networks"]] == [("23410", 19), ("23415", 13)]
    assert told["recommendation"] == "other network"
    assert "O2 - UK" in page.read_text()
    code, told, _ = tool("signal", "--port", console)
    assert code == 3
    assert "add --console" in told["error"]
