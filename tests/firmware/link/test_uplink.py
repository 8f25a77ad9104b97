"""How does the whole uplink reach a proven link on a simulated modem in virtual time, and what happens when it fails?"""

import errno
import json

import pytest
from umqtt.simple import MQTTException

from firmware.link import backoff, uplink
from firmware.link.mqtt import INCOMING_MAX, PIECES_MAX, Mqtt
from firmware.link.radio_monitor import SAMPLE_MS
from firmware.link.secure import NotTrusted, WrongCertificate
from firmware.storage.boots import Boot
from hil_tests.bench.modem import broker
from hil_tests.bench.modem.charge_point import HEARTBEAT_S, ChargePoint
from hil_tests.sim.modem.world_file import scene
from modem.errors import CommandError
from tests.firmware.link.fake_clock import FakeClock
from tests.wire_schema import complaints


@pytest.fixture
def unit():
    """A unit whose heartbeats and events are checked against tests/samples/schema.toml."""
    made = ChargePoint(scene({}, 1))
    heartbeats: list = []
    compose = made.uplink._heartbeat

    def composed(report):
        heartbeats.append(compose(report))
        return heartbeats[-1]

    made.uplink._heartbeat = composed
    yield made
    made.close()
    wrong = [found for payload in heartbeats for found in complaints("heartbeat", json.loads(payload))]
    assert wrong + [found for _, kind, details in made.events for found in of_event(kind, details)] == []


def of_event(kind, details):
    return complaints("event", {"k": kind, "d": details})


def samples(unit, look=lambda: None):
    """Return how often the signal was sampled in 50 s of a proven link."""
    begun: list = []

    def over():
        look()
        if unit.uplink.state == "proven" and not begun:
            begun.extend((unit.loop.time(), unit.uplink.radio.sample))
        return bool(begun) and unit.loop.time() >= begun[0] + 50

    assert unit.run(120, over)
    return unit.uplink.radio.sample - begun[1]


def test_it_goes_from_a_dark_modem_to_a_proven_link_step_by_step(unit):
    seen: list = []

    def proven():
        if seen[-1:] != [unit.uplink.state]:
            seen.append(unit.uplink.state)
        assert unit.uplink._exchange.link_proven is (unit.uplink.state == "proven")
        return "proven" in seen

    assert unit.run(60, proven)
    assert [state for state in seen if state != "connected"][:4] == ["offline", "modem", "registered", "proven"]
    assert unit.uplink.trouble is None and unit.uplink.radio.operator


def test_the_will_is_on_the_topic_for_wills_alone(unit, monkeypatch):
    """A cluster node does not mark a will as such: on a heartbeat's topic it would look like a heartbeat."""
    wills: list = []
    set_last_will = uplink.Mqtt.set_last_will

    def noted(self, topic, *arguments, **options):
        wills.append(topic)
        set_last_will(self, topic, *arguments, **options)

    monkeypatch.setattr(uplink.Mqtt, "set_last_will", noted)
    assert unit.run(60, lambda: unit.broker.contacts)
    assert wills == ["cp/%s/lwt" % unit.uplink._settings["id"]]


def test_a_missed_pulse_on_pwrkey_costs_none_of_the_day_s_supply_cuts(unit, monkeypatch):
    presses: list = []

    def key(pressed):
        presses.append(pressed)
        if presses.count(True) > 2:
            pressed_for_real(pressed)

    pressed_for_real = unit.key
    monkeypatch.setattr(unit, "key", key)
    assert unit.run(120, lambda: unit.broker.contacts)
    assert unit.uplink.network.ladder.resets == []


def test_the_signal_is_sampled_rarely(unit):
    assert 4 <= samples(unit) <= 50000 / SAMPLE_MS


def test_the_signal_is_sampled_every_second_while_somebody_looks(unit):
    assert samples(unit, unit.uplink.radio.watch_closely) >= 30


def test_a_heartbeat_goes_out_at_its_interval_and_turns_leave_marks(unit):
    unit.run(4 * HEARTBEAT_S)
    times_s = unit.broker.contacts
    assert len(times_s) >= 3
    assert all(HEARTBEAT_S <= later - sooner <= HEARTBEAT_S + 5 for sooner, later in zip(times_s, times_s[1:]))
    assert unit.uplink._exchange.turns > 100


def test_a_long_backlog_leaves_marks_too(unit):
    record = object()
    unit.run(60, lambda: unit.uplink.state == "proven")
    journal, before = unit.uplink._cloud.journal, unit.uplink._exchange.turns
    journal.oldest, journal.message, journal.acknowledged = (
        lambda: record,
        lambda _: ("event", b"{}"),
        lambda _: None,
    )
    unit.run(60)
    assert unit.uplink._exchange.turns - before >= 10


def test_an_uplink_that_a_mistake_of_ours_ends_each_time_leaves_none(unit):
    def mistake():
        raise KeyError

    unit.uplink._talk = mistake
    for _ in range(3):
        with pytest.raises(KeyError):
            unit.run(60)
    assert unit.uplink._exchange.turns == 0


@pytest.mark.parametrize("has_guard", [True, False])
def test_without_a_guard_no_handshake_begins_while_the_contactor_is_closed(unit, monkeypatch, has_guard):
    """The handshake waits for the end of the charge; with a guard it continues."""
    monkeypatch.setattr(uplink, "SecureStream", lambda stream, *_: stream)
    unit.uplink._bearer.has_guard = has_guard
    unit.uplink._settings._values["plain_mqtt"] = False
    exchange, idle = unit.uplink._exchange, unit.uplink._exchange.report
    exchange.report = idle._replace(phase="charging", contactor=True)
    assert bool(unit.run(120, lambda: unit.broker.accepted)) == has_guard
    exchange.report = idle
    assert unit.run(60, lambda: unit.broker.accepted)


@pytest.mark.parametrize("forgets_s, resets", [(60, False), (110, True)])
def test_the_unit_learns_what_a_network_forgets(unit, forgets_s, resets):
    """Six hours once cost 69 connections, three supply cuts, and four scans that rated CSQ 22 as poor."""
    unit.uplink._settings._values["heartbeat_idle_s"] = 300
    unit.broker.forgets_s, unit.broker.resets = forgets_s, resets
    unit.run(6 * 3600)
    assert len(unit.broker.accepted) <= 6
    apart = [later - sooner for sooner, later in zip(unit.broker.contacts, unit.broker.contacts[1:])]
    assert max(apart) <= 300 + 60
    network = unit.uplink.network
    assert (network.ladder.resets, network.known.scans, network.known.switches) == ([], [], [])
    assert [event for event in unit.events if event[1] == "network"] == []


def test_a_broker_that_refuses_us_is_not_asked_every_few_seconds(unit, monkeypatch):
    """Each attempt costs a TLS handshake: 35 MB a day at the rate for a lost connection."""
    monkeypatch.setattr(broker, "CONNACK", b"\x20\x02\x00\x05")
    unit.run(1200)
    first = [at_s for at_s in unit.broker.accepted if at_s < 60]
    assert len(first) >= 3 and len(unit.broker.accepted) < 25


@pytest.mark.parametrize(
    "error, refused",
    [
        (MQTTException(5), True),
        (MQTTException(uplink.UNAVAILABLE), False),
        (WrongCertificate("expired"), True),
        (NotTrusted("handshake"), False),
        (OSError(errno.ECONNREFUSED), False),
        (CommandError("AT+CIICR", "+CME ERROR: 148", 148, None), False),
    ],
    ids=repr,
)
def test_who_says_no_for_good(unit, error, refused):
    assert unit.uplink._is_refused(error) is refused


def test_a_network_that_refuses_and_is_known_to_pass_no_data_says_no_for_good(unit):
    unit.uplink.network.is_failing = lambda: True
    assert unit.uplink._is_refused(CommandError("AT+CIICR", "+CME ERROR: 148", 148, None)) is True
    assert unit.uplink._is_refused(OSError(errno.ETIMEDOUT)) is False


def test_a_broker_whose_database_is_away_is_asked_seldom_and_no_network_is_blamed(unit):
    """It takes every connection and acknowledges nothing: each time costs a TLS handshake."""
    unit.broker.acknowledges = False
    back_s: list = []

    def back():
        unit.broker.acknowledges = unit.loop.time() >= 3000
        if unit.uplink.state == "proven":
            back_s.append(unit.loop.time())
        return bool(back_s)

    assert unit.run(3000 + 360, back) and back_s[0] >= 3000
    assert len([at_s for at_s in unit.broker.accepted if at_s < 300]) >= 4 and len(unit.broker.accepted) < 20
    assert unit.uplink.network.known.scans == []


def test_commands_that_come_too_fast_are_told(unit, monkeypatch):
    too_many = (INCOMING_MAX + 2) * b"\x30\x04\x00\x01t{"
    monkeypatch.setattr(broker, "PUBACK", too_many + broker.PUBACK)

    def told():
        return [what for _, *what in unit.events if what[0] == "dropped"]

    assert unit.run(4 * HEARTBEAT_S, lambda: len(told()) == 2)
    assert told() == [["dropped", {"commands": 2}]] * 2, "each time those that were dropped since"


class Updates:
    """Replaces firmware.update.updates, with one request to send."""

    def __init__(self):
        self.asks, self.taken, self.is_put_off = True, [], False

    def question(self):
        asks, self.asks = self.asks, False
        return b"{}" if asks else None

    def awaits(self):
        return len(self.taken) < 3

    def take(self, message):
        self.taken.append(message)

    def put_off(self):
        self.is_put_off = True


def test_pieces_of_an_update_are_asked_for_and_taken_and_a_flood_of_them_is_no_loss_of_commands(unit, monkeypatch):
    updates = unit.uplink.updates = Updates()
    pieces = b"".join(b"\x30\x09\x00\x06/piece%d" % number for number in range(PIECES_MAX + 1))
    monkeypatch.setattr(broker, "PUBACK", pieces + broker.PUBACK)
    subscribed = []
    subscribe = Mqtt.subscribe
    monkeypatch.setattr(
        Mqtt, "subscribe", lambda mqtt, topic, qos=0: [subscribed.append(topic), subscribe(mqtt, topic, qos)]
    )
    assert unit.run(60, lambda: len(updates.taken) >= PIECES_MAX)
    assert updates.taken[:PIECES_MAX] == [b"%d" % number for number in range(PIECES_MAX)]
    assert [topic.rpartition("/")[2] for topic in subscribed] == ["command", "piece"]
    assert not [what for _, *what in unit.events if what[0] == "dropped"]


def test_a_broker_that_refuses_the_topic_of_pieces_is_still_a_cloud(unit, monkeypatch):
    updates = unit.uplink.updates = Updates()
    subscribe = Mqtt.subscribe

    def refuse(mqtt, topic, qos=0):
        if topic.endswith("/piece"):
            raise MQTTException(128)
        return subscribe(mqtt, topic, qos)

    monkeypatch.setattr(Mqtt, "subscribe", refuse)
    assert unit.run(10 * HEARTBEAT_S + 60, lambda: updates.is_put_off and len(unit.broker.contacts) == 4)
    assert len(unit.broker.accepted) == 1


def test_settings_that_changed_are_used_at_once(unit):
    asked: list = []

    def again():
        if unit.uplink.state == "proven" and not asked:
            asked.append(unit.loop.time())
            unit.uplink.reconnect()
        return len(unit.broker.contacts) == 2

    assert unit.run(60, again)
    assert unit.broker.contacts[1] - asked[0] < 10 and len(unit.broker.accepted) == 2


WAITS = {
    "after a failure": lambda uplink: uplink._rest(60000),
    "for others to go first": lambda uplink: uplink._let_others_go_first(),
    "for an open contactor": lambda uplink: uplink._wait_for_open_contactor(),
    "for a broker's name": lambda uplink: uplink._show_signal(),
}


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
@pytest.mark.parametrize("wanted", ["scan", "reconnect"])
def test_whoever_wants_a_scan_or_has_changed_settings_waits_for_nothing(unit, wait, wanted):
    link, watched = unit.uplink, []

    def watch(ms):
        assert not watched, "it waits on"
        watched.append(ms)
        getattr(link, wanted)()

    link._watch, link._first_wait_ms, link._bearer.has_guard = watch, 60000, False
    link._settings._values["plain_mqtt"] = False
    link._exchange.report = link._exchange.report._replace(phase="charging")
    wait(link)
    assert watched == [uplink.POLL_MS]


def test_others_are_let_go_first_once_and_for_the_time_that_was_drawn(unit):
    link, clock = unit.uplink, FakeClock()
    link._clock, link._watch, link._first_wait_ms = clock, clock.sleep_ms, 1000
    for _ in range(2):
        link._let_others_go_first()
        assert clock.now == 1000


def test_a_rest_is_as_long_as_it_was_asked_for(unit):
    link, clock = unit.uplink, FakeClock()
    link._clock, link._watch = clock, clock.sleep_ms
    link._rest(600)
    assert clock.now == 600


@pytest.mark.parametrize("boot, is_new", [(None, False), (Boot(1, 0, False), False), (Boot(1, 0, True), True)])
def test_only_a_unit_that_knows_that_it_is_new_does_not_let_others_go_first(unit, monkeypatch, boot, is_new):
    link, asked = unit.uplink, []
    monkeypatch.setattr(backoff, "first_ms", lambda cause, new, draw: asked.append((cause, new)))
    monkeypatch.setattr(link._cloud.health, "boot", boot)
    uplink.Uplink(link._bearer, link._settings, link.trust, link._exchange, link._cloud)
    assert asked == [("soft", is_new)]


@pytest.mark.parametrize(
    "heartbeat_s, told_s",
    [(60, 120), (600, 1200), (601, 1200), (1140, 1200), (1141, 1201), (3600, 3660)],
)
def test_the_broker_is_told_of_a_silence_that_a_late_heartbeat_does_not_reach(heartbeat_s, told_s):
    assert uplink.keepalive_s(heartbeat_s) == told_s


def test_a_network_that_goes_and_comes_back_is_joined_again(unit):
    world, told = unit.modem.world, []

    def back():
        if unit.uplink.state == "proven" and not told:
            told.append("gone")
            unit.loop.call_soon(world.set_coverage, False)
        elif told == ["gone"] and unit.uplink.trouble:
            assert not unit.uplink._exchange.link_proven
            told.append(unit.uplink.trouble)
            unit.loop.call_soon(world.set_coverage, True)
        elif len(told) == 2 and unit.uplink.state == "proven":
            told.append("back")
        return told[-1:] == ["back"]

    assert unit.run(600, back)
    assert unit.uplink.trouble is None
