"""Does the tool report the same about a recorded modem and about the recording, replayed on another pty?"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hil_tests.modem.conftest import ROOT, SimulatedModem

END_S = 30
MODELS = ("SIM800L", "A7670E", "EC21")
NUMBERS = ("867856030000017", "901405100000017", "8944501012199900017")
VODAFONE = {"plmn": "23415", "name": "vodafone UK", "cells": [9, 6]}
O2 = {"plmn": "23410", "name": "O2 - UK", "csq": 10}
SIGNALS = [
    {"at_s": 10 + 4 * step, "do": "signal", "plmn": "23415", "csq": csq} for step, csq in enumerate((12, 19, 17))
]


def tool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "modem", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)


def tool_json(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
    done = tool(*arguments, "--json")
    return done.returncode, json.loads(done.stdout)


@contextmanager
def replayed(file: Path, link: Path, reported: list[str]) -> Iterator[Path]:
    """Replay `file` at `link`. At the end, `reported` holds what the replay has reported."""
    command = [sys.executable, "-m", "hil_tests.sim.modem", "--link", link, "--replay", file]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("a recording of "), process.communicate(timeout=END_S)[1]
        yield link
    finally:
        process.terminate()
        reported += process.communicate(timeout=END_S)[1].splitlines()


def test_is_a_replay_told_the_same_verdict_and_figures(modem: SimulatedModem, tmp_path: Path) -> None:
    """All models at once, because each takes as long as a person's measurements."""
    events, operators = SIGNALS, [{**VODAFONE, "csq": 16}, O2]
    ports = {model: modem(model=model, operators=operators, events=events) for model in MODELS}
    with ThreadPoolExecutor(len(MODELS)) as pool:
        for _ in pool.map(lambda model: replay_is_told_the_same(model, ports[model], tmp_path / model), MODELS):
            pass


def replay_is_told_the_same(model: str, port: Path, folder: Path) -> None:
    folder.mkdir()
    file = folder / "trace.txt"
    done = tool("trace", "--port", port, "--out", file, "--seconds", "1")
    said = " ".join(done.stderr.split())
    assert done.returncode == 0, (model, said)
    assert not [number for number in NUMBERS if number in file.read_text()], model

    reported: list[str] = []
    with replayed(file, folder / "replay", reported) as again:
        code, told = tool_json("report", "--port", again, "--out", folder / "report.html")
        assert (code, told["verdict"]) == (0, "pass"), model
        figures = told["csq"]
        assert f"median CSQ {figures['median']:g} " in said, model
        assert f", {figures['min']} to {figures['max']} in {told['readings']} readings" in said, model
        assert (figures["min"], figures["max"]) == (12, 19), model
        assert [row["plmn"] for row in told["networks"]] == ["23415", "23410"], model
        assert model == "SIM800L" or f"RSRP {told['rsrp_dbm']} dBm" in said, model
        code, told = tool_json("signal", "--port", again)
        assert (code, told["verdict"], told["csq"], told["operator"]) == (0, "pass", figures, "23415"), model
    assert reported[-1].endswith(" 0 not in the recording"), (model, reported)


def test_are_stray_bytes_and_urcs_in_answers_replayed(modem: SimulatedModem, tmp_path: Path) -> None:
    file = tmp_path / "trace.txt"
    noise = {"urc_one_in": 200, "lose_one_in": 400}
    port = modem(seed=3, model="EC21", operators=[{**VODAFONE, "csq": 20}], noise=noise)
    recorded = tool("trace", "--port", port, "--out", file, "--seconds", "0")
    assert " <| " in file.read_text()
    reported: list[str] = []
    with replayed(file, tmp_path / "replay", reported) as again:
        replay = tmp_path / "again.txt"
        repeated = tool("trace", "--port", again, "--out", replay, "--seconds", "0")
    assert repeated.returncode == recorded.returncode
    assert [line for line in repeated.stderr.splitlines() if "CSQ" in line] == [
        line for line in recorded.stderr.splitlines() if "CSQ" in line
    ]
    assert commands(replay) == commands(file)
    assert reported[-1].endswith(" 0 not in the recording"), reported


def commands(file: Path) -> list[str]:
    return [line.split(" ", 2)[2] for line in file.read_text().splitlines() if line.split(" ")[1] == ">"]


def test_is_a_silent_modem_recorded_and_replayed(tmp_path: Path) -> None:
    file = tmp_path / "trace.txt"
    master, slave = os.openpty()
    try:
        done = tool("trace", "--port", os.ttyname(slave), "--out", file)
    finally:
        os.close(master)
        os.close(slave)
    assert done.returncode == 3
    assert "no modem answers" in done.stderr
    assert "9600 baud" in file.read_text()
    with replayed(file, tmp_path / "replay", []) as again:
        code, told = tool_json("signal", "--port", again)
    assert code == 3
    assert "no modem answers" in told["error"]


def test_is_a_file_or_a_port_that_cannot_be_used_one_clear_error(tmp_path: Path) -> None:
    done = tool("trace", "--port", tmp_path / "none", "--out", tmp_path / "trace.txt")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == f"{tmp_path}/none: no such port; check the cable and the name of the port\n"
    assert not (tmp_path / "trace.txt").exists()


def test_is_a_file_that_is_no_recording_refused(tmp_path: Path) -> None:
    file = tmp_path / "trace.txt"
    file.write_text("1 > AT\nnonsense\n")
    command = [sys.executable, "-m", "hil_tests.sim.modem", "--replay", file]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=END_S, check=False)
    assert done.returncode == 1
    assert done.stderr == f"{file}: line 2 is no entry: 'nonsense'\n"
