"""Are subscribed owners told before and after an update, and an operator of a roll-out that stops by itself?"""

from typing import Any

import pytest

from cloud_bridge.alerts.kinds import USUAL, AlertKind
from cloud_bridge.durations import DAY_MS
from cloud_bridge.errors import BridgeError
from cloud_bridge.roll_out_decisions import decide_all
from cloud_bridge.store import roll_outs
from cloud_bridge.store.people import Role, add_person, find_person
from cloud_bridge.store.roll_out_orders import due, mark_sent
from cloud_bridge.store.subscriptions import Via, add_subscription
from cloud_bridge.verified_time import Clocks
from tests.cloud_bridge.alerting import HOOK, driver, look, unit_of, webhooks
from tests.cloud_bridge.releases.rolling_out import NAME, add_release, say, start, tell
from tests.cloud_bridge.running import Bridge


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    return webhooks(monkeypatch)


@pytest.fixture
def operator(bridge: Bridge) -> None:
    """Add an operator who subscribes to stopped roll-outs."""
    with bridge.app_state.database.writing() as connection:
        add_person(connection, "olga", "a hash", Role.OPERATOR, 0)
        add_subscription(connection, find_person(connection, "olga"), AlertKind.ROLL_OUT_STOPPED, Via.WEBHOOK, HOOK)


@pytest.fixture
def ordered(bridge: Bridge) -> None:
    """Send the update command to home-1 of ann, who subscribes to updates; ben, who also does, has another charger."""
    unit = unit_of(bridge, driver(bridge, "ann", (AlertKind.UPDATE,)), "home-1")
    unit_of(bridge, driver(bridge, "ben", (AlertKind.UPDATE,)), "home-2")
    unit.publish("cp/home-1/heartbeat", b'{"n":1,"b":1}')
    unit.publish("cp/home-1/event", b'{"n":2,"b":1,"k":"boot","d":{"v":"1.3.0","board":"tcall"}}')
    with bridge.app_state.database.writing() as connection:
        add_release(connection)
        start(connection, at_ms=bridge.clock.now_ms())
        mark_sent(connection, due(connection, bridge.clock.now_ms(), 10), bridge.clock.now_ms())


def says(bridge: Bridge, result: str) -> None:
    with bridge.app_state.database.writing() as connection:
        tell(connection, "home-1", result, bridge.clock.now_ms())
    for _ in range(2):
        look(bridge)
        bridge.clock.advance(1000)


def takes(bridge: Bridge) -> None:
    with bridge.app_state.database.writing() as connection:
        say(connection, "home-1", "result", bridge.clock.now_ms(), id=f"u-{NAME}-00000001", ok=True)
    look(bridge)


def test_an_owner_is_told_before_and_after(bridge: Bridge, ordered: None, sent: list[dict[str, Any]]) -> None:
    """[S1-3d]"""
    look(bridge)
    assert sent == []  # the command alone is not alerted, because it may be refused
    takes(bridge)
    for result in ("installed", "trial", "good"):
        says(bridge, result)
    assert [(one["about"], one["charge_point"]) for one in sent] == [("update", "home-1")] * 2
    before, after = (one["words"] for one in sent)
    assert "its firmware is being updated to 1.4.0. It loads while no vehicle charges" in before
    assert after.endswith("its firmware was updated to 1.4.0.")


def test_an_owner_is_told_that_it_went_back_and_the_operator_that_it_has_stopped(
    bridge: Bridge, ordered: None, operator: None, sent: list[dict[str, Any]]
) -> None:
    says(bridge, "rolled_back")
    assert "did not run well, so it went back by itself" in sent[0]["words"]
    decide_all(bridge.app_state.database, Clocks(bridge.clock, bridge.app_state.verified))
    for _ in range(3):
        look(bridge)
        bridge.clock.advance(DAY_MS)
    _, stopped = sent
    assert (stopped["about"], stopped["charge_point"]) == ("roll_out_stopped", None)
    assert "The roll-out of firmware 1.4.0 has stopped: 1 of 1 updated units went back" in stopped["words"]


def test_one_that_a_person_has_stopped_is_no_news(
    bridge: Bridge, ordered: None, operator: None, sent: list[dict[str, Any]]
) -> None:
    with bridge.app_state.database.writing() as connection:
        roll_outs.stop(connection, 1, "olga has stopped it", bridge.clock.now_ms())
    look(bridge)
    assert sent == []


def test_nobody_gets_it_unasked_and_nobody_else_may_ask(bridge: Bridge, ordered: None) -> None:
    assert not {AlertKind.UPDATE, AlertKind.ROLL_OUT_STOPPED} & set(USUAL)
    with bridge.app_state.database.writing() as connection, pytest.raises(BridgeError, match="only these are notified"):
        add_subscription(connection, find_person(connection, "ann"), AlertKind.ROLL_OUT_STOPPED, Via.WEBHOOK, HOOK)
