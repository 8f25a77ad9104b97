"""Does each person get alerts in their own language, whoever else gets the same alert, and on whichever thread?"""

from typing import Any

import pytest

from cloud_bridge.alerts import delivery
from cloud_bridge.alerts.alarm import Alarm
from cloud_bridge.alerts.delivery import Means
from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.store.email import ask_for_change, confirm_change
from cloud_bridge.store.members import invite, join
from cloud_bridge.store.people import choose_language
from cloud_bridge.store.subscriptions import Via, add_subscription
from cloud_bridge.web.presentation.alert_words import undelivered
from cloud_bridge.words.language import speaking
from tests.cloud_bridge.alerting import Journal, driver, look, unit_of, webhooks
from tests.cloud_bridge.bracketed import GERMAN, bracket_german
from tests.cloud_bridge.running import Bridge

FAULT = "home-1 has stopped with a fault (The contactor does not open) and shows a red light."
IN_BRACKETS = "[home-1 has stopped with a fault ([The contactor does not open]) and shows a red light.]"


@pytest.fixture(autouse=True)
def german(monkeypatch: pytest.MonkeyPatch) -> None:
    bracket_german(monkeypatch)


def test_two_of_a_household_are_told_of_one_fault_each_in_their_language(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = webhooks(monkeypatch)
    owner, member = (driver(bridge, name, (AlertKind.FAULT,)) for name in ("ann", "bea"))
    unit, now_ms = unit_of(bridge, owner, "home-1"), bridge.clock.now_ms()
    with bridge.app_state.database.writing() as connection:
        join(connection, member, invite(connection, "home-1", now_ms), now_ms, now_ms)
        choose_language(connection, member.id, GERMAN)
    bridge.clock.advance(1000)
    Journal(unit, "home-1").raised("contactor_welded")
    look(bridge)
    assert sorted(one["words"] for one in sent) == sorted([FAULT, IN_BRACKETS])


def test_a_letter_ends_in_the_language_of_its_reader(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    letters: list[str] = []
    monkeypatch.setattr(delivery, "send_mail", lambda _server, _address, text, *_more: letters.append(text))
    ann = driver(bridge, "ann", ())
    with bridge.app_state.database.writing() as connection:
        confirm_change(connection, ask_for_change(connection, ann, "ann@example.org", 0), 0)
        add_subscription(connection, ann, AlertKind.FAULT, Via.EMAIL)
        choose_language(connection, ann.id, GERMAN)
    Journal(unit_of(bridge, ann, "home-1"), "home-1").raised("contactor_welded")
    bridge.app_state.upkeep.notice()
    alarm = Alarm(bridge.app_state.database, bridge.app_state.clock, Means("mailto://mail.example"))
    alarm.notice()
    assert alarm.deliver_all() == 1
    (letter,) = letters
    assert letter.startswith(IN_BRACKETS)
    assert "[Choose what we write to you about: [Account, Notifications]]" in letter


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ("it answered 503", "[it answered 503]"),
        ("it could not be reached: ConnectTimeout", "[it could not be reached]: ConnectTimeout"),
        ("too many were waiting to be sent", "[too many were waiting to be sent]"),
    ],
)
def test_why_it_was_not_delivered_is_stored_in_english_and_said_to_whoever_reads_it(stored: str, said: str) -> None:
    assert undelivered(stored) == stored
    with speaking(GERMAN):
        assert undelivered(stored) == said
