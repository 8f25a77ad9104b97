"""Is the contactor protected from a vehicle that switches on and off, without delaying any other vehicle?"""

import pytest

from firmware.charging.contactor_rest import (
    DAY_CLOSINGS,
    FIRST_MS,
    FORGIVEN_MS,
    FREE,
    HOUR_MS,
    LONGEST_MS,
    WORN_CLOSINGS,
    ContactorRest,
)
from firmware.charging.limits import PAUSE_A, Claim
from tests.firmware.charging.wired import STEP_MS, Unit

HALF_MS = 800  # in each of the two states
DAY_MS = 24 * HOUR_MS
PAUSE, CHARGE = (Claim("cloud", PAUSE_A, None, "test", None),), ()


class Counted(Unit):
    """A unit that counts how often the contactor switches."""

    def __init__(self, fallback_a=0):
        Unit.__init__(self, fallback_a=fallback_a)
        self.switched = 0

    def run(self, ms):
        for _ in range(max(1, ms // STEP_MS)):
            before = self.outputs.contactor
            Unit.run(self, STEP_MS)
            self.switched += self.outputs.contactor != before
        return self.outputs

    def toggle(self, ms):
        """Let a vehicle alternate between C and B for `ms`; return how often the contactor switched."""
        before, until_ms = self.switched, self.now_ms + ms
        while self.now_ms < until_ms:
            self.car = "C" if self.car == "B" else "B"
            self.run(HALF_MS)
        return self.switched - before

    def wear(self, closings):
        self.car = "B"
        while self.switched < 2 * closings:
            self.toggle(1600)
        self.events()


def test_a_vehicle_that_toggles_switches_it_ever_more_rarely():
    unit = Counted()
    unit.car = "B"
    assert [unit.toggle(30_000) for _ in range(3)] == [8, 2, 2]


def test_the_rest_is_told_and_said_to_be_the_limit_and_nothing_is_offered_in_it():
    unit = Counted()
    unit.wear(FREE - 1)
    unit.charge()
    unit.car = "B"
    unit.run(200)
    rests = [event.what for event in unit.events() if event.kind == "contactor_rest"]
    assert rests == [FIRST_MS // 1000] and unit.exchange.report.ruling.source == "contactor"
    unit.car = "C"
    unit.run(FIRST_MS - 1000)
    assert not unit.outputs.contactor and unit.offered_a() == 0 and unit.exchange.report.phase == "waiting"
    unit.run(3000)
    assert unit.outputs.contactor and unit.exchange.report.ruling.source == "installer"


def rests_of(pause_ms, charges_ms):
    """Return the rests of a contactor that is closed for each of these times, and then open for `pause_ms` or until its
    rest ends."""
    rest, now_ms, rests_ms = ContactorRest(0), 0, []
    for charge_ms in charges_ms:
        now_ms += pause_ms
        while rest.resting and not rest.step(now_ms):
            now_ms += STEP_MS
        rest.closed(now_ms)
        now_ms += charge_ms
        rests_ms.append(rest.opened(now_ms))
    return rests_ms


def test_each_rest_is_longer_up_to_the_longest():
    rests_ms = rests_of(800, [800] * 14)
    assert rests_ms[:FREE] == [0] * (FREE - 1) + [FIRST_MS]
    assert rests_ms[FREE : FREE + 2] == [2 * FIRST_MS, 4 * FIRST_MS] and rests_ms[-4:] == [LONGEST_MS] * 4


def test_a_charge_of_two_hours_has_all_forgiven():
    assert rests_of(800, [800] * 12)[-1] == LONGEST_MS
    assert rests_of(800, [800] * 12 + [12 * FORGIVEN_MS, 800, 800])[-3:] == [0, 0, 0]


def test_a_load_manager_that_pauses_each_ten_minutes_does_not_meet_it_for_six_hours():
    rests_ms = rests_of(FORGIVEN_MS // 2, [FORGIVEN_MS // 2] * 100)
    assert set(rests_ms[:35]) == {0} and set(rests_ms[35:]) == {0, HOUR_MS}


def closings_of_days(days):
    """Return the closings by day of a contactor that opens at once, and closes as soon as it may."""
    rest, now_ms, closings = ContactorRest(0), 0, [0] * days
    while now_ms < days * DAY_MS:
        closings[now_ms // DAY_MS] += 1
        rest.closed(now_ms)
        now_ms += 100
        rest.opened(now_ms)
        while rest.resting and not rest.step(now_ms):
            now_ms += 60_000 if now_ms > DAY_MS else 10_000
        now_ms += 1000
    return closings


def test_the_worst_of_a_day_is_few_and_of_each_further_day_one_an_hour():
    first, *further = closings_of_days(4)
    assert first <= DAY_CLOSINGS + 25 and max(further) <= 24
    assert first + 24 * 365 * 9 < WORN_CLOSINGS, "nine years until the installer is told, ten until its life is over"


def test_the_button_forgives_those_of_a_day_too():
    rest, rests_ms = ContactorRest(0), []
    for closing in range(2 * DAY_CLOSINGS):
        rest.closed(closing * 1000)
        rests_ms.append(rest.opened(closing * 1000 + 100))
        rest.forgive()
        assert rest.step(closing * 1000 + 100)
    assert set(rests_ms) == {0}


@pytest.mark.parametrize("asks_ms", range(320, 500, 20))
def test_a_vehicle_that_asks_for_a_moment_at_each_start_closes_it_once(asks_ms):
    """github.com/dingo35/SmartEVSE-3.5/issues/40: C, B, then C for good. It once closed twice at each start."""
    unit = Counted()
    for start in range(3):
        for car, ms in (("B", 3000 + 20 * start), ("C", asks_ms), ("B", 1000), ("C", 20_000)):
            unit.car = car
            unit.run(ms)
        assert unit.switched == 2 * start + 1


def test_the_button_ends_it():
    unit = Counted()
    unit.wear(7)
    unit.car = "C"
    unit.run(2000)
    assert not unit.outputs.contactor
    unit.inputs.button = True
    unit.run(3000)
    assert unit.outputs.contactor


def test_a_clock_that_is_set_back_changes_nothing():
    unit = Counted()
    unit.wear(FREE)
    unit.car = "C"
    unit.run(FIRST_MS // 2)
    unit.controller.set_back(unit.now_ms)
    unit.now_ms = 0
    unit.run(FIRST_MS // 4)
    assert not unit.outputs.contactor
    unit.run(FIRST_MS // 2)
    assert unit.outputs.contactor


def test_closings_that_were_not_forgiven_before_a_restart_count_after_it():
    unit = Counted()
    unit.controller = Unit(owed=FREE).controller
    unit.exchange.claims = CHARGE
    unit.car = "C"
    assert not unit.run(FIRST_MS - STEP_MS).contactor
    assert unit.run(2000).contactor


def test_a_rest_is_told_in_seconds():
    unit = Unit().charge()
    unit.events()
    unit.controller._rest = ContactorRest(unit.now_ms, DAY_CLOSINGS + 1)
    unit.car = "B"
    unit.run(200)
    assert [event.what for event in unit.events() if event.kind == "contactor_rest"] == [HOUR_MS // 1000]


@pytest.mark.parametrize(
    "owed, elapsed_ms, rest_ms",
    [
        (FREE - 1, 0, 0),
        (FREE, 0, FIRST_MS),
        (FREE, FORGIVEN_MS - 1, FIRST_MS),
        (FREE, FORGIVEN_MS, 0),
        (FREE + 5, 0, 32 * FIRST_MS),
        (FREE + 6, 0, LONGEST_MS),
        (DAY_CLOSINGS, 0, LONGEST_MS),
        (DAY_CLOSINGS + 1, 0, HOUR_MS),
        (DAY_CLOSINGS + 1, HOUR_MS - 1, HOUR_MS),
        (DAY_CLOSINGS + 1, HOUR_MS, LONGEST_MS),
    ],
)
def test_what_is_owed_is_forgiven_to_the_millisecond(owed, elapsed_ms, rest_ms):
    rest = ContactorRest(1000, owed)
    assert rest.opened(1000 + elapsed_ms) == rest_ms
    assert rest.resting is (rest_ms > 0)
    if rest_ms:
        assert not rest.step(1000 + elapsed_ms + rest_ms - 1) and rest.resting
        assert rest.step(1000 + elapsed_ms + rest_ms) and not rest.resting


def test_a_closing_says_how_many_of_a_day_are_owed():
    rest = ContactorRest(0, 2)
    assert rest.closed(0) == 3
    assert rest.closed(HOUR_MS) == 3
    assert rest.closed(HOUR_MS + 1) == 4
    assert rest.closed(9 * HOUR_MS) == 1
