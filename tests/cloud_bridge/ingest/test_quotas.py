"""Is only a unit that sends too much disconnected and reported, and does an honest unit never reach its quota?"""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.ingest.quotas import BURST, MAX_UNITS, PER_S, Quotas
from cloud_bridge.store.access import Role
from cloud_bridge.web.presentation.view import OVER_QUOTA_MS
from firmware.storage.outbox import RECORDS_MAX
from tests.cloud_bridge.people import Visitor, unit_of
from tests.cloud_bridge.raw import RawUnit, connect_packet, publish_packet
from tests.cloud_bridge.running import Bridge, Unit, sample

HEARTBEAT = "cp/cp-1/heartbeat"
PUBACK_BYTES = 4
DAY_S = 86_400
WORDS = "It sends too many messages"


class Clock:
    """A monotonic clock that the test sets."""

    def __init__(self, bridge: Bridge) -> None:
        self.now_s = 0.0
        bridge.broker._listener._ingest._now_s = lambda: self.now_s


@pytest.fixture
def clock(bridge: Bridge) -> Clock:
    return Clock(bridge)


def events(count: int) -> bytes:
    return b"".join(publish_packet("cp/cp-1/event", b'{"b":1,"n":%d}' % number, number + 1) for number in range(count))


@given(st.lists(st.floats(0, 5000), min_size=1, max_size=200), st.integers(1, 50), st.floats(0.1, 10))
def test_never_more_than_the_burst_and_what_has_come_back(steps_s: list[float], burst: int, per_s: float) -> None:
    quotas, now_s, taken = Quotas(burst, per_s), 0.0, 0
    for step_s in steps_s:
        now_s += step_s
        taken += sum(quotas.take("cp-1", now_s) for _ in range(10))
        assert taken <= burst + now_s * per_s + 0.01


def test_a_full_bucket_comes_back_evenly() -> None:
    quotas = Quotas()
    assert [quotas.take("cp-1", 0.0) for _ in range(BURST + 1)] == [True] * BURST + [False]
    assert quotas.take("cp-2", 0.0), "each has its own"
    assert not quotas.take("cp-1", 0.9 / PER_S)
    assert [quotas.take("cp-1", 10 / PER_S) for _ in range(11)] == [True] * 10 + [False]
    later_s = 10 / PER_S + BURST / PER_S
    assert [quotas.take("cp-1", later_s) for _ in range(BURST + 1)] == [True] * BURST + [False]


def test_the_memory_is_bounded() -> None:
    quotas = Quotas()
    for number in range(MAX_UNITS + 10):
        quotas.take(f"cp-{number}", 0.0)
    assert len(quotas._used) == MAX_UNITS


def test_days_of_outages_never_hurt_an_honest_unit() -> None:
    """It charges all day, reconnects every ten minutes, each time with its whole outbox, and sends every possible packet."""
    quotas = Quotas()
    for at_s in itertools.chain(range(0, 2 * DAY_S, 600)):
        for _ in range(RECORDS_MAX + 3 + 2 * 10):  # records; CONNECT, SUBSCRIBE and DISCONNECT; heartbeats and pings
            assert quotas.take("cp-1", at_s)


def test_a_unit_beyond_its_quota_is_cut_off_unacknowledged(bridge: Bridge, clock: Clock) -> None:
    other = Unit(bridge, "cp-2", bridge.add_unit("cp-2").secret).connect()
    secret = bridge.add_unit("cp-1").secret
    raw = RawUnit(bridge).connect("cp-1", secret)
    raw.send(events(BURST + 500))
    assert len(raw.receive(PUBACK_BYTES * (BURST + 500))) <= PUBACK_BYTES * (BURST - 1)
    assert raw.was_closed
    other.publish("cp/cp-2/heartbeat", sample("heartbeat-idle"))
    assert not other.gone.is_set()
    assert bridge.counter("contacts") == BURST - 1 + 1
    assert bridge.counter("refused_over_quota") == 1


@pytest.mark.parametrize(
    "packet",
    [
        b"\xc0\x00",  # PINGREQ
        b"\x82\x06\x00\x01\x00\x01a\x01",  # a subscription that is refused
        publish_packet("cp/cp-2/heartbeat", b"{}"),  # dropped, but acknowledged
        publish_packet(HEARTBEAT, b"{}", first_byte=0x33),  # a retained message, dropped but acknowledged
        publish_packet(HEARTBEAT, b"not json"),
    ],
)
def test_every_packet_counts(bridge: Bridge, clock: Clock, packet: bytes) -> None:
    bridge.broker._listener._ingest._quotas = Quotas(burst=20)
    raw = RawUnit(bridge).connect("cp-1", bridge.add_unit("cp-1").secret)
    raw.send(packet * 21)
    raw.receive(1000)
    assert raw.was_closed
    assert bridge.counter("refused_over_quota") == 1


def test_logins_count_too_and_it_comes_back_with_time(bridge: Bridge, clock: Clock) -> None:
    bridge.broker._listener._ingest._quotas = Quotas(burst=5, per_s=1.0)
    secret = bridge.add_unit("cp-1").secret
    for _ in range(5):
        RawUnit(bridge).connect("cp-1", secret)
    refused = RawUnit(bridge)
    refused.send(connect_packet("cp-1", "cp-1", secret))
    assert refused.receive(4) == b"\x20\x02\x00\x03", "unavailable for now"
    clock.now_s += 2.0
    raw = RawUnit(bridge).connect("cp-1", secret)
    raw.send(publish_packet(HEARTBEAT, sample("heartbeat-idle"), 7))
    assert raw.receive(4) == b"\x40\x02\x00\x07"


def test_its_owner_and_the_operator_are_told_for_an_hour(bridge: Bridge, clock: Clock) -> None:
    unit = unit_of(bridge, "dora")
    dora, olga = Visitor(bridge, "dora"), Visitor(bridge, "olga", Role.OPERATOR)
    unit.publish("cp/home-1/heartbeat", json.dumps({"n": 1, "b": 1, "s": "A1"}).encode())
    assert WORDS not in dora.read("/charge-points/home-1") + olga.read("/fleet")
    bridge.broker._listener._ingest._quotas = Quotas(burst=0)
    unit._client.publish("cp/home-1/heartbeat", b"{}", 1)
    bridge.until(lambda: bridge.counter("refused_over_quota"), "cut off")
    bridge.app_state.unit_reports.write()  # as every second
    assert WORDS in dora.read("/charge-points/home-1")
    assert WORDS in olga.read("/fleet")
    bridge.clock.advance(OVER_QUOTA_MS + MINUTE_MS)
    assert WORDS not in dora.read("/charge-points/home-1") + olga.read("/fleet")
