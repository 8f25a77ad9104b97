"""Does `make run` start everything with one command, print the addresses, and end everything when it ends?"""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from hil_tests.fixtures.ports import free_ports

CHECKOUT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 120
STOPS_WITHIN_S = 60
PAGES_PACKAGES = Path("cloud_bridge/web/node_modules")


class Run:
    """A run of `python -m hil_tests` with its own ports and folder."""

    def __init__(
        self, folder: Path, ports: list[int], *command: str, checkout: Path = CHECKOUT, data: Path | None = None
    ) -> None:
        self.dashboard = f"http://127.0.0.1:{ports[0]}"
        self.panel = f"http://127.0.0.1:{ports[1]}/api/rig"
        self._out = folder / "said"
        names = ("CHARGEKEEPER_HTTP_PORT", "CHARGEKEEPER_PANEL_PORT", "CHARGEKEEPER_MQTT_PORT")
        settings = dict(zip(names, map(str, ports), strict=True))
        settings |= {"CHARGEKEEPER_DATA": str(data or folder / "the data"), "COLUMNS": "300"}
        with self._out.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *(command or ("hil_tests",))],
                cwd=checkout,
                env={**os.environ, **settings},
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        """Return everything that was printed."""
        return self._out.read_text()

    def wait_for(self, text: str, within_s: float = READY_WITHIN_S) -> str:
        """Wait until a text was printed. Return the whole output."""
        deadline_s = time.monotonic() + within_s
        while text not in (said := self.said()):
            assert time.monotonic() < deadline_s, f"it did not say {text!r} but:\n{said}"
            time.sleep(0.1)
        return said

    def rig(self, what: str = "", **order: Any) -> dict[str, Any]:
        """Return the panel's JSON. With an order, send a POST first."""
        body = json.dumps(order).encode() if what else None
        request = urllib.request.Request(self.panel + what, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as reply:
            seen: dict[str, Any] = json.load(reply)
        return seen

    def children(self) -> dict[int, str]:
        """Return its child processes, with their command lines."""
        pids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {int(pid): Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") for pid in pids}

    def stop(self) -> None:
        """End the run as Ctrl-C does, if it still runs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(STOPS_WITHIN_S)


@pytest.fixture(scope="module")
def ports() -> list[int]:
    """Return ports for HTTP, panel and MQTT."""
    return free_ports(3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for all runs of this module."""
    return tmp_path_factory.mktemp("make run")


@pytest.fixture
def run(folder: Path, ports: list[int]) -> Iterator[Run]:
    """Yield a run, and stop it afterwards."""
    running = Run(folder, ports)
    yield running
    running.stop()


def form_of(page: str) -> str:
    """Return the token of a page's form."""
    form = re.search(r'name="form" value="([^"]+)"', page)
    assert form is not None, page
    return form[1]


def log_in(browser: httpx.Client, name: str, password: str) -> str:
    """Log in and return the following page."""
    form = form_of(browser.get("/login").text)
    return browser.post("/login", data={"name": name, "password": password, "form": form}).text


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a fresh clone, with the packages that `make .venv` has fetched."""
    clone = tmp_path / "chargekeeper"
    subprocess.run(["git", "clone", "--quiet", CHECKOUT, clone], check=True, timeout=STOPS_WITHIN_S)
    (clone / PAGES_PACKAGES).symlink_to(CHECKOUT / PAGES_PACKAGES)
    return clone


def test_from_a_clone_to_a_dashboard_with_the_car_charging(
    request: pytest.FixtureRequest, folder: Path, ports: list[int]
) -> None:
    """Are there four logins, a month of history and a connected car, and does Ctrl-C end every process?"""
    begun_s = time.monotonic()
    run = Run(folder, ports, checkout=request.getfixturevalue("clone"))
    try:
        said = run.wait_for("Ctrl-C ends it")
        assert f"http://127.0.0.1:{ports[0]}" in said
        assert f"http://127.0.0.1:{ports[1]}" in said
        assert re.search(r"\d s  the cloud side starts", said), "progress"
        passwords = dict(re.findall(r"login +(\w+) .*?password (\S{12,}) ", said))
        assert list(passwords) == ["demo", "installer", "support", "operator"], said
        run.rig("/plug")
        with httpx.Client(base_url=run.dashboard, follow_redirects=True, timeout=30, trust_env=False) as driver:
            dashboard = log_in(driver, "demo", passwords["demo"])
            while not re.search(r"<h1[^>]*>\s*Charging", dashboard):
                assert time.monotonic() - begun_s < READY_WITHIN_S, dashboard
                time.sleep(0.2)
                dashboard = driver.get("/").text
            print(f"from git clone to a dashboard with the car charging: {time.monotonic() - begun_s:.1f} s")
            assert "Demo car" in dashboard
            history = driver.get("/charge-points/CK-0001/history?days=30").text
        assert "Silent twice" in history
        assert history.count("unplugged") >= 10
        with httpx.Client(base_url=run.dashboard, follow_redirects=True, timeout=30, trust_env=False) as operator:
            asked = log_in(operator, "operator", passwords["operator"])
            assert "Code of your authenticator app" in asked
            code = run.rig()["cloud"]["operator_code"]["code"]
            opened = operator.post("/login/code", data={"form": form_of(asked), "code": code})
            assert opened.status_code == 200 and "/login" not in str(opened.url), opened.text
        children = run.children()
        assert len(children) == 2, children
    finally:
        run.stop()
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


def test_is_a_second_run_on_the_folder_refused_and_a_killed_part_started_again(run: Run, folder: Path) -> None:
    """Is no password printed this time, is the other run named with advice, and do both parts come back while the car
    charges?"""
    said = run.wait_for("Ctrl-C ends it")
    assert "password printed when it was made" in said
    assert "logins are made" not in said and "a month of history" not in said
    second = folder / "second"
    second.mkdir()
    refused = Run(second, free_ports(3), data=folder / "the data")
    assert refused.process.wait(STOPS_WITHIN_S) == 1
    (line,) = refused.said().strip().splitlines()
    assert run.dashboard in line and "Ctrl-C" in line and "CHARGEKEEPER_DATA" in line
    parts = {"cloud_bridge": "The cloud side runs again", "micropython": "it is started again"}
    for part, text in parts.items():
        for pid, command in run.children().items():
            if part in command:
                os.kill(pid, signal.SIGKILL)
        run.wait_for(text)
    seen = run.rig()
    assert seen["cloud"]["state"] == "running"
    deadline_s = time.monotonic() + READY_WITHIN_S
    while not run.rig()["running"]:
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


def test_a_first_run_that_was_interrupted_is_made_good(tmp_path: Path) -> None:
    """After Ctrl-C while logins are created: does the next run print every password, and has the driver charger,
    history and car?"""
    ports = free_ports(3)
    first = Run(tmp_path, ports)
    first.wait_for("logins are made")
    first.stop()
    assert "Ctrl-C ends it" not in first.said()
    run = Run(tmp_path, ports)
    try:
        said = run.wait_for("Ctrl-C ends it")
    finally:
        run.stop()
    assert "not everything was prepared" not in said
    assert len(re.findall(r"password \S{12,} ", said)) == 4, said
    with closing(sqlite3.connect(tmp_path / "the data" / "chargekeeper.db")) as store:
        counts = [store.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("ownerships", "vehicles")]
        sessions = store.execute("SELECT count(*) FROM sessions").fetchone()[0]
    assert counts == [1, 1]
    assert sessions >= 10


@pytest.mark.parametrize("command", ["hil_tests", "hil_tests.rig"])
def test_is_a_firmware_that_died_an_error_with_its_last_words(tmp_path: Path, command: str) -> None:
    """Is there no banner, exit code 1, and nothing left running?"""
    unit = tmp_path / "the data" / "unit-CK-0001"
    (unit / "flash.bin").mkdir(parents=True)  # not a file, so the chip cannot be opened
    run = Run(tmp_path, free_ports(3), command, *(["--folder", str(unit), "--port", "0"] if "rig" in command else []))
    try:
        assert run.process.wait(READY_WITHIN_S) == 1
    finally:
        run.stop()
    said = run.said()
    assert "Ctrl-C ends it" not in said
    assert "chargekeeper: the firmware stopped 6 times" in said and "EISDIR" in said, said


def test_is_a_busy_port_named_with_its_variable(tmp_path: Path, ports: list[int]) -> None:
    """Is there one line and exit code 1, with nothing started?"""
    with socket.create_server(("127.0.0.1", ports[1])):
        refused = Run(tmp_path, ports)
        assert refused.process.wait(STOPS_WITHIN_S) == 1
    assert str(ports[1]) in refused.said()
    assert "CHARGEKEEPER_PANEL_PORT" in refused.said()
    assert len(refused.said().strip().splitlines()) == 1
