"""Is only a unit let in that is who it says, and is each refusal counted once, under its reason?"""

import asyncio
from collections.abc import Awaitable
from dataclasses import asdict
from typing import Any, TypeVar

import pytest
from sqlalchemy.exc import OperationalError

from cloud_bridge.counters import Counters
from cloud_bridge.ingest import packets
from cloud_bridge.ingest.admission import Admission, Secret
from cloud_bridge.ingest.credentials import Known
from cloud_bridge.ingest.packets import Connect
from cloud_bridge.store.security_events import Kind

CONNECT = Connect("MQTT", 4, 60, 8, "cp-1", None, False, "cp-1", "right")
KNOWN = Known("hash", 7)

Answer = TypeVar("Answer")


class Around:
    """What an admission asks and tells."""

    def __init__(self, broken: Exception | None = None) -> None:
        self.counters = Counters()
        self.strangers: list[tuple[str, int]] = []
        self.noted: list[tuple[Any, ...]] = []
        self.asked: list[tuple[Any, ...]] = []
        self._broken = broken
        around: Any = self  # each of its parts
        self.admission = Admission(around, around, around, self.counters, around)

    async def check(self, unit_id: str, secret: str, known: Known | None) -> bool | None:
        self.asked.append((unit_id, secret, known))
        if self._broken:
            raise self._broken
        return None if unit_id == "nobody" else secret == "right"

    async def is_unit(self, unit_id: str, known: Known | None) -> bool:
        self.asked.append((unit_id, known))
        if self._broken:
            raise self._broken
        return unit_id != "nobody"

    def saw(self, name: str, at_ms: int) -> None:
        self.strangers.append((name, at_ms))

    def note(self, kind: Kind, network: str, about: str) -> None:
        self.noted.append((kind, network, about))

    def now_ms(self) -> int:
        return 5

    @property
    def counted(self) -> dict[str, int]:
        return {name: count for name, count in asdict(self.counters).items() if count}


def run(asked: Awaitable[Answer]) -> Answer:
    async def wait() -> Answer:
        return await asked

    return asyncio.run(wait())


@pytest.mark.parametrize(
    ("change", "code", "counter"),
    [
        ({}, packets.ACCEPTED, None),
        ({"level": 5}, packets.WRONG_PROTOCOL, "refused_protocol"),
        ({"level": 3}, packets.WRONG_PROTOCOL, "refused_protocol"),
        ({"protocol": "MQIsdp"}, packets.WRONG_PROTOCOL, "refused_protocol"),
        ({"user_name": "cp-2"}, packets.ID_REJECTED, "refused_client_id"),
        ({"user_name": None}, packets.ID_REJECTED, "refused_client_id"),
        ({"will_topic": "cp/cp-1/lwt"}, packets.ACCEPTED, None),
        ({"will_topic": "cp/cp-2/lwt"}, packets.NOT_AUTHORISED, "refused_will"),
        ({"will_topic": "cp/cp-1/heartbeat"}, packets.NOT_AUTHORISED, "refused_will"),
        ({"will_topic": "cp/cp-1/lwt", "will_retain": True}, packets.NOT_AUTHORISED, "refused_will"),
        ({"will_topic": ""}, packets.NOT_AUTHORISED, "refused_will"),
        ({"password": "wrong"}, packets.NOT_AUTHORISED, "refused_wrong_secret"),
        ({"password": None}, packets.NOT_AUTHORISED, "refused_wrong_secret"),
        ({"client_id": "nobody", "user_name": "nobody"}, packets.NOT_AUTHORISED, "refused_unknown_unit"),
        ({"client_id": "no id", "user_name": "no id"}, packets.NOT_AUTHORISED, "refused_unknown_unit"),
    ],
)
def test_a_connect_is_refused_for_its_reason(change: dict[str, Any], code: int, counter: str | None) -> None:
    around = Around()
    assert run(around.admission.refusal(CONNECT._replace(**change), "192.0.2.0/24")) == code
    assert around.counted == ({counter: 1} if counter else {})


def test_what_cannot_be_right_is_refused_before_anybody_asks_for_its_secret() -> None:
    around = Around()
    run(around.admission.refusal(CONNECT._replace(level=5), "192.0.2.0/24"))
    assert run(around.admission.check("no id", ("right",), "192.0.2.0/24")) is Secret.OF_NOBODY
    assert around.asked == [] and around.noted == [] and around.strangers == []


def test_one_of_several_spellings_is_enough() -> None:
    around = Around()
    assert run(around.admission.check("cp-1", ("wrong", "right"), "192.0.2.0/24", KNOWN)) is Secret.RIGHT
    assert around.asked == [("cp-1", "wrong", KNOWN), ("cp-1", "right", KNOWN)]
    assert around.counted == {} and around.noted == []


def test_a_wrong_secret_is_noted_once_with_where_it_came_from() -> None:
    around = Around()
    assert run(around.admission.check("cp-1", ("a", "b"), "192.0.2.0/24")) is Secret.WRONG
    assert around.noted == [(Kind.UNIT_REFUSED, "192.0.2.0/24", "wrong secret for cp-1")]
    assert around.strangers == [] and around.counted == {"refused_wrong_secret": 1}


def test_a_stranger_is_noted_and_shown() -> None:
    around = Around()
    assert run(around.admission.check("nobody", ("a",), "192.0.2.0/24")) is Secret.OF_NOBODY
    assert around.noted == [(Kind.UNIT_REFUSED, "192.0.2.0/24", "not a charger of ours")]
    assert around.strangers == [("nobody", 5)] and around.counted == {"refused_unknown_unit": 1}
    around.admission.saw_stranger("what no unit is called")
    assert around.strangers[1:] == [("what no unit is called", 5)]


def test_whose_certificate_was_checked_needs_no_secret() -> None:
    around = Around()
    assert run(around.admission.check_certified("cp-1", "192.0.2.0/24", KNOWN)) is Secret.RIGHT
    assert around.asked == [("cp-1", KNOWN)] and around.counted == {}
    assert run(around.admission.check_certified("nobody", "192.0.2.0/24")) is Secret.OF_NOBODY
    assert around.strangers == [("nobody", 5)] and around.counted == {"refused_unknown_unit": 1}
    assert around.noted[0][1:] == ("192.0.2.0/24", "not a charger of ours")


@pytest.mark.parametrize("error", [OperationalError("SELECT", None, Exception("gone")), TimeoutError()])
def test_while_the_store_cannot_be_read_nobody_is_let_in_or_called_a_stranger(error: Exception) -> None:
    around = Around(error)
    assert run(around.admission.refusal(CONNECT, "192.0.2.0/24")) == packets.UNAVAILABLE
    assert run(around.admission.check_certified("cp-1", "192.0.2.0/24")) is Secret.UNCHECKED
    assert around.counted == {"refused_store": 2} and around.noted == [] and around.strangers == []
