"""Does a receiver that is slow, fails or never ends delay no other person's alerts? On real sockets."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from cloud_bridge.alerts import delivery, https_post
from cloud_bridge.alerts.alarm import Alarm
from cloud_bridge.alerts.delivery import (
    AGAIN_AFTER_MS,
    CLAIMED_MS,
    FAILING_AT_ONCE,
    WAY_AT_ONCE,
    WORKERS,
    Delivery,
    Means,
)
from cloud_bridge.alerts.detection import MAX_WAITING, TOO_MANY
from cloud_bridge.alerts.errors import NotDelivered
from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.alerts.services import Via
from cloud_bridge.counters import Counters
from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.people import add_person, find_person
from cloud_bridge.store.subscriptions import add_subscription
from cloud_bridge.store.tables import alert_wishes, alerts, people
from tests.cloud_bridge.alerting import Journal, driver, unit_of
from tests.cloud_bridge.alerts import receivers
from tests.cloud_bridge.alerts.receivers import Behaviour, Receiver, Street
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import Bridge, HandClock, running_bridge

LONG_S = 60.0  # a deadline that no delivery of these tests reaches


@pytest.fixture
def street(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    monkeypatch.setattr(https_post, "DELIVER_WITHIN_S", LONG_S)
    street = Street(tmp_path, monkeypatch)
    yield street
    street.close()


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
def sender(bridge: Bridge, counters: Counters) -> Iterator[Delivery]:
    sender = Delivery(bridge.app_state.database, bridge.clock, counters, Means("mailto://mail.example"))
    yield sender
    sender.close()


def account(bridge: Bridge, name: str, *targets: tuple[Via, str]) -> Person:
    """Add an account with a subscription to faults for each target."""
    with bridge.app_state.database.writing() as connection:
        add_person(connection, name, "x", Role.DRIVER, 0)
        person = find_person(connection, name)
        connection.execute(update(people).where(people.c.id == person.id).values(email=f"{name}@example.org"))
        for via, target in targets:
            add_subscription(connection, person, AlertKind.FAULT, via, target)
    return person


def hook(receiver: Receiver, name: str = "") -> tuple[Via, str]:
    return Via.WEBHOOK, f"https://hooks.example:{receiver.port}/{name}"


def enqueue(bridge: Bridge, person: Person, count: int = 1) -> None:
    """Queue this many alerts for each of the person's subscriptions."""
    at_ms = bridge.clock.now_ms()
    row = {"unit_id": None, "about": "fault", "at_ms": at_ms, "due_ms": at_ms, "words": "words"}
    with bridge.app_state.database.writing() as connection:
        mine = select(alert_wishes.c.id).where(alert_wishes.c.person_id == person.id)
        for wish_id in list(connection.execute(mine).scalars()):
            connection.execute(alerts.insert(), [row | {"wish_id": wish_id}] * count)


def waiting(bridge: Bridge) -> int:
    with bridge.app_state.database.reading() as connection:
        query = select(func.count()).select_from(alerts).where(alerts.c.due_ms.is_not(None))
        return connection.execute(query).scalar_one()


@pytest.mark.parametrize("behave", [receivers.slow, receivers.dripping, receivers.informing])
def test_noticing_and_the_alerts_of_others_do_not_wait_for_a_slow_receiver(
    bridge: Bridge, street: Street, monkeypatch: pytest.MonkeyPatch, behave: Behaviour
) -> None:
    bad, good = street.receiver(behave), street.receiver()
    ann, ben = driver(bridge, "ann", ()), driver(bridge, "ben", ())
    with bridge.app_state.database.writing() as connection:
        add_subscription(connection, ann, AlertKind.FAULT, *hook(bad))
        add_subscription(connection, ben, AlertKind.FAULT, *hook(good))
    journals = [Journal(unit_of(bridge, who, name), name) for who, name in ((ann, "cp-1"), (ben, "cp-2"))]
    alarm = Alarm(bridge.app_state.database, bridge.clock, None)
    for fault in ("supply", "pilot", "diode"):
        for journal in journals:
            journal.raised(fault)
        alarm.notice()
        alarm.deliver()
    bridge.until(lambda: len(good.requests) == 3, "the others have theirs")
    bridge.until(lambda: len(bad.requests) == 1, "the slow one has its first")
    assert bad.at_once == 1
    street.close()
    alarm.close()


def test_one_account_is_sent_to_by_one_thread_at_a_time(bridge: Bridge, street: Street, sender: Delivery) -> None:
    receiver = street.receiver()
    ann = account(bridge, "ann", *(hook(receiver, f"{number}") for number in range(10)))
    enqueue(bridge, ann, 3)
    assert sender.send_due() == 30
    assert (len(receiver.requests), receiver.at_once) == (30, 1)


def test_many_accounts_are_sent_to_side_by_side_and_no_more_than_there_are_workers(
    bridge: Bridge, street: Street, sender: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = threading.Barrier(WORKERS)

    def together(receiver: Receiver, connection: Any) -> None:
        everybody.wait(receivers.ANSWER_S)
        receivers.ok(receiver, connection)

    receiver = street.receiver(together)
    for number in range(2 * WORKERS):
        enqueue(bridge, account(bridge, f"a{number}", hook(receiver)))
    assert sender.send_due() == 2 * WORKERS
    assert receiver.at_once == WORKERS


def test_accounts_whose_receivers_have_failed_cannot_occupy_every_worker(
    bridge: Bridge, street: Street, sender: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All hostile targets have had their first try; a good one is served at once, whatever is due for them."""
    bad, good = street.receiver(receivers.closing), street.receiver()
    for number in range(3 * WORKERS):
        enqueue(bridge, account(bridge, f"bad{number}", hook(bad)))
    assert sender.send_due() == 0
    bridge.clock.advance(AGAIN_AFTER_MS[0])
    bad._behave = receivers.slow
    sender.begin()
    bridge.until(lambda: len(bad.requests) == 3 * WORKERS + FAILING_AT_ONCE, "the hostile ones are called again")
    ann = account(bridge, "ann", hook(good))
    enqueue(bridge, ann, 20)
    sender.begin()
    bridge.until(lambda: len(good.requests) == 20, "hers are delivered")
    assert len(bad.requests) == 3 * WORKERS + FAILING_AT_ONCE
    street.close()


def test_a_mail_server_that_does_not_answer_costs_nobody_their_webhook(
    bridge: Bridge, street: Street, sender: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, letters, good = threading.Event(), threading.Semaphore(0), street.receiver()

    def slow_mail(*_: Any) -> None:
        letters.release()
        go_on.wait(receivers.ANSWER_S)

    monkeypatch.setattr(delivery, "send_mail", slow_mail)
    for number in range(3 * WORKERS):
        enqueue(bridge, account(bridge, f"a{number}", (Via.EMAIL, "")))
    sender.begin()
    enqueue(bridge, account(bridge, "ann", hook(good)), 5)
    sender.begin()
    bridge.until(lambda: len(good.requests) == 5, "hers are delivered")
    assert sum(letters.acquire(timeout=0.2) for _ in range(WORKERS)) == WAY_AT_ONCE
    go_on.set()


def test_a_receiver_that_failed_is_left_alone_for_a_minute_whatever_waits_for_it(
    bridge: Bridge, street: Street, sender: Delivery, counters: Counters
) -> None:
    bad = street.receiver(receivers.closing)
    ann = account(bridge, "ann", hook(bad))
    enqueue(bridge, ann, 10)
    for _ in range(3):
        sender.send_due()
    assert len(bad.requests) == 1
    bridge.clock.advance(AGAIN_AFTER_MS[0])
    sender.send_due()
    assert len(bad.requests) == 2
    assert (counters.alerts_failed, counters.alerts_sent) == (2, 0)


def test_the_queue_outlives_the_process(tmp_path: Path, street: Street) -> None:
    clock, good = HandClock(), street.receiver()
    (tmp_path / "store").mkdir()
    with running_bridge(tmp_path / "store", clock) as bridge:
        ann = account(bridge, "ann", hook(good))
        enqueue(bridge, ann, 4)
    with running_bridge(tmp_path / "store", clock) as bridge:
        assert waiting(bridge) == 4
        Delivery(bridge.app_state.database, clock, Counters(), Means()).send_due()
        assert (len(good.requests), waiting(bridge)) == (4, 0)


def test_what_was_being_sent_when_the_process_ended_is_sent_again(
    bridge: Bridge, street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "GOODBYE_S", 0.05)
    receiver = street.receiver(receivers.slow)
    enqueue(bridge, account(bridge, "ann", hook(receiver)))
    first = Delivery(bridge.app_state.database, bridge.clock, Counters(), Means())
    first.begin()
    bridge.until(lambda: receiver.requests, "it has begun")
    began_s = time.monotonic()
    first.close()
    assert time.monotonic() - began_s < 10
    first.begin()  # starts no new delivery
    assert waiting(bridge) == 1
    receiver._behave = receivers.ok
    second = Delivery(bridge.app_state.database, bridge.clock, Counters(), Means())
    assert second.send_due() == 0, "the first may be sending it still"
    bridge.clock.advance(CLAIMED_MS)
    assert second.send_due() == 1
    street.close()
    bridge.until(lambda: not first._in_flight, "its thread has ended")


def test_a_worker_is_free_again_whatever_the_store_raises(
    bridge: Bridge, street: Street, sender: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise AttributeError("a driver of the database that broke its word")

    good = street.receiver()
    enqueue(bridge, account(bridge, "ann", hook(good)))
    with monkeypatch.context() as patch:
        patch.setattr(delivery, "record_outcome", broken)
        assert sender.send_due() == 0
    assert sender.send_due() == 0, "it is claimed still"
    bridge.clock.advance(CLAIMED_MS)
    assert sender.send_due() == 1
    assert len(good.requests) == 2


def test_an_error_that_nobody_expects_is_that_alert_s_alone(
    bridge: Bridge, street: Street, sender: Delivery, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    good = street.receiver()

    def broken(*_: Any) -> None:
        raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")

    monkeypatch.setattr(delivery, "notify", broken)
    ann = account(bridge, "ann", (Via.TELEGRAM, "123456789:" + "a" * 35 + " 1"), hook(good))
    enqueue(bridge, ann)
    for wait_ms in [0, *AGAIN_AFTER_MS]:
        bridge.clock.advance(wait_ms)
        sender.send_due()
    assert (len(good.requests), waiting(bridge)) == (1, 0)
    with bridge.app_state.database.reading() as connection:
        troubles = set(connection.execute(select(alerts.c.trouble)).scalars())
    assert troubles == {"", "it cannot be sent: UnicodeEncodeError"}


def test_an_account_has_a_bounded_queue_and_others_have_theirs(bridge: Bridge) -> None:
    ann, ben = driver(bridge, "ann", ()), driver(bridge, "ben", (AlertKind.FAULT,))
    with bridge.app_state.database.writing() as connection:
        for number in range(50):
            add_subscription(connection, ann, AlertKind.FAULT, Via.WEBHOOK, f"https://hooks.example/{number}")
    counters = Counters()
    alarm = Alarm(bridge.app_state.database, bridge.clock, None, counters=counters)
    journal = Journal(unit_of(bridge, ann, "cp-1"), "cp-1")
    for fault in ("supply", "pilot", "diode"):
        journal.raised(fault)
    Journal(unit_of(bridge, ben, "cp-2"), "cp-2").raised("supply")
    alarm.notice()
    assert waiting(bridge) == MAX_WAITING + 1
    assert counters.alerts_not_queued == 50
    with bridge.app_state.database.reading() as connection:
        query = select(func.count()).select_from(alerts).where(alerts.c.trouble == TOO_MANY)
        assert connection.execute(query).scalar_one() == 50


def test_the_owner_reads_on_the_page_what_was_not_delivered(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch, sender: Delivery, counters: Counters
) -> None:
    answers = ["it answered 500"]

    def refuse(*_: Any) -> None:
        if answers[0]:
            raise NotDelivered(answers[0])

    monkeypatch.setattr(delivery, "post", refuse)
    dora, page = Visitor(bridge, "dora", Role.DRIVER), "/account/notifications"
    dora.post(page, about="fault", via="webhook", target="https://hooks.example/")
    with bridge.app_state.database.reading() as connection:
        person = find_person(connection, "dora")
    assert "not delivered" not in dora.read(page)
    enqueue(bridge, person)
    sender.send_due()
    assert "The last message was not delivered: it answered 500. It is tried again." in dora.read(page)
    for wait_ms in AGAIN_AFTER_MS:
        bridge.clock.advance(wait_ms)
        sender.send_due()
    assert "not delivered: it answered 500. It was given up after 6 tries." in dora.read(page)
    assert counters.alerts_given_up == 1
    answers[0] = ""
    bridge.clock.advance(MINUTE_MS)
    enqueue(bridge, person)
    sender.send_due()
    assert "not delivered" not in dora.read(page)
