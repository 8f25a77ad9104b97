"""Does a vehicle that switches on and off wear out the contactor, and does anybody else wait for that?"""

from firmware.charging.contactor_rest import FIRST_MS, FORGIVEN_MS, FREE, LONGEST_MS, ContactorRest
from tests.firmware.charging.wired import STEP_MS, Unit

HALF_MS = 800  # in each of both states


class Counted(Unit):
    """Counts how often the contactor switches."""

    def __init__(self):
        Unit.__init__(self)
        self.switched = 0

    def run(self, ms):
        for _ in range(max(1, ms // STEP_MS)):
            before = self.outputs.contactor
            Unit.run(self, STEP_MS)
            self.switched += self.outputs.contactor != before
        return self.outputs

    def toggle(self, ms):
        """A vehicle that changes between C and B, for so long; how often the contactor switched meanwhile."""
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
    """The rests of a contactor that is closed so long each time, and opened so long, or for as long as it rests."""
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
    assert rests_of(800, [800] * 12 + [12 * FORGIVEN_MS])[-1] == LONGEST_MS
    assert rests_of(800, [800] * 12 + [12 * FORGIVEN_MS, 800, 800])[-2:] == [0, 0]


def test_a_load_manager_that_pauses_each_ten_minutes_never_meets_it():
    assert set(rests_of(FORGIVEN_MS // 2, [FORGIVEN_MS // 2] * 100)) == {0}


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
