"""A running bridge for tests: its broker on a free loopback port, its store in a folder, and a clock that the test sets."""

import asyncio
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from starlette.testclient import TestClient

from cloud_bridge import passwords
from cloud_bridge.app_state import AppState
from cloud_bridge.clock import Clock, SystemClock
from cloud_bridge.ingest.embedded import EmbeddedBroker
from cloud_bridge.roles.opening import open_app_state
from cloud_bridge.settings import Settings
from cloud_bridge.store.database import FILE_NAME, open_database
from cloud_bridge.store.people import Role, add_person
from cloud_bridge.store.units import NewUnit, Protocol, add_unit
from cloud_bridge.web.app import create_app
from tests.cloud_bridge import lent_databases

DEADLINE_S = 60.0  # ends a test that hangs; it measures nothing
TOKEN = "a token of the environment, long enough"
START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z

_numbers = count(1)
_tick = threading.Event()  # never set
_databases: dict[str, str] = {}  # databases of the open stores on PostgreSQL, by folder

SAMPLES = Path(__file__).parent.parent / "samples"


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


class HandClock:
    """A clock that stands still until a test advances it."""

    def __init__(self, at_ms: int = START_MS) -> None:
        self.at_ms = at_ms

    def now_ms(self) -> int:
        return self.at_ms

    def advance(self, ms: int) -> None:
        self.at_ms += ms


class Machine:
    """The two clocks of a machine. `advance` moves both, `set_by` only the wall clock."""

    def __init__(self, wall_ms: int = START_MS) -> None:
        self.wall_ms = wall_ms
        self.monotonic_ms = 77_000

    def advance(self, ms: int) -> None:
        self.wall_ms += ms
        self.monotonic_ms += ms

    def set_by(self, ms: int) -> None:
        self.wall_ms += ms

    def clock(self, floor_ms: int = 0) -> SystemClock:
        """Return the clock of a process that starts now."""
        return SystemClock(floor_ms, lambda: self.wall_ms, lambda: self.monotonic_ms)


class Bridge:
    """A running bridge, for use from a test's thread."""

    def __init__(self, app_state: AppState, clock: HandClock, loop: asyncio.AbstractEventLoop) -> None:
        self.app_state = app_state
        self.clock = clock
        self.client = TestClient(create_app(app_state), headers={"Authorization": f"Bearer {TOKEN}"})
        self.guests: list[Callable[[], None]] = []  # called when the bridge stops, to close what the test left open
        self.ocpp_port = 0  # the port of its OCPP door, if it has one
        self._loop = loop
        assert isinstance(app_state.broker, EmbeddedBroker)
        self.broker = app_state.broker
        self._canary = app_state.broker.canary()
        self.guests.append(self._canary_away)

    def add_unit(self, unit_id: str, protocol: Protocol = Protocol.MQTT) -> NewUnit:
        with self.app_state.database.writing() as connection:
            return add_unit(connection, unit_id, self.clock.now_ms(), protocol=protocol)

    def add_person(self, name: str, password: str, role: Role) -> None:
        password_hash = passwords._hasher.hash(password)
        with self.app_state.database.writing() as connection:
            add_person(connection, name, password_hash, role, self.clock.now_ms())

    def read(self, unit_id: str) -> dict[str, Any]:
        """Return the charge point as the HTTP API shows it."""
        response = self.client.get(f"/api/charge-points/{unit_id}")
        assert response.status_code == 200, response.text
        said: dict[str, Any] = response.json()
        return said

    def stranger(self) -> TestClient:
        """Return a client without a token."""
        return TestClient(self.client.app)

    def send_canary(self) -> None:
        """Send a canary, as roles/ingest.py does every five seconds; return when it is stored."""
        asyncio.run_coroutine_threadsafe(self._canary.send(), self._loop).result(DEADLINE_S)

    def send_ocpp_canary(self) -> None:
        """Send a canary through the OCPP door; return when it is stored."""
        assert self.app_state.ocpp is not None
        asyncio.run_coroutine_threadsafe(self.app_state.ocpp.canary().send(), self._loop).result(DEADLINE_S)

    def _canary_away(self) -> None:
        self._loop.call_soon_threadsafe(self._canary.close)

    def counter(self, name: str) -> int:
        return int(getattr(self.app_state.counters, name))

    def command(self, unit_id: str, payload: bytes) -> bool:
        future = asyncio.run_coroutine_threadsafe(self.app_state.broker.command(unit_id, payload), self._loop)
        return future.result(DEADLINE_S)

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until the condition holds, which the bridge's own threads cause."""
        give_up_s = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < give_up_s, f"timed out: {what}; {self.app_state.counters}"
            _tick.wait(0.002)


def store_at(folder: Path, empty: bool = False) -> Path | str:
    """Return where a test keeps its store: its own folder, or its own database on the server of CHARGEKEEPER_TEST_POSTGRESQL.

    hil_tests/store starts that server and runs these tests again. A new store has all tables, unless it is to be `empty`: the
    migrations run once a session, because they take five times as long as most tests.
    """
    server = os.environ.get("CHARGEKEEPER_TEST_POSTGRESQL")
    if server is None:
        file = folder / FILE_NAME
        if not empty and not file.exists():
            file.touch(mode=0o600)
            file.write_bytes(_migrated_file())
        return folder
    name = _databases.get(str(folder))
    if name is None:
        name = f"empty_{os.getpid()}_{next(_numbers)}" if empty else lent_databases.lend(server)
        _databases[str(folder)] = name
        if empty:
            lent_databases.create(server, name, "template1")
    return f"{server}/{name}"


@cache
def _migrated_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        open_database(Path(folder)).close()
        return (Path(folder) / FILE_NAME).read_bytes()


@contextmanager
def databases_of_a_test() -> Iterator[None]:
    """Return the databases that `store_at` takes meanwhile: a thousand of them would need eight gigabytes."""
    server, before = os.environ.get("CHARGEKEEPER_TEST_POSTGRESQL"), set(_databases)  # from fixtures with a wider scope
    yield
    if server is not None:
        for folder in set(_databases) - before:
            lent_databases.take_back(server, _databases.pop(folder))


@contextmanager
def running_bridge(
    folder: Path,
    clock: HandClock | None = None,
    clock_from: Callable[[int], Clock] | None = None,
    ocpp: bool = False,
    proxies: tuple[str, ...] = (),
) -> Iterator[Bridge]:
    """Run a bridge, from open to closed, as a process does.

    `clock_from` makes its clock as for a process; otherwise the test sets the clock. `ocpp` adds an OCPP door.
    """
    where = store_at(folder)
    database = where if isinstance(where, str) else None
    port = 0 if ocpp else None
    settings = Settings("127.0.0.1", 0, 0, folder, TOKEN, database=database, ocpp_port=port, proxies=proxies)
    hand_clock = clock or HandClock()
    started: list[Bridge] = []
    ready = threading.Event()
    stop = asyncio.Event()
    failure: list[BaseException] = []

    async def run() -> None:
        async with open_app_state(settings, clock_from or (lambda _floor_ms: hand_clock)) as app_state:
            assert isinstance(app_state.broker, EmbeddedBroker)
            await app_state.broker.start(settings.host, settings.mqtt_port)
            bridge = Bridge(app_state, hand_clock, asyncio.get_running_loop())
            if app_state.ocpp is not None:
                bridge.ocpp_port = await app_state.ocpp.listen(settings.host, 0)
            started.append(bridge)
            ready.set()
            await stop.wait()
            if app_state.ocpp is not None:
                await app_state.ocpp.close()
            await app_state.broker.stop()

    def thread() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            failure.append(error)
            ready.set()

    running = threading.Thread(target=thread)
    running.start()
    assert ready.wait(DEADLINE_S)
    try:
        if failure:
            raise failure[0]
        yield started[0]
    finally:
        for bridge in started:
            try:
                for close in bridge.guests:
                    close()
            finally:  # otherwise its thread prevents the test run from ending
                bridge._loop.call_soon_threadsafe(stop.set)
        running.join(DEADLINE_S)
        assert not running.is_alive(), "the bridge did not stop"
    if failure:
        raise failure[0]


class Unit:
    """A charge point simulated with paho."""

    def __init__(self, bridge: Bridge, user: str, secret: str, client_id: str | None = None, **options: Any) -> None:
        self.refusal: int | None = None
        self.commands: list[dict[str, Any]] = []
        self.pieces: list[bytes] = []  # pieces of an update
        self.answered = threading.Event()
        self.subscribed = threading.Event()
        self.granted: list[int] = []
        self.heard = threading.Event()
        self.gone = threading.Event()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id or user, reconnect_on_failure=False, **options
        )
        self._client.username_pw_set(user, secret)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = lambda *_: self.answered.set()
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._port = bridge.broker.port
        bridge.guests.append(self.disconnect)

    def will(self, topic: str, payload: bytes, retain: bool = False) -> "Unit":
        self._client.will_set(topic, payload, 1, retain)
        return self

    def connect(self) -> "Unit":
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        assert self.answered.wait(DEADLINE_S), "no answer to CONNECT"
        return self

    def publish(self, topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> None:
        """Publish; with QoS 1, return when the bridge has acknowledged."""
        sent = self._client.publish(topic, payload, qos, retain)
        sent.wait_for_publish(DEADLINE_S)
        assert sent.is_published(), f"no acknowledgement of {topic}"

    def subscribe(self, topic: str) -> int:
        """Subscribe; return the granted QoS, or 0x80."""
        self.subscribed.clear()
        self._client.subscribe(topic, 1)
        assert self.subscribed.wait(DEADLINE_S), "no SUBACK"
        return self.granted[-1]

    def disconnect(self) -> None:
        self._client.disconnect()
        with suppress(AttributeError):  # paho's thread may end between its check and its join
            self._client.loop_stop()

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        self.refusal = code.value if code.is_failure else 0
        self.answered.set()

    def _on_disconnect(self, *_: Any) -> None:
        self.gone.set()
        self.answered.set()

    def _on_subscribe(self, _client: Any, _data: Any, _mid: Any, codes: Any, _properties: Any) -> None:
        self.granted = [code.value for code in codes]
        self.subscribed.set()

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        if message.topic.endswith("/piece"):
            self.pieces.append(message.payload)
        else:
            self.commands.append(json.loads(message.payload))
        self.heard.set()
