"""Poison messages: hypothesis's values for every key of every kind in tests/samples/schema.toml, and bytes that are not JSON.

The sending units are the attackers' own; the pages that the attacker `forms` opens show their messages.
"""

import json
import socket
import tomllib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.mqtt_unit import CONNACK_OK, connect, publish
from hil_tests.siege.attack import Attack
from hil_tests.siege.population import Unit

UNITS = ("poison-0", "poison-1", "poison-2")
SCHEMA = CHECKOUT / "tests" / "samples" / "schema.toml"
FROM_UNITS = ("heartbeat", "event", "session", "result", "lwt")
BATCH = 100  # messages of one hypothesis run, which can be repeated alone by its seed
PAUSE_S = 0.01
ANSWER_WITHIN_S = 5.0
MAX_PAYLOAD = 16_000  # the maximum that fits in mqtt_unit.packet's remaining length

surrogates = st.characters(categories=["Cs"])
texts = st.text(max_size=20) | st.text(surrogates | st.just("\0") | st.characters(), max_size=20) | st.just("x" * 3000)
numbers = (
    st.integers()
    | st.integers(10**18, 10**40)
    | st.floats()
    | st.sampled_from([-1, 0, 2**31, 2**53, 2**63, -(2**63), 1e308, 10**400])
)
leaves = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5), max_leaves=15
)
not_json = st.one_of(
    st.binary(max_size=2000),
    st.sampled_from(
        [
            b"",
            b"[" * 4_000,
            b'{"d":' * 600,
            b'{"n":' + b"9" * 4_000 + b"}",
            b'{"n":1,"n":2,"b":1,"b":{}}',
            b"\xef\xbb\xbf{}",
            '{"n":1}'.encode("utf-16"),
            b'{"n":NaN,"b":-Infinity}',
            b"{" + b" " * 15_000 + b"}",
        ]
    ),
)


def _schema() -> dict[str, Any]:
    with SCHEMA.open("rb") as file:
        return tomllib.load(file)


def _near(row: list[Any]) -> st.SearchStrategy[Any]:
    """Return values near the bounds of a row of the schema: inside, on the bound, outside."""
    low, _, high = str(
        row[2] or {"count": "0..9007199254740991", "time": "1577836800..4102444799"}.get(row[0], "")
    ).partition("..")
    ends = [int(end) for end in (low, high.partition("|")[0]) if end.lstrip("-").isdigit()]
    if row[0] in ("count", "time", "number") and ends:
        return st.sampled_from([end + step for end in ends for step in (-1, 0, 1)])
    return st.sampled_from(str(row[2]).split("|")) if row[2] else st.just("x")


def messages() -> st.SearchStrategy[tuple[str, bytes]]:
    """Return a strategy for kind and payload."""
    schema = _schema()

    def of_kind(kind: str) -> st.SearchStrategy[tuple[str, bytes]]:
        rows = {key: row for key, row in schema[kind].items() if isinstance(row, list)}
        keys = {key: _near(row) | values for key, row in rows.items()}
        detailed = {name: section for name, section in schema[kind].items() if isinstance(section, dict)}
        if detailed:
            details = [
                st.fixed_dictionaries({}, optional={key: _near(row) | values for key, row in section.items()})
                for section in detailed.values()
            ]
            keys["k"] = st.sampled_from(sorted(detailed)) | texts
            keys["d"] = st.one_of(*details) | values
        known = st.fixed_dictionaries({}, optional=keys)
        unknown = st.dictionaries(texts, values, max_size=3)
        said = st.tuples(known, unknown | st.just({})).map(lambda pair: pair[1] | pair[0])
        payload = (
            said.map(lambda one: json.dumps(one).encode()) | not_json | values.map(lambda one: json.dumps(one).encode())
        )
        return payload.map(lambda one: (kind, one[:MAX_PAYLOAD]))

    other = st.sampled_from(["command", "", "#", "+", "x" * 500, "event/x", "$SYS", "\0", "Heartbeat"])
    return st.one_of(*(of_kind(kind) for kind in FROM_UNITS), st.tuples(other, not_json))


def attack(attack: Attack) -> None:
    """Run one batch after another, each with its own seed."""
    units = [_Poisoner(attack, attack.target.units[name]) for name in UNITS]
    strategy, batch = messages(), 0
    try:
        while not attack.over.is_set():
            batch += 1
            _run_batch(f"{attack.seed}-{batch}", strategy, units[batch % len(units)].send)
            attack.counts["batches"] += 1
    finally:
        for unit in units:
            unit.close()


def _run_batch(
    batch_seed: str, strategy: st.SearchStrategy[tuple[str, bytes]], send: Callable[[str, bytes], None]
) -> None:
    @seed(batch_seed)
    @settings(
        max_examples=BATCH,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def send_each(message: tuple[str, bytes]) -> None:
        send(*message)

    send_each()


class _Poisoner:
    """One unit, which reconnects when the bridge closes the connection."""

    def __init__(self, attack: Attack, unit: Unit) -> None:
        self._attack, self._unit = attack, unit
        self._socket: socket.socket | None = None
        self._packet_id = 0

    def send(self, kind: str, payload: bytes) -> None:
        """Send one message. Return when it is acknowledged or the connection is closed."""
        if self._attack.over.wait(PAUSE_S):
            return
        self._packet_id = self._packet_id % 0xFFFF + 1
        self._attack.counts["messages"] += 1
        try:
            if self._socket is None:
                self._socket = self._connected()
            retain = self._attack.random.choice([0, 0, 0, 1, 8])
            self._socket.sendall(publish(f"cp/{self._unit.name}/{kind}", payload, self._packet_id, 0x32 | retain))
            if not self._socket.recv(4):
                raise ConnectionResetError
            self._attack.counts["acknowledged"] += 1
        except OSError as error:
            self._attack.counts[type(error).__name__] += 1
            self.close()

    def close(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        connected = socket.create_connection(("127.0.0.1", self._attack.target.mqtt_port), ANSWER_WITHIN_S)
        connected.sendall(connect(*self._unit.login))
        if connected.recv(4) != CONNACK_OK:
            connected.close()
            raise ConnectionRefusedError
        return connected
