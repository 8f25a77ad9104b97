"""Can a client generated from a running bridge's own API description read that bridge and send a command?

The generator is openapi-python-client. The description is fetched over HTTP with a token.
"""

import importlib
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hil_tests.fixtures.cloud_fixture import API_TOKEN, CloudFixture
from hil_tests.fixtures.mqtt_unit import MqttUnit

PACKAGE = "generated_client"
GENERATED_WITHIN_S = 60
SAMPLES = Path(__file__).parents[2] / "tests" / "samples"


class Client:
    """The generated package, and a connection to the bridge that it was generated from."""

    def __init__(self, port: int, unit: MqttUnit) -> None:
        self.unit = unit
        address, options = f"http://127.0.0.1:{port}", {"trust_env": False}  # no proxy on loopback
        package = importlib.import_module(PACKAGE)
        self.models = importlib.import_module(f"{PACKAGE}.models")
        self._api = importlib.import_module(f"{PACKAGE}.api.default")
        self._with_token = package.AuthenticatedClient(
            base_url=address, token=API_TOKEN, httpx_args=options, raise_on_unexpected_status=True
        )
        self._without = package.Client(base_url=address, httpx_args=options, raise_on_unexpected_status=True)

    def read(self, operation: str, *arguments: Any, token: bool = True, **options: Any) -> Any:
        """Return the parsed answer of the operation whose name begins with `operation`, of any status."""
        client = self._with_token if token else self._without
        return self._module(operation).sync(*arguments, client=client, **options)

    def close(self) -> None:
        for client in (self._with_token, self._without):
            client.get_httpx_client().close()

    def _module(self, operation: str) -> ModuleType:
        (file,) = Path(self._api.__path__[0]).glob(f"{operation}.py")
        return importlib.import_module(f"{PACKAGE}.api.default.{file.stem}")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client for a bridge that has received a heartbeat, a session and an event."""
    cloud = CloudFixture(tmp_path_factory.mktemp("bridge"))
    (unit,) = cloud.add_units(["cp-1"])
    five_minutes_ms = 5 * 60 * 1000
    summarized_ms = (int(time.time() * 1000) // five_minutes_ms - 2) * five_minutes_ms
    with closing(sqlite3.connect(cloud.folder / "chargekeeper.db")) as store, store:  # the bridge's own comes too late
        store.execute(
            "INSERT INTO signal_5min VALUES (?1 / 86400000, 'cp-1', ?1, '23415', 15, 19, 85, 5)", (summarized_ms,)
        )
    try:
        cloud.start()
        station = cloud.connect(unit)
        station.subscribe_to_commands()
        for kind, name in (
            ("heartbeat", "heartbeat-charging"),
            ("session", "session"),
            ("event", "event-fault-raised"),
        ):
            station.publish(kind, (SAMPLES / f"{name}.json").read_bytes())
        folder = tmp_path_factory.mktemp("client")
        (folder / "openapi.json").write_text(json.dumps(cloud.get("/openapi.json")))
        _generate(folder)
        with pytest.MonkeyPatch.context() as path:
            path.syspath_prepend(folder)
            client = Client(cloud.http_port, station)
            yield client
            client.close()
    finally:
        cloud.stop()
        for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
            del sys.modules[name]


def _generate(folder: Path) -> None:
    (folder / "generator.yml").write_text("post_hooks: []\n")  # skip formatting of the generated code
    done = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning", "--meta", "none"),
            *("--path", str(folder / "openapi.json"), "--config", str(folder / "generator.yml")),
            *("--output-path", str(folder / PACKAGE)),
        ],
        env=os.environ | {"NO_PROXY": "127.0.0.1", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=GENERATED_WITHIN_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_reads_how_the_service_is(client: Client) -> None:
    health = client.read("health_*")
    assert isinstance(health, client.models.Health)
    assert health.status == "ok"
    assert health.listening is True
    assert health.trouble is None
    assert health.counters["contacts"] >= 3


def test_it_reads_the_charge_points(client: Client) -> None:
    (listed,) = client.read("list_charge_points_*")
    read = client.read("read_charge_point_*", "cp-1")
    for point in (listed, read):
        assert isinstance(point, client.models.ChargePointState)
        assert point.id == "cp-1"
        assert point.contact is client.models.Contact.ONLINE
        assert point.csq == 17
        assert point.watts == 7360
        assert point.faults == []
        assert point.last_contact.endswith("Z")


def test_it_reads_what_has_been(client: Client) -> None:
    contacts = client.read("contacts_*", "cp-1")
    assert isinstance(contacts, client.models.ContactHistory)
    assert (contacts.fell_silent, contacts.gaps) == (0, [])
    (session,) = client.read("sessions_*", "cp-1").sessions
    assert isinstance(session, client.models.ChargingSession)
    assert session.energy_wh > 0
    (event,) = client.read("events_*", "cp-1").events
    assert isinstance(event, client.models.JournalEvent)
    assert event.kind == "fault_raised"


def test_it_tells_both_resolutions_of_the_signal_apart(client: Client) -> None:
    (summary,) = client.read("signal_*", "cp-1").points
    assert isinstance(summary, client.models.SignalSummary)
    assert (summary.lowest, summary.mean, summary.highest) == (15, 17, 19)
    (raw,) = [one for name, one in vars(client.models).items() if name.endswith("GetResolution")]
    (reading,) = client.read("signal_*", "cp-1", resolution=raw("raw")).points
    assert isinstance(reading, client.models.SignalReading)
    assert reading.csq == 17


def test_it_orders_and_reads_what_became_of_it(client: Client) -> None:
    order = client.models.LimitOrder(do="limit", amps=16, minutes=60)
    given = client.read("give_command_*", "cp-1", body=order, idempotency_key="once")
    again = client.read("give_command_*", "cp-1", body=order, idempotency_key="once")
    assert isinstance(given, client.models.CommandState)
    assert given.id == again.id
    while (command := client.unit.next_command())["do"] == "time":  # skip: the samples' clock is behind
        pass
    assert (command["do"], command["amps"], command["id"]) == ("limit", 16, given.id)
    answer = json.loads((SAMPLES / "result-in-force.json").read_bytes()) | {"id": given.id}
    client.unit.publish("result", json.dumps(answer).encode())
    read = client.read("read_command_*", "cp-1", given.id)
    assert read.status is client.models.CommandStatus.DONE
    assert (read.in_force.allowed_amps, read.in_force.by) == (16, "cloud")
    now = client.read("read_in_force_*", "cp-1")
    assert now.in_force is None, "its heartbeat tells of no ruling"


def test_it_reads_what_there_is_none_of(client: Client) -> None:
    assert client.read("list_jobs_*").jobs == []
    assert client.read("list_threads_*").threads == []
    assert client.read("list_vehicles_*") == []


def test_it_reads_why_it_got_no_answer(client: Client) -> None:
    for refused in (client.read("read_charge_point_*", "cp-2"), client.read("list_charge_points_*", token=False)):
        assert isinstance(refused, client.models.Problem)
        assert refused.detail
    wrong = client.read("signal_*", "cp-1", from_="tomorrow")
    assert isinstance(wrong, client.models.HTTPValidationError)
    (reason,) = wrong.detail
    assert reason.loc == ["query", "from"]
