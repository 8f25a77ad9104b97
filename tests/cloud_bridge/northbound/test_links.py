"""Is a unit only shown while it is allowed, and correctly, whatever its back-end does, and without effect on its contact?"""

import argparse
import asyncio
import json
import logging
import ssl
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import InternalError

from cloud_bridge.cli import tls
from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.duties import Duties
from cloud_bridge.northbound import connection, link, link_errors
from cloud_bridge.northbound.links import Links
from cloud_bridge.settings import Settings
from cloud_bridge.store import claims
from cloud_bridge.store.access import Role
from cloud_bridge.store.northbound import Setting, Shown, hide, show, shown_of, shown_units
from cloud_bridge.store.people import find_person
from tests.cloud_bridge.northbound.back_end import SocketBackEnd, well
from tests.cloud_bridge.running import DEADLINE_S, Bridge, Unit

KEY = "key-of-the-back-end"


class Story:
    """A unit that belongs to ann, and the links of a process."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        new = bridge.add_unit("cp-1")
        bridge.add_person("ann", "a password, long enough", Role.DRIVER)
        with bridge.app_state.database.writing() as opened:
            claims.claim(opened, find_person(opened, "ann"), new.claim_code, bridge.clock.now_ms())
        bridge.clock.advance(1000)
        self.unit = Unit(bridge, "cp-1", new.secret).connect()
        self.unit.subscribe("cp/cp-1/command")
        self._sequence = 0
        self._running: Future[None] | None = None

    def say(self, kind: str = "heartbeat", **keys: Any) -> None:
        self._sequence += 1
        said = {"n": self._sequence, "b": 1, "t": self.bridge.clock.now_ms() // 1000, **keys}
        self.unit.publish(f"cp/cp-1/{kind}", json.dumps(said).encode())

    def show(self, url: str, may_command: bool = False) -> None:
        now_ms = self.bridge.clock.now_ms()
        setting = Setting("cp-1", now_ms, url, "CS 1", KEY, "CHARGEKEEPER", may_command)
        with self.bridge.app_state.database.writing() as opened:
            show(opened, setting, find_person(opened, "ann").id)

    def shown(self) -> Shown:
        with self.bridge.app_state.database.reading() as opened:
            found = shown_of(opened, "cp-1")
        assert found is not None
        return found

    def has_transaction(self) -> bool:
        """Whether the running session has a transaction."""
        with self.bridge.app_state.database.reading() as opened:
            return [one.stored.transaction is not None for one in shown_units(opened)] == [True]

    def begin(self) -> None:
        """Start the links, as a process does that becomes leader."""
        work = Links(self.bridge.app_state).run(Duties())
        self._running = asyncio.run_coroutine_threadsafe(work, self.bridge.app_state.loop)

    def end(self) -> None:
        if self._running is not None:
            self._running.cancel()
            with suppress(BaseException):
                self._running.result(DEADLINE_S)
            self._running = None

    def until_refused(self, reason: str) -> None:
        self.bridge.until(lambda: self.shown().link.refused == reason, f"refused because {reason}")

    def listen_for(self, minutes: int) -> None:
        for _ in range(minutes * 6):
            self.bridge.clock.advance(10_000)
            self.bridge.send_canary()


@pytest.fixture
def story(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    monkeypatch.setattr("cloud_bridge.northbound.links.LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(connection, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(connection, "ANSWER_WITHIN_S", 5.0)
    monkeypatch.setattr(link, "wait_s", lambda failures: 0.05)
    made = Story(bridge)
    yield made
    made.end()


def test_a_unit_is_shown_with_its_key_and_its_sessions(story: Story) -> None:
    back_end = SocketBackEnd(story.bridge)
    story.say(s="A1", e=1000)
    story.show(back_end.url)
    story.begin()
    story.bridge.until(lambda: back_end.statuses() == ["Available"] * 2, "told its state")
    assert [b64decode(str(key).split()[1]) for key in back_end.keys] == [b"CS 1:" + KEY.encode()]
    story.bridge.until(lambda: story.shown().link.connected_ms is not None, "seen by people")
    began_s = story.bridge.clock.now_ms() // 1000
    story.say(s="C2", w=7000, e=1000)
    story.bridge.until(lambda: "MeterValues" in back_end.actions(), "told of its meter")
    story.bridge.clock.advance(MINUTE_MS)
    story.say("session", t0=began_s, t1=began_s + 60, s=60, e=100, y="unplugged", i=1)
    story.bridge.until(lambda: "StopTransaction" in back_end.actions(), "told of its end")
    told = dict(back_end.told)
    assert (told["StartTransaction"]["meterStart"], told["StopTransaction"]["meterStop"]) == (1000, 1100)


def test_a_database_that_takes_nothing_as_it_begins_ends_nothing(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    back_end, refused = SocketBackEnd(story.bridge), []

    def read_only(_: object) -> None:
        refused.append(True)
        raise InternalError("UPDATE northbound", {}, RuntimeError("in a read-only transaction"))

    story.say(s="A1")
    story.show(back_end.url)
    with monkeypatch.context() as patch:
        patch.setattr("cloud_bridge.northbound.links.all_disconnected", read_only)
        story.begin()
        story.bridge.until(lambda: len(refused) > 1, "tried again")
    story.bridge.until(lambda: story.shown().link.connected_ms is not None, "shown once it takes writes")


def test_a_silent_unit_leaves_its_back_end_and_comes_back_when_it_is_heard(story: Story) -> None:
    back_end = SocketBackEnd(story.bridge)
    story.say(s="A1")
    story.bridge.send_canary()
    story.show(back_end.url)
    story.begin()
    story.bridge.until(lambda: len(back_end.statuses()) == 2, "told its state")
    story.listen_for(31)
    story.bridge.until(lambda: back_end.open == 0, "left")
    assert back_end.statuses()[-2:] == ["Unavailable"] * 2
    assert story.bridge.read("cp-1")["contact"] == "silent"
    story.bridge.until(lambda: story.shown().link.connected_ms is None, "seen by people")
    story.say(s="C2")
    story.bridge.until(lambda: back_end.statuses()[-1:] == ["Charging"], "back")
    assert back_end.opened == 2


def test_nothing_that_a_back_end_says_is_contact(story: Story) -> None:
    back_end = SocketBackEnd(story.bridge)
    story.say(s="A1")
    story.show(back_end.url)
    story.begin()
    story.bridge.until(lambda: len(back_end.statuses()) == 2, "told its state")
    before = story.bridge.read("cp-1")
    story.bridge.clock.advance(MINUTE_MS)
    assert back_end.ask("a", "TriggerMessage", requestedMessage="StatusNotification")[2] == {"status": "Accepted"}
    assert back_end.ask("b", "Reset", type="Soft")[2] == {"status": "Rejected"}
    story.bridge.until(lambda: len(back_end.statuses()) == 4, "asked for its state")
    after = story.bridge.read("cp-1")
    assert {name: after[name] for name in ("last_contact", "contact")} == {
        name: before[name] for name in ("last_contact", "contact")
    }
    assert story.unit.commands == []


def test_an_order_is_answered_as_the_unit_answers(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud_bridge.northbound.links.ANSWER_WITHIN_S", 0.2)
    back_end = SocketBackEnd(story.bridge)
    story.say(s="B2", e=1)
    story.show(back_end.url, may_command=True)
    story.begin()
    story.bridge.until(lambda: "Suspended" in str(back_end.statuses()), "told its state")
    silent = back_end.ask("a", "RemoteStartTransaction", idTag="T")
    assert silent[:3] == [4, "a", "InternalError"], "nobody knows what becomes of it"
    story.bridge.until(lambda: story.unit.commands, "ordered")
    assert story.unit.commands[0]["do"] == "override"
    monkeypatch.setattr("cloud_bridge.northbound.links.ANSWER_WITHIN_S", DEADLINE_S)
    for is_done, status in ((True, "Accepted"), (False, "Rejected")):
        story.unit.commands.clear()
        back_end.say(json.dumps([2, status, "RemoteStartTransaction", {"idTag": "T"}]))
        story.bridge.until(lambda: story.unit.commands, "ordered")
        story.say("result", id=story.unit.commands[0]["id"], ok=is_done)
        story.bridge.until(lambda status=status: status in back_end.answers, "answered")  # type: ignore[misc]
        assert back_end.answers[status][2] == {"status": status}


def test_it_ends_with_the_ownership_and_when_it_is_taken_back(story: Story) -> None:
    back_end = SocketBackEnd(story.bridge)
    story.say(s="A1")
    story.begin()
    for end in (hide, lambda opened, unit_id: claims.release(opened, unit_id, now_ms=story.bridge.clock.now_ms())):
        story.show(back_end.url)
        story.bridge.until(lambda: back_end.open == 1, "shown")
        with story.bridge.app_state.database.writing() as opened:
            assert end(opened, "cp-1")
        story.bridge.until(lambda: back_end.open == 0, "ended")


def test_a_process_that_leads_no_more_leaves_no_connection(story: Story) -> None:
    back_end = SocketBackEnd(story.bridge)
    story.say(s="A1")
    story.show(back_end.url)
    story.begin()
    story.bridge.until(lambda: story.shown().link.connected_ms is not None, "shown")
    story.end()
    story.bridge.until(lambda: back_end.open == 0, "ended")
    story.begin()
    story.bridge.until(lambda: back_end.open == 1, "shown by the next one")


@pytest.mark.parametrize(
    ("status", "reason"), [(401, link_errors.KEY), (403, link_errors.KEY), (503, link_errors.HTTP)]
)
def test_a_back_end_that_refuses_is_asked_again_and_people_are_told(
    story: Story, status: int, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    back_end = SocketBackEnd(story.bridge)
    back_end.status = HTTPStatus(status)
    story.say(s="A1")
    story.show(back_end.url)
    story.begin()
    story.until_refused(reason)
    story.bridge.until(lambda: len(back_end.keys) > 2, "asked again")
    assert story.bridge.counter("northbound_failures") >= 1
    ours = "".join(one.getMessage() for one in caplog.records if one.name != "websockets.server")
    assert KEY not in ours and str(back_end.keys[0]).split()[1] not in ours
    back_end.status = None
    story.bridge.until(lambda: back_end.open == 1, "let in")


def test_a_back_end_that_leads_elsewhere_is_not_followed(story: Story) -> None:
    other, back_end = SocketBackEnd(story.bridge), SocketBackEnd(story.bridge)
    back_end.status, back_end.headers = HTTPStatus.FOUND, {"Location": f"{other.url}/CS%201"}
    story.say(s="A1")
    story.show(back_end.url)
    story.begin()
    story.until_refused(link_errors.HTTP)
    assert other.keys == []


def test_what_is_no_back_end_is_said(story: Story) -> None:
    back_end = SocketBackEnd(story.bridge, subprotocols=None)
    story.say(s="A1")
    story.show(back_end.url)
    story.begin()
    story.until_refused(link_errors.NO_OCPP)
    back_end.close()
    story.until_refused(link_errors.NO_ANSWER_AT_ALL)
    story.show("wss" + SocketBackEnd(story.bridge).url[2:])
    story.until_refused(link_errors.NO_ANSWER_AT_ALL)


def test_a_certificate_is_checked(story: Story, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    tls.run(
        Settings("127.0.0.1", 0, 0, tmp_path, None), argparse.Namespace(name=["localhost"], folder=tmp_path / "tls")
    )
    certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.load_cert_chain(tmp_path / "tls" / "server.pem", tmp_path / "tls" / "server.key")
    back_end = SocketBackEnd(story.bridge, ssl=certificate)
    url = f"wss://localhost:{back_end.port}/ocpp"
    story.say(s="A1")
    story.show(url)
    story.begin()
    story.until_refused(link_errors.CERTIFICATE)
    assert back_end.keys == [], "nothing was shown to it"
    story.end()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "tls" / "ca.pem"))
    story.begin()
    story.bridge.until(lambda: back_end.open == 1, "trusted")
    story.bridge.clock.advance(1)
    story.show(f"wss://127.0.0.1:{back_end.port}")
    story.until_refused(link_errors.CERTIFICATE)


def test_a_back_end_that_hangs_is_left(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ANSWER_WITHIN_S", 0.1)
    back_end = SocketBackEnd(story.bridge, lambda *_: None)
    story.say(s="A1")
    story.show(back_end.url)
    story.begin()
    story.until_refused(link_errors.NO_ANSWER)
    assert story.shown().link.refused_detail == "BootNotification"
    story.bridge.until(lambda: back_end.opened > 2, "asked again")
    assert set(back_end.actions()) == {"BootNotification"}


def test_a_back_end_that_closes_is_come_back_to(story: Story) -> None:
    back_end = SocketBackEnd(story.bridge)
    story.say(s="A1")
    story.show(back_end.url)
    story.begin()
    story.bridge.until(lambda: len(back_end.statuses()) == 2, "told its state")
    back_end.drop()
    story.until_refused(link_errors.CLOSED)
    story.bridge.until(lambda: len(back_end.statuses()) == 4, "told it again")


def test_one_that_answers_with_errors_is_told_the_rest(story: Story) -> None:
    def answer(message_id: str, action: str, payload: dict[str, Any]) -> str:
        is_boot = action == "BootNotification"
        return well(message_id, action, payload) if is_boot else json.dumps([4, message_id, "NotSupported", "", {}])

    back_end = SocketBackEnd(story.bridge, answer)
    story.say(s="A1")
    story.show(back_end.url)
    story.begin()
    story.bridge.until(lambda: len(back_end.statuses()) == 2, "told its state")
    story.bridge.clock.advance(1000)
    story.say(s="C2")
    story.bridge.until(lambda: back_end.statuses()[-1:] == ["Charging"], "told the next one")


def test_nonsense_ends_nothing(story: Story) -> None:
    back_end = SocketBackEnd(story.bridge)
    story.say(s="A1")
    story.show(back_end.url)
    story.begin()
    story.bridge.until(lambda: len(back_end.statuses()) == 2, "told its state")
    for frame in (
        "",
        "{",
        "[]",
        "7",
        '[3,"x",{}]',
        '[4,"x"]',
        '[3,"x"]',
        "[" * 9999,
        b"\xff\x00",
        '[2,null,"Reset",{}]',
    ):
        back_end.say(frame)
    back_end.say('[2,"a","Reset",7]')
    back_end.say('[9,"b","Reset",{}]')
    assert back_end.ask("c", "Nonsense")[2] == "NotImplemented"
    assert back_end.answers["a"][2] == "TypeConstraintViolation" and back_end.answers["b"][2] == "ProtocolError"
    assert back_end.opened == 1


def test_one_that_asks_too_often_is_left(story: Story) -> None:
    back_end = SocketBackEnd(story.bridge)
    story.say(s="A1")
    story.show(back_end.url)
    story.begin()
    story.bridge.until(lambda: len(back_end.statuses()) == 2, "told its state")
    with suppress(Exception):  # it is interrupted
        for number in range(connection.REQUESTS + 5):
            back_end.say(json.dumps([2, str(number), "ClearCache", {}]))
    story.until_refused(link_errors.TOO_OFTEN)


def test_a_session_that_ended_while_it_was_away_is_told_later(story: Story) -> None:
    back_end = SocketBackEnd(story.bridge)
    back_end.status = HTTPStatus.SERVICE_UNAVAILABLE
    story.say(s="A1", e=1000)
    story.show(back_end.url)
    story.begin()
    story.until_refused(link_errors.HTTP)
    began_s = story.bridge.clock.now_ms() // 1000
    story.say(s="C2", w=7000, e=1000)
    story.bridge.until(story.has_transaction, "seen as plugged in before it is over")
    for _ in range(3):
        story.bridge.clock.advance(10 * MINUTE_MS)
        story.say(s="C2", w=7000, e=2000)
    ended_s = story.bridge.clock.now_ms() // 1000
    story.say("session", t0=began_s, t1=ended_s, s=ended_s - began_s, e=1100, y="unplugged", i=1)
    story.say(s="A1", e=2100)
    back_end.status = None
    story.bridge.until(lambda: "StopTransaction" in back_end.actions(), "told")
    told = dict(back_end.told)
    assert told["StartTransaction"] == {
        "connectorId": 1,
        "idTag": "CHARGEKEEPER",
        "meterStart": 1000,
        "timestamp": "2026-01-01T00:00:01.000Z",
    }
    assert told["StopTransaction"]["timestamp"] == "2026-01-01T00:30:01.000Z"
    story.bridge.until(lambda: back_end.statuses()[-1:] == ["Available"], "told the state of now")
    assert len(back_end.statuses()) <= 3
    assert story.shown().dropped == 0
