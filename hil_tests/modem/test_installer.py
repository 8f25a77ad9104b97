"""Does the installer's tool give the right verdict on a real serial line, and leave the modem as it was?"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import serial  # type: ignore[import-untyped]  # pyserial comes without types

from hil_tests.fixtures.children import die_with_parent
from hil_tests.modem.conftest import ROOT, SimulatedModem

WITHIN_S = 60
VODAFONE = {"plmn": "23415", "name": "vodafone UK"}
O2 = {"plmn": "23410", "name": "O2 - UK"}


def tool(*arguments: str | Path) -> tuple[int, dict[str, Any], str]:
    """Run the tool. Return (exit code, its JSON, its messages for people)."""
    command = [sys.executable, "-m", "modem", *map(str, arguments), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def test_is_exactly_14_a_fail(modem: SimulatedModem) -> None:
    port = modem(operators=[{**VODAFONE, "csq": 14}])
    code, told, _ = tool("signal", "--port", port, "--seconds", "10")
    assert (code, told["verdict"]) == (1, "fail")
    assert told["readings"] >= 10
    assert told["operator"] == "23415"


def test_is_another_network_offered_before_a_booster(modem: SimulatedModem, tmp_path: Path) -> None:
    port = modem(operators=[{**VODAFONE, "csq": 9}, {**O2, "csq": 20, "serves": "reject 17", "cells": [11, 5]}])
    out = tmp_path / "report.html"
    code, told, _ = tool("report", "--port", port, "--seconds", "10", "--place", "Garage", "--out", out)
    # The strongest refuses, so the modem is on no network or on the weak one. The scan hears both in either case.
    assert [(row["plmn"], row["csq"], row["cells"]) for row in told["networks"]] == [("23410", 20, 3), ("23415", 9, 1)]
    assert code in (1, 2)
    assert "Garage" in out.read_text()


def test_is_no_2g_told_apart_from_weak(modem: SimulatedModem, tmp_path: Path) -> None:
    port = modem(operators=[])
    code, told, _ = tool("report", "--port", port, "--seconds", "10", "--out", tmp_path / "report.html")
    assert code == 2
    assert told["recommendation"] == "no 2G here"
    assert told["samples"][0]["csq"] == 99


def test_does_the_modem_that_restarts_in_a_scan_come_back(modem: SimulatedModem) -> None:
    port = modem(events=[{"in": "scan", "at_s": 0.5, "do": "brown_out"}])
    code, told, said = tool("scan", "--port", port)
    assert "reconnecting to the modem" in said
    assert code == 0
    assert len(told["networks"]) == 3


def test_does_a_modem_that_hangs_in_a_scan_and_is_reset_come_back(modem: SimulatedModem) -> None:
    """tests/modem/installer/test_modem_source.py tests a modem that stays dead: it takes the minutes that a scan may take."""
    reset = [{"in": "scan", "at_s": 0.5, "do": "hang"}, {"in": "scan", "at_s": 1, "do": "brown_out"}]
    code, told, said = tool("scan", "--port", modem(events=reset))
    assert said.splitlines()[0].startswith("the scan failed")
    assert code == 0
    assert len(told["networks"]) == 3


def _wait_until_open(process: "subprocess.Popen[str]", port: Path) -> None:
    """Wait until the tool has opened the port. It is then fully loaded, which may take many seconds on a busy machine."""
    deadline_s = time.monotonic() + WITHIN_S
    while port.resolve() not in [link.resolve() for link in Path(f"/proc/{process.pid}/fd").iterdir()]:
        assert time.monotonic() < deadline_s and process.poll() is None
        time.sleep(0.05)


def test_does_ctrl_c_in_a_scan_leave_the_modem_as_it_was(modem: SimulatedModem) -> None:
    port = modem(latencies={"scan": [20_000, 20_000]})
    command = [sys.executable, "-m", "modem", "scan", "--port", str(port)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=die_with_parent,
    ) as scanning:
        _wait_until_open(scanning, port)
        time.sleep(6)  # until the 20 s of the scan have begun
        scanning.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            scanning.wait(3)
        if scanning.poll() is None:
            scanning.send_signal(signal.SIGINT)  # as a person would if the first press came during the start
        said, _ = scanning.communicate(timeout=45)
    assert scanning.returncode == 130
    assert "settings were restored" in said
    with serial.Serial(str(port), 115_200, timeout=1) as line:
        line.write(b"AT+COPS?\r")
        answer = line.read(200)
    assert b'+COPS: 0,0,"vodafone UK"' in answer  # names as text again, as before
    assert answer.startswith(b"AT+COPS?")  # the echo is on again


def test_is_exactly_15_a_pass_and_noise_on_the_line_no_harm(modem: SimulatedModem) -> None:
    port = modem(operators=[{**VODAFONE, "csq": 15}], noise={"urc_one_in": 60, "lose_one_in": 0})
    code, told, _ = tool("signal", "--port", port, "--seconds", "10")
    assert (code, told["verdict"]) == (0, "pass")
    assert {sample["csq"] for sample in told["samples"]} == {15}


def test_is_a_lte_modem_scanned_its_own_way(modem: SimulatedModem) -> None:
    port = modem(model="SIM7000E", operators=[{**VODAFONE, "csq": 17, "act": 7}])
    code, told, _ = tool("scan", "--port", port)
    assert code == 2  # the tool receives the network, but cannot measure its signal
    assert told["networks"][0]["plmn"] == "23415"


def test_is_a_silent_device_not_taken_for_a_modem() -> None:
    master, slave = os.openpty()
    try:
        code, told, said = tool("signal", "--port", os.ttyname(slave))
    finally:
        os.close(master)
        os.close(slave)
    assert code == 3
    assert "no modem answers" in told["error"]
    assert len(said.strip().splitlines()) == 1
