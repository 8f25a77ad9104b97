"""Do owner, schedule, cloud and house get what they claim, after the random delay where the rules require it?"""

import pytest

from firmware.charging import schedule
from firmware.charging.claims import LEASE_MS, Claims
from firmware.charging.limits import PAUSE_A, Claim

MONDAY_S = 1768176000  # 12 January 2026, 00:00 UTC
HOURS = schedule.read("default")
DELAY_S = 100


class House:
    """Claims that are stepped once a second, with a wall clock that has the time or not."""

    def __init__(self, hours=HOURS, session=1, resumed=False, clock="07:59:00", carried_s=0, override=None):
        self.claims = Claims(lambda: DELAY_S, carried_s, override)
        self.claims.hours = hours
        self.session = session
        self.resumed = resumed
        self.now_ms = 0
        self.epoch_s = None
        if clock:
            self.epoch_s = MONDAY_S + int(clock[:2]) * 3600 + int(clock[3:5]) * 60 + int(clock[6:])

    def run(self, seconds=1):
        """Return the claims at the end, as {source: amps}."""
        for _ in range(seconds):
            self.now_ms += 1000
            if self.epoch_s is not None:
                self.epoch_s += 1
            self.in_force = self.claims.step(self.now_ms, self.epoch_s, self.session, self.resumed)
        return {claim.source: claim.amps for claim in self.in_force}


def test_the_owners_hours_pause_and_resume_after_the_delay():
    """[R10a] [R11a]"""
    house = House()
    assert house.run(30) == {}
    assert house.run(30 + DELAY_S - 1) == {}
    assert house.run(2) == {"schedule": PAUSE_A}
    assert house.run(3 * 3600 - 5) == {"schedule": PAUSE_A}
    assert "random delay" in house.in_force[0].why
    assert house.run(10) == {}


def test_an_unknown_time_and_no_schedule_charge_at_once_and_are_never_delayed():
    """[R7] [R10e]"""
    assert House(clock=None).run(5) == {}
    assert House(hours=(), resumed=True).run(5) == {}
    cloud = House(hours=())
    cloud.claims.cloud = Claim("cloud", 10, None, "solar", None)
    assert cloud.run() == {"cloud": 10}


def test_a_plug_in_by_a_person_is_not_delayed():
    """[R11d]"""
    house = House(session=None, clock="12:00:00")
    house.run(10)
    house.session = 1
    assert house.run() == {} and not house.claims.delay.running()


def test_whoever_unplugs_ends_the_delay():
    house = House()
    house.run(62)
    assert house.claims.delay.running()
    house.session = None
    house.run()
    assert not house.claims.delay.running()


def test_a_load_manager_is_not_delayed():
    house = House(clock="08:30:00")
    house.claims.load_manager = Claim("load_manager", 20, LEASE_MS, "house", None)
    assert house.run() == {"schedule": PAUSE_A, "load_manager": 20}


def test_hours_that_a_person_has_just_chosen_are_not_delayed():
    """[R11d]"""
    house = House(hours=(), clock="08:30:00")
    assert house.run(5) == {}
    house.claims.hours = HOURS
    assert house.run() == {"schedule": PAUSE_A}


def test_what_the_cloud_orders_is_claimed_until_it_is_withdrawn():
    house = House(hours=())
    house.claims.order(Claim("cloud", 10, None, "solar", None))
    assert house.run() == {"cloud": 10}
    house.claims.order(None)
    assert house.run() == {}


def test_a_command_of_the_cloud_is_delayed_while_the_owner_keeps_hours():
    """[R11a] [R5]"""
    house = House(clock="12:00:00")
    house.run(5)
    house.claims.cloud = Claim("cloud", 10, house.now_ms + 1000000, "peak", None)
    assert house.run(DELAY_S) == {}
    assert house.run(1) == {"cloud": 10}


def test_a_command_of_the_cloud_ends_by_itself():
    """[R7]"""
    house = House(hours=())
    house.claims.cloud = Claim("cloud", PAUSE_A, 5000, "peak", None)
    assert house.run(4) == {"cloud": PAUSE_A}
    assert house.run(1) == {}


def test_the_owner_may_skip_the_present_delay():
    """[R11c]"""
    house = House(clock="12:00:00")
    house.run(5)
    house.claims.cloud = Claim("cloud", 10, None, "peak", None)
    house.run(3)
    house.claims.skip_delay(house.now_ms)
    assert house.run() == {"cloud": 10}


def test_the_owners_override_rules_this_session_alone():
    """[R10f] [R11d]"""
    house = House(clock="08:30:00", session=None)
    assert house.run() == {"schedule": PAUSE_A}
    house.session = 1
    house.run()
    house.claims.override = 1
    assert house.run()["override"] >= 80
    house.session = None
    house.run()
    house.session = 2
    assert house.run() == {"schedule": PAUSE_A}


def test_an_override_survives_a_power_cut_with_its_session():
    """[R10f]"""
    assert "override" in House(clock="08:30:00", resumed=True, override=1).run()
    assert "override" not in House(clock="08:30:00", resumed=True, override=7).run()


def test_when_the_mains_come_back_the_start_is_delayed_only_where_hours_are_kept():
    """[R11e]"""
    house = House(clock="12:00:00", resumed=True)
    assert house.run(DELAY_S) == {"schedule": PAUSE_A}
    assert house.run(2) == {}


def test_cuts_cannot_postpone_for_ever():
    """[R11f] The remaining delay continues, and is not drawn again."""
    house = House(clock="12:00:00", resumed=True, carried_s=7)
    assert house.run(7) == {"schedule": PAUSE_A}
    assert house.run(2) == {}


def ends(house, source):
    """Return when the claim of this source ends, in seconds from now."""
    (ends_s,) = [claim.ends_s for claim in house.in_force if claim.source == source]
    return None if ends_s is None else ends_s - house.epoch_s


def test_a_claim_tells_its_own_end_and_not_that_of_its_lease():
    house = House(clock="08:30:00")
    house.run()
    assert ends(house, "schedule") == 2 * 3600 + 1800 - 1
    house.run(2000)
    assert ends(house, "schedule") == 2 * 3600 + 1800 - 2001
    house.claims.cloud = Claim("cloud", 10, house.now_ms + 900000, "peak", house.epoch_s + 900)
    house.claims.hours = ()
    house.run()
    assert ends(house, "cloud") == 899


def test_a_pause_that_only_waits_for_the_random_delay_ends_with_it():
    house = House()
    house.run(60 + 3 * 3600 + 10)
    assert "random delay" in house.in_force[0].why
    assert ends(house, "schedule") == house.claims.delay.left_s(house.now_ms) > 0
    house.epoch_s = None
    house.in_force = house.claims.step(house.now_ms, None, 1, False)
    assert house.in_force[0].ends_s is None, "without the time no end can be told"


def test_what_goes_on_during_the_delay_keeps_its_end():
    house = House(clock="08:30:00")
    house.run()
    house.claims.cloud = Claim("cloud", 10, house.now_ms + 900000, "peak", house.epoch_s + 900)
    house.run(5)
    assert house.claims.delay.running() and ends(house, "schedule") == 2 * 3600 + 1800 - 6


@pytest.mark.parametrize("seconds", [1, 50, 200])
def test_every_claim_ends_by_itself_if_nobody_renews_it(seconds):
    """[R7]"""
    house = House(clock="08:30:00")
    house.run(seconds)
    for claim in house.in_force:
        assert claim.until_ms <= house.now_ms + LEASE_MS


@pytest.mark.parametrize("off_s", [3600, -3600])
def test_a_pause_of_half_an_hour_ends_when_it_should_once_a_wrong_clock_is_set_right(off_s):
    house = House(clock="08:30:00")
    house.claims.hours = ()
    end_s = house.epoch_s + 1800
    house.epoch_s += off_s  # the time from the network
    house.claims.cloud = Claim("cloud", 0, house.now_ms + (end_s - house.epoch_s) * 1000, "ordered", end_s)
    house.run(10)
    house.epoch_s -= off_s
    house.claims.clock_set(house.now_ms, house.epoch_s)
    house.run(1780)
    assert house.in_force and house.claims.cloud.until_ms - house.now_ms <= 20000
    house.run(30)
    assert house.in_force == ()
