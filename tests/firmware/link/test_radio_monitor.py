"""Is the signal looked at as often as it should be, and is a network missed when it has been gone for too long?"""

import pytest

from firmware.link.radio_monitor import (
    CLOSE_SAMPLE_MS,
    SAMPLE_MS,
    TIME_MS,
    UNREGISTERED_MS,
    WATCHED_MS,
    RadioMonitor,
)
from modem.errors import NotRegistered
from tests.firmware.link.fake_clock import FakeClock


class Modem:
    """Of modem.client.Modem, on a network with CSQ 17."""

    def __init__(self, clock):
        self.wait = clock.sleep_ms
        self.stat = 5

    def signal_quality(self):
        return 17

    def registration(self):
        return self.stat, 0x1F4, 0x2A3B, None

    def operator(self):
        return "23415"

    def query(self, text, parse):
        assert text == "AT+CCLK?"
        return 1709206496


class Network:
    """Of network.Network; notes what it is given."""

    def __init__(self):
        self.samples, self.tended = [], []
        self.sampled = lambda plmn, csq: self.samples.append((plmn, csq))
        self.tend = self.tended.append


def joined():
    """(monitor, modem, network, clock, times that were set), a minute after the start, when a network took us."""
    clock, network, times = FakeClock(), Network(), []
    clock.now = 60000
    modem = Modem(clock)
    monitor = RadioMonitor(modem, network, clock, lambda epoch_s, source: times.append((epoch_s, source)))
    monitor.joined()
    return monitor, modem, network, clock, times


def test_a_network_that_took_us_is_looked_at_and_asked_for_the_time():
    monitor, _, network, _, times = joined()
    assert (monitor.csq, monitor.operator, monitor.cell, monitor.sample) == (17, "23415", (0x1F4, 0x2A3B), 1)
    assert network.samples == [("23415", 17)] and network.tended == [] and times == [(1709206496, "network")]


@pytest.mark.parametrize("busy", [True, False])
def test_it_is_looked_at_every_ten_seconds_and_tended_with_what_the_unit_does(busy):
    monitor, _, network, _, _ = joined()
    monitor.watch(SAMPLE_MS - 1, busy)
    assert monitor.sample == 1 and network.tended == []
    monitor.watch(1, busy)
    assert monitor.sample == 2 and network.tended == [busy] and len(network.samples) == 2
    monitor.watch(SAMPLE_MS - 1, busy)
    assert monitor.sample == 2


def test_it_is_looked_at_every_second_while_somebody_watches_and_for_five_seconds_more():
    monitor, _, _, _, _ = joined()
    monitor.watch_closely()
    monitor.watch(CLOSE_SAMPLE_MS - 1, False)
    assert monitor.sample == 1
    monitor.watch(1, False)
    assert monitor.sample == 2
    monitor.watch(WATCHED_MS - CLOSE_SAMPLE_MS - 1, False)
    assert monitor.sample == 3
    monitor.watch_closely()
    monitor.watch(WATCHED_MS, False)
    assert monitor.sample == 3, "nobody has looked for five seconds"


def test_nobody_has_watched_a_unit_that_has_just_started():
    clock = FakeClock()
    monitor = RadioMonitor(Modem(clock), Network(), clock, lambda *_: None)
    monitor.watch(CLOSE_SAMPLE_MS, False)
    monitor.watch(SAMPLE_MS - CLOSE_SAMPLE_MS - 1, False)
    assert monitor.sample == 0
    monitor.watch(1, False)
    assert monitor.sample == 1


def test_a_network_is_missed_twenty_seconds_after_it_was_seen_last():
    monitor, modem, network, clock, _ = joined()
    modem.stat = 3
    monitor.watch(SAMPLE_MS, False)
    assert monitor.operator == "23415" and len(network.samples) == 1
    clock.now += UNREGISTERED_MS - SAMPLE_MS - 1 - SAMPLE_MS
    monitor.watch(SAMPLE_MS, False)
    assert monitor.operator == "23415"
    clock.now += 1 - SAMPLE_MS
    with pytest.raises(NotRegistered) as gone:
        monitor.watch(SAMPLE_MS, False)
    assert gone.value.stat == 3 and monitor.operator is None and len(network.samples) == 1


def test_the_time_is_asked_for_every_hour():
    monitor, _, _, clock, times = joined()
    clock.now += TIME_MS - SAMPLE_MS - 1
    monitor.watch(SAMPLE_MS, False)
    assert len(times) == 1
    clock.now += 1
    monitor.watch(SAMPLE_MS, False)
    assert len(times) == 2
    monitor.watch(SAMPLE_MS, False)
    assert len(times) == 2
