"""Between rules and flash: are the owner's settings applied, sessions stored, and nothing written when nothing happens?"""

from firmware.charging.claims import Claims
from firmware.charging.limits import Claim
from firmware.charging.session import Kept
from firmware.claim_manager import ClaimManager
from firmware.persistence import Persistence, ordered_before, restore, wear_before
from firmware.storage.checkpoint import EVERY_MS, Checkpoint
from firmware.storage.session_log import SessionLog
from tests.firmware.charging.wired import STEP_MS, Unit
from tests.firmware.storage.folder import empty

FOLDER = "build/tests-persistence"
MONDAY_0830_S = 1768206600


class Home:
    """A unit whose two threads take turns."""

    def __init__(self, schedule="", epoch_s=None, forget=True):
        self.flash = empty("tests-persistence") if forget else FOLDER
        self.checkpoint = Checkpoint(self.flash, 0)
        register, kept, sessions, latched = restore(self.checkpoint, 0)
        closings, owed = wear_before(self.checkpoint)
        self.unit = Unit(kept=kept, register=register, sessions=sessions, latched=latched, closings=closings, owed=owed)
        self.settings = {"schedule": schedule}
        self.epoch_s = epoch_s
        self.told = []
        self.claims = Claims(lambda: 60, self.checkpoint.number("delay_s"), self.checkpoint.value.get("override"))
        self.claims.cloud = ordered_before(self.checkpoint, self.now_ms())
        self.claim_manager = ClaimManager(
            self.unit.exchange,
            self.claims,
            self.settings,
            self,
            lambda kind, details: self.told.append((kind, details)),
        )
        self.persistence = Persistence(self.unit.exchange, self.claim_manager, self.checkpoint, self, self.flash)

    def now_ms(self):
        return self.unit.now_ms

    def at(self, at_ms):
        return None if self.epoch_s is None else self.epoch_s + at_ms // 1000

    def now(self):
        return self.at(self.now_ms())

    def run(self, ms):
        for _ in range(ms // STEP_MS):
            self.unit.run(STEP_MS)
            self.persistence.poll()

    def plug(self):
        self.unit.car = "B"
        self.run(500)
        self.unit.car = "C"
        self.run(1500)

    def press(self):
        self.unit.inputs.button = True
        self.run(100)
        self.unit.inputs.button = False
        self.run(500)


def test_a_unit_at_rest_writes_nothing():
    home = Home()
    home.run(60000)
    assert home.checkpoint.writes == 1, "a new unit stores its meter's count"
    home.run(600000)
    assert home.checkpoint.writes == 1


def test_while_it_charges_it_writes_less_than_every_five_minutes():
    home = Home()
    home.plug()
    before = home.checkpoint.writes
    for _ in range(1200):
        home.unit.inputs.meter_wh += 2
        home.run(1000)
    assert home.checkpoint.writes - before <= 5


def test_a_session_is_in_the_log_when_it_ends():
    """[R9]"""
    home = Home(epoch_s=MONDAY_0830_S)
    home.plug()
    home.unit.inputs.meter_wh += 30
    home.run(5000)
    home.unit.car = "A"
    home.run(1000)
    (stored,) = SessionLog(home.flash).read(1, 10)
    assert stored.energy_wh == 30 and stored.lasted_s in (6, 7) and stored.start_s == MONDAY_0830_S


def test_after_a_cut_the_same_session_goes_on():
    """[R9]"""
    home = Home()
    home.plug()
    home.unit.inputs.meter_wh = 30
    home.run(1000)
    again = Home(forget=False)
    again.unit.inputs.meter_wh = 130
    again.plug()
    report = again.unit.exchange.report
    assert report.session.number == 1 and report.session_wh == 130 and again.unit.outputs.contactor


def test_a_session_lasts_through_a_cut_once_the_time_is_known():
    """[R9] The mains are off for an hour, and the unit receives the time some seconds after its start."""
    home = Home(epoch_s=MONDAY_0830_S)
    home.plug()
    home.run(600000)
    again = Home(forget=False)
    again.plug()
    again.epoch_s = MONDAY_0830_S + 602 + 3600
    again.run(1000)
    again.unit.car = "A"
    again.run(1000)
    (stored,) = SessionLog(again.flash).read(1, 10)
    assert stored.start_s in (MONDAY_0830_S, MONDAY_0830_S + 1) and 4200 <= stored.lasted_s <= 4210
    assert stored.charging_s >= 420, "at most what no checkpoint had yet is missing"


def test_a_car_that_only_waits_costs_no_writes():
    home = Home("mon-sun 00:00-24:00", MONDAY_0830_S)
    home.plug()
    before = home.checkpoint.writes
    home.run(3 * 3600000 // 10)
    assert home.checkpoint.writes - before <= 1


def test_the_owners_hours_wait_and_the_button_charges_now():
    """[R10b] [R10f] [R11d]"""
    home = Home("default", MONDAY_0830_S)
    home.plug()
    assert not home.unit.outputs.contactor and home.unit.exchange.report.ruling.source == "schedule"
    home.press()
    home.run(1500)
    assert home.unit.outputs.contactor and home.told == [("override", {"session": 1})]
    home.press()
    home.run(8000)
    assert not home.unit.outputs.contactor


def test_cuts_every_minute_do_not_postpone_a_charge_for_ever():
    """[R11f] Also if a start takes seconds, and the meter counts a little in each of them."""
    home = Home("default")
    home.plug()
    assert home.unit.outputs.contactor
    for life in range(2):
        home = Home("default", forget=False)
        home.unit.car, home.unit.inputs.meter_wh = "C", life
        home.unit.run(3000)
        home.run(45000)
    assert home.unit.outputs.contactor


def test_an_override_is_refused_while_a_fault_is_set():
    """[R8]"""
    home = Home("default", MONDAY_0830_S)
    home.plug()
    home.unit.inputs.rcd_ac_trip = True
    home.run(500)
    assert home.claim_manager.override(True) == "a fault is set"
    home.run(500)
    assert not home.unit.outputs.contactor and home.claims.override is None
    assert home.told == [("override", {"refused": "a fault is set"})]


def test_a_fault_that_needs_a_person_is_kept_until_one_cleared_it():
    home = Home()
    home.plug()
    home.unit.inputs.rcd_ac_trip = home.unit.inputs.rcd_dc_trip = True
    home.unit.inputs.temperature_c = 80
    home.run(2000)
    assert Checkpoint(home.flash, 0).value["latched"] == ["rcd_ac", "rcd_dc"]
    home.unit.inputs.rcd_ac_trip = home.unit.inputs.rcd_dc_trip = False
    home.run(1000)
    home.unit.exchange.clear_wanted = True
    home.run(1000)
    assert Checkpoint(home.flash, 0).value["latched"] == []


def test_a_restart_keeps_what_is_latched_and_the_mains_off_and_on_again_clears_it():
    checkpoint = Checkpoint(empty("tests-persistence"), 0)
    checkpoint.save(0, {"latched": ["rcd_ac"], "sessions": 3}, True)
    assert restore(checkpoint, 0).latched == ["rcd_ac"]
    assert restore(checkpoint, 0, latched=("rcd_dc",)).latched == ("rcd_dc",)
    assert restore(checkpoint, 0, latched=()).latched == ()
    assert restore(checkpoint, 0, sessions=5).sessions == 5


def test_a_latched_fault_is_written_in_the_next_pause():
    """The rest of the checkpoint may wait for a quarter of a second."""
    home = Home()
    home.run(2010)
    home.unit.inputs.rcd_ac_trip = True
    home.run(STEP_MS)
    assert Checkpoint(home.flash, 0).value["latched"] == ["rcd_ac"]


def test_a_latched_fault_is_not_taken_off_the_flash_before_the_rules_have_run():
    """The main thread may run first after a restart, and the supply may fail again then."""
    checkpoint = Checkpoint(empty("tests-persistence"), 0)
    checkpoint.save(0, {"latched": ["rcd_ac"], "total_wh": 5, "meter_wh": 0}, True)
    home = Home(forget=False)
    home.unit.exchange.powered = True
    home.persistence.poll()
    assert Checkpoint(home.flash, 0).value["latched"] == ["rcd_ac"]


def test_nothing_is_written_while_the_supply_collapses():
    home = Home()
    home.plug()
    before = home.checkpoint.writes
    home.unit.inputs.rail_mv = 4000
    home.unit.inputs.meter_wh += 100
    home.run(700000)
    assert home.checkpoint.writes == before


def test_a_checkpoint_that_makes_no_sense_is_a_new_unit():
    home = Home()
    for session in (None, [], [1, 2], ["1", 0, 0, 0], 7, {"number": 1}):
        home.checkpoint.value = {"session": session, "total_wh": "much"}
        assert restore(home.checkpoint, 0)[1] is None
    home.checkpoint.value = {"session": [1, 2, 3, 4]}
    assert restore(home.checkpoint, 500)[1] == Kept(1, -1500, 3, 4)


def limited(home, amps, lasts_s):
    """Limit the current as a command of the cloud does; return when the limit ends."""
    ends_s = home.now() + lasts_s
    home.claims.cloud = Claim("cloud", amps, home.now_ms() + lasts_s * 1000, "ordered by the cloud", ends_s)
    return ends_s


def in_force(home):
    """Return the cloud's claims as the rules receive them."""
    return [claim.amps for claim in home.unit.exchange.claims if claim.source == "cloud"]


def test_an_order_of_the_cloud_outlives_a_mains_cut_until_its_end():
    home = Home(epoch_s=MONDAY_0830_S)
    ends_s = limited(home, 10, 1800)
    home.run(1000)
    again = Home(forget=False)
    again.run(1000)
    assert in_force(again) == [10], "before the time is known"
    again.epoch_s = ends_s - 60  # the mains were off for half an hour
    again.claims.clock_set(again.now_ms(), again.now())
    again.run(1000)
    assert in_force(again) == [10]
    again.run(60000)
    assert in_force(again) == []


def test_an_order_that_ended_in_the_cut_is_over_once_the_time_is_known():
    home = Home(epoch_s=MONDAY_0830_S)
    ends_s = limited(home, 0, 600)
    home.run(1000)
    again = Home(forget=False)
    again.epoch_s = ends_s + 1
    again.claims.clock_set(again.now_ms(), again.now())
    again.run(1000)
    assert in_force(again) == []


def test_without_the_time_an_order_holds_no_longer_than_it_was_to_last():
    home = Home(epoch_s=MONDAY_0830_S)
    limited(home, 0, 600)
    home.run(1000)
    again = Home(forget=False)
    again.run(598000)
    assert in_force(again) == [0]
    again.run(3000)
    assert in_force(again) == []


def test_an_order_that_is_over_or_withdrawn_does_not_come_back():
    home = Home(epoch_s=MONDAY_0830_S)
    limited(home, 10, 5)
    home.run(6000)
    assert Home(forget=False).claims.cloud is None
    limited(home, 10, 600)
    home.run(1000)
    home.claims.cloud = None
    home.run(1000)
    assert Home(forget=False).claims.cloud is None


def test_an_order_costs_two_writes_however_long_it_lasts():
    home = Home(epoch_s=MONDAY_0830_S)
    home.run(60000)
    before = home.checkpoint.writes
    limited(home, 10, 600)
    home.run(900000)
    assert home.checkpoint.writes - before == 2


def closings(home, count):
    """Let a vehicle start and stop until there are `count` more closings."""
    home.unit.car = "C"
    for _ in range(count):
        while not home.unit.outputs.contactor:
            home.run(20)
        home.unit.car = "B"
        home.run(100)
        home.unit.car = "C"


def test_the_closings_of_the_contactor_are_counted_for_life():
    home = Home()
    home.unit.car = "B"
    home.run(500)
    closings(home, 5)
    home.unit.car = "A"
    home.run(1000)
    assert home.unit.exchange.closings == 5
    for life in (10, 15):
        home = Home(forget=False)
        home.unit.car = "B"
        home.run(500)
        closings(home, 5)
        home.unit.car = "A"
        home.run(1000)
        assert home.unit.exchange.closings == life


def test_a_cut_loses_few_closings_and_none_is_a_write_of_its_own():
    """At any time, at most those since the last checkpoint are lost."""
    home, most_lost = Home(), 0
    home.unit.car = "B"
    home.run(60000)
    writes = home.checkpoint.writes
    while home.now_ms() < 3 * 3600000:
        closings(home, 1)
        most_lost = max(most_lost, home.unit.exchange.closings - Checkpoint(FOLDER, 0).number("closings"))
    assert home.unit.exchange.closings > 20 and 0 < most_lost <= 8
    assert home.checkpoint.writes - writes <= 3 * 3600000 // EVERY_MS + 2


def test_a_damaged_count_begins_at_0():
    home = Home()
    for damaged in (None, "many", -5):
        home.checkpoint.save(0, {"closings": damaged}, True)
        assert Home(forget=False).unit.exchange.closings == 0


def test_a_supply_that_fails_under_load_is_spared_by_the_rest():
    """A vehicle in state C; soon after the contactor has closed, the processor restarts without warning."""
    for lives_ms in (20, 500, 40_000):
        home, elapsed_ms, closed_ms = Home(), 0, []
        while elapsed_ms < 3 * 3600000:
            home.unit.car = "C"
            while not home.unit.outputs.contactor and home.now_ms() < 2 * 3600000:
                home.run(20)
            closed_ms.append(elapsed_ms + home.now_ms())
            home.run(lives_ms)
            elapsed_ms += home.now_ms() + 3000
            home = Home(forget=False)
        assert sum(ms < 600000 for ms in closed_ms) <= 10
        assert 10 < len(closed_ms) < 36, closed_ms
        assert home.unit.exchange.closings == len(closed_ms)


def test_a_vehicle_that_asks_for_moments_causes_one_write():
    home = Home()
    home.unit.car = "B"
    home.run(60000)
    writes = home.checkpoint.writes
    for _ in range(100):
        home.unit.car = "C"
        home.run(400)
        home.unit.car = "B"
        home.run(400)
    assert home.checkpoint.writes <= writes + 1 and home.unit.exchange.closings == 0


def test_off_and_on_again_brings_a_resting_unit_back():
    """A vehicle has used up the closings of a day; a person switches the unit off and on some minutes after the last."""
    home = Home()
    home.unit.car = "B"
    home.run(500)
    closings(home, 6)
    home.unit.car = "C"
    home.run(2 * EVERY_MS)
    assert home.unit.exchange.owed > 6
    home = Home(forget=False)
    assert home.unit.exchange.owed == 0 and home.unit.exchange.closings >= 6
    home.unit.car = "C"
    home.run(3000)
    assert home.unit.outputs.contactor


def test_a_restart_after_a_few_closings_waits_for_nothing():
    home = Home()
    for _ in range(2):
        home.unit.car = "C"
        home.run(2000)
        assert home.unit.outputs.contactor
        home = Home(forget=False)


def test_the_button_ends_a_rest_of_before_a_restart():
    home = Home()
    home.unit.car = "B"
    home.run(500)
    closings(home, 6)
    home.unit.car = "A"
    home.run(1000)
    home = Home(forget=False)
    home.unit.car = "C"
    home.run(2000)
    assert not home.unit.outputs.contactor and home.unit.exchange.report.ruling.source == "contactor"
    home.press()
    home.run(3000)
    assert home.unit.outputs.contactor
