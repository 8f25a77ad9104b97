"""Does a vehicle that draws more than the offer still charge where that is safe, and is it stopped where it is not?"""

import pytest

from firmware.charging.excess import LEARN_MS, PAUSE_MS, Excess, over_ma
from firmware.charging.limits import Claim
from tests.firmware.charging.wired import STEP_MS, Unit


class Site:
    """A charge at 32 A. `obeys(offered_a)` is the current that the vehicle draws `late_ms` after the offer."""

    def __init__(self, obeys, late_ms=0, fallback_a=0):
        self.unit = Unit(fallback_a=fallback_a)
        self.unit.charge()
        self.obeys, self.late_ms = obeys, late_ms
        self.offers = []  # of the last 12 s

    def limit(self, amps, source="cloud"):
        self.unit.exchange.claims = (Claim(source, amps, None, "a limit", None),)

    def run(self, ms):
        """Return the largest current drawn in the last second, A."""
        drawn_a = []
        for _ in range(ms // STEP_MS):
            self.offers = (self.offers + [self.unit.offered_a()])[-1 - self.late_ms // STEP_MS :]
            amps = self.obeys(self.offers[0]) if self.unit.outputs.contactor else 0
            self.unit.inputs.current_ma = int(amps * 1000)
            self.unit.run(STEP_MS)
            drawn_a = drawn_a[1 - 1000 // STEP_MS :] + [amps]
        return max(drawn_a)

    def faults(self):
        return [event.what for event in self.unit.events() if event.kind == "fault"]


@pytest.mark.parametrize("limit_a", [7, 8, 9])
def test_a_zoe_is_offered_less_until_it_draws_what_is_allowed(limit_a):
    """github.com/evcc-io/evcc/issues/28936: it draws 1.5 A more at 6 to 9 A."""
    site = Site(lambda offered_a: offered_a + (1.5 if offered_a < 9.5 else 0))
    site.limit(limit_a)
    assert site.run(120000) <= limit_a * 1.1 + 0.5
    assert site.unit.outputs.contactor and site.faults() == []


@pytest.mark.parametrize("limit_a", [6, 10, 16])
def test_one_that_obeys_late_is_left_alone(limit_a):
    """github.com/evcc-io/evcc/pull/12209: an e-Golf takes 12 s."""
    site = Site(lambda offered_a: offered_a, late_ms=12000)
    site.run(20000)
    site.limit(limit_a)
    assert abs(site.run(60000) - limit_a) < 0.1
    assert abs(site.offers[-1] - limit_a) < 0.1, "nothing was learned of it"
    assert site.unit.outputs.contactor and site.faults() == []


def test_a_limit_of_the_cloud_that_nothing_can_bring_about_pauses_nobody():
    site = Site(lambda offered_a: 13)
    site.limit(10)
    assert site.run(300000) == 13
    assert site.unit.outputs.contactor and site.faults() == []
    assert site.offers[-1] == 6


def test_what_the_house_cannot_spare_is_not_drawn_for_long():
    site = Site(lambda offered_a: 13, fallback_a=10)
    site.limit(10, "load_manager")
    assert site.run(3 * LEARN_MS + 20000) == 0
    assert site.unit.exchange.report.ruling.source == "vehicle"
    assert [event.what for event in site.unit.events() if event.kind in ("fault", "draws_more")] == [3, 6, 0]
    assert site.run(PAUSE_MS - 10000) == 13, "it may try again"


def test_the_button_and_the_plug_end_it():
    site = Site(lambda offered_a: 13, fallback_a=10)
    site.limit(10, "load_manager")
    site.run(3 * LEARN_MS + 20000)
    site.unit.inputs.button = True
    site.run(200)
    site.unit.inputs.button = False
    assert site.run(3000) == 13


@pytest.mark.parametrize("offered", [6, 32])
def test_more_than_the_circuit_stands_opens_as_ever(offered):
    site = Site(lambda offered_a: 36)
    site.limit(offered)
    site.run(9000)
    assert ("over_current", True) in site.faults() and not site.unit.outputs.contactor


def drawn(allowed_a, current_ma, ceiling_a=32):
    """What is learned of a vehicle that draws so much for LEARN_MS."""
    excess = Excess()
    assert not excess.step(0, current_ma, allowed_a, ceiling_a)
    assert not excess.step(LEARN_MS - 1, current_ma, allowed_a, ceiling_a)
    return excess, excess.step(LEARN_MS, current_ma, allowed_a, ceiling_a)


def test_a_vehicle_has_fifteen_seconds_to_obey_before_its_offer_is_lowered_by_whole_amperes():
    for current_ma, by_a in ((11600, 2), (12000, 2), (12001, 3)):
        excess, changed = drawn(10, current_ma)
        assert changed and excess.by_a == by_a and excess.offer_a(10) == max(6, 10 - by_a)
        assert not excess.step(2 * LEARN_MS - 1, current_ma, 10, 32)
        assert excess.step(2 * LEARN_MS, current_ma, 10, 32) and excess.by_a == 2 * by_a


def test_at_the_least_offer_it_pauses_only_above_a_ceiling():
    for current_ma, pauses in ((7100, False), (7101, True)):
        excess, changed = drawn(6, current_ma, 6)
        assert changed is pauses and excess.pauses is pauses and excess.by_a == 0


def test_a_pause_lasts_ten_minutes():
    excess, _ = drawn(6, 13000, 6)
    assert not excess.is_over(LEARN_MS + PAUSE_MS - 1) and excess.pauses
    assert excess.is_over(LEARN_MS + PAUSE_MS) and not excess.pauses


def test_a_pause_is_offered_as_one_whatever_was_learned():
    excess, _ = drawn(10, 13000)
    assert excess.offer_a(0) == 0 and excess.offer_a(6) == 6 and excess.offer_a(32) == 29
    assert excess.is_watched()
    excess.forget()
    assert not excess.is_watched() and excess.offer_a(10) == 10


@pytest.mark.parametrize("amps, most_ma", [(0, 500), (6, 7100), (10.5, 12050), (32, 35700)])
def test_a_tenth_and_half_an_ampere_are_not_too_much(amps, most_ma):
    assert over_ma(amps) == most_ma
