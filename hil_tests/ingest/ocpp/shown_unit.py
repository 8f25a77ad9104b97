"""A unit of ours that is shown to an OCPP back-end, and third-party back-ends to show it to."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hil_tests.fixtures.children import die_with_parent
from hil_tests.fixtures.cloud_fixture import CloudFixture
from hil_tests.fixtures.mqtt_unit import MqttUnit
from hil_tests.fixtures.ports import free_ports

HERE = Path(__file__).parent / "backends"
KEY = "key-of-the-back-end"
WITHIN_S = 60.0
OWNER = "ann"


class ShownUnit:
    """A unit that reports what the test tells it to. Its owner is OWNER."""

    def __init__(self, cloud: CloudFixture, made: dict[str, Any]) -> None:
        self.name = str(made["id"])
        self._cloud = cloud
        self.unit: MqttUnit = cloud.connect((self.name, made["secret"]))

    def say(self, state: str, watts: int = 0, total_wh: int = 1000, **keys: Any) -> None:
        """Send a heartbeat."""
        self.unit.report("heartbeat", t=int(time.time()), s=state, m="smart", q=20, w=watts, e=total_wh, **keys)

    def show(self, url: str, *options: str, key: str = KEY) -> dict[str, Any]:
        """Show the unit to the back-end at `url`, with its owner's consent."""
        words = ("unit", "northbound", self.name, url, "--agreed-by", OWNER, *options)
        return self._cloud.command(*words, typed=f"{key}\n")


def owned_units(cloud: CloudFixture, *names: str) -> list[dict[str, Any]]:
    """Add units that belong to OWNER; return the output of each `unit add`."""
    _, *made = cloud.commands(["user", "add", OWNER], *(["unit", "add", name] for name in names))
    cloud.commands(*(["unit", "claim", one["claim_code"], OWNER] for one in made))
    return made


class BackEnd:
    """The process of a mostly third-party back-end. Its methods raise AssertionError for orders that it cannot carry out."""

    def __init__(self, process: "subprocess.Popen[str]", url: str, identity: str) -> None:
        self.url, self._process, self._identity = url, process, identity

    def do(self, *order: Any) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        came = json.loads(self._process.stdout.readline())
        assert "failed" not in came, came["failed"]
        return came["is"]

    def call(self, action: str, **payload: Any) -> Any:
        return self.do("call", self._identity, action, payload)

    def drop(self) -> None:
        self.do("drop", self._identity)

    def told(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = self.do("told")
        return told

    def until(self, condition: Callable[[list[dict[str, Any]]], object]) -> list[dict[str, Any]]:
        """Read what the back-end has received until the condition holds, and return it."""
        told: list[dict[str, Any]] = until(self.told, condition)
        return told


def until(read: Callable[[], Any], condition: Callable[[Any], object]) -> Any:
    give_up_s = time.monotonic() + WITHIN_S
    while not condition(told := read()):
        assert time.monotonic() < give_up_s, told
        time.sleep(0.1)
    return told


@contextmanager
def ocpp_csms(packages: Path, identity: str, port: int | None = None) -> Iterator[BackEnd]:
    """Run a back-end on ocpp-csms. `packages` contains the packages of backends/ocpp-csms.lock."""
    environment = os.environ | {"PYTHONPATH": str(packages)}
    with _running([sys.executable, "csms.py"], environment, identity, port) as back_end:
        yield back_end


@contextmanager
def ocpp_rpc(identity: str, port: int | None = None) -> Iterator[BackEnd]:
    with _running(["node", "rpc_server.mjs"], dict(os.environ), identity, port) as back_end:
        yield back_end


@contextmanager
def _running(command: list[str], environment: dict[str, str], identity: str, port: int | None) -> Iterator[BackEnd]:
    port = port or free_ports(1)[0]
    process = subprocess.Popen(
        [*command, str(port), KEY],
        cwd=HERE,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent,
    )
    try:
        assert process.stdout is not None and json.loads(process.stdout.readline()) == {"is": "ready"}
        yield BackEnd(process, f"ws://127.0.0.1:{port}/ocpp", identity)
    finally:
        process.kill()
        process.communicate()
