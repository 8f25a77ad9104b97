"""Is the verdict on a departure right, and does it say what to do?"""

from typing import Any

import pytest

from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.readiness.facts import Car, Facts, ReadyPlan, Watched
from cloud_bridge.readiness.following import follow
from cloud_bridge.readiness.outlook import DECIDED_BEFORE_MS, Outlook, Verdict, outlook
from cloud_bridge.readiness.reasons import ADVICE, Reason
from cloud_bridge.readiness.telling import SETTLES_MS, News, tell
from cloud_bridge.vehicles.plan import TOLD_BEFORE_MS
from cloud_bridge.wire import Heartbeat

NOW_MS = 1_768_500_000_000
READY_MS = NOW_MS + 8 * HOUR_MS
PLAN = ReadyPlan(READY_MS, NOW_MS, target_percent=80, capacity_kwh=60, power_w=7400)
DECIDED_MS = READY_MS - DECIDED_BEFORE_MS
CHARGING = Heartbeat(state="C2", amps=32, watts=7400, total_wh=1000, limited_by="installer")
IDLE = Heartbeat(state="B2", amps=32, watts=0, total_wh=1000, limited_by="installer")
UNPLUGGED = Heartbeat(state="A1", amps=0, watts=0, total_wh=1000)
FAULT = Heartbeat(state="F", amps=0, watts=0, faults=["rcd_dc"])
PAUSED = Heartbeat(state="B1", amps=0, watts=0, allowed_amps=0, limited_by="cloud")


class Night:
    """A night with a look every five minutes."""

    def __init__(self, percent: float | None = 50.0, plan: ReadyPlan = PLAN) -> None:
        self.plan, self.now_ms, self.watched = plan, NOW_MS, Watched()
        self.car = None if percent is None else Car(NOW_MS, percent, None)
        self.told: list[News] = []
        self.found = Outlook(Verdict.ON_TRACK)

    def look(self, heartbeat: Heartbeat | None = None, until_ms: int = NOW_MS, **facts: Any) -> Outlook:
        """Repeat this heartbeat until then, unless the charger is silent."""
        while True:
            heard_ms = NOW_MS if facts.get("is_silent") else self.now_ms
            now = Facts(heartbeat, heard_ms, car=self.car)._replace(**facts)
            self.watched = follow(self.watched, now, self.plan, self.now_ms)
            self.found = outlook(self.plan, self.watched, now, self.now_ms)
            self.watched, what = tell(self.plan, self.watched, self.found, self.now_ms)
            self.told += [] if what is None else [what]
            if self.now_ms >= until_ms:
                return self.found
            self.now_ms += 5 * MINUTE_MS


def test_every_reason_says_why_and_what_to_do() -> None:
    assert set(ADVICE) == set(Reason)
    assert all(advice.why.endswith(".") and advice.what_to_do.endswith(".") for advice in ADVICE.values())


def test_a_vehicle_that_charges_is_on_track_with_the_time() -> None:
    found = Night().look(CHARGING)
    assert found.verdict is Verdict.ON_TRACK
    assert found.full_ms == pytest.approx(NOW_MS + 0.3 * 60 / 0.88 / 7.4 * HOUR_MS, abs=1000)


@pytest.mark.parametrize(
    ("heartbeat", "reason"),
    [
        (IDLE, Reason.ASLEEP),
        (UNPLUGGED, Reason.NOT_PLUGGED),
        (FAULT, Reason.FAULT),
        (Heartbeat(state="B1", amps=0, watts=0, allowed_amps=0, limited_by="load_manager"), Reason.HOUSE),
    ],
)
def test_what_stays_amiss_is_told_once_three_hours_before(heartbeat: Heartbeat, reason: Reason) -> None:
    night = Night()
    assert night.look(heartbeat, DECIDED_MS - 5 * MINUTE_MS)[:2] == (Verdict.AT_RISK, reason)
    assert night.told == [], "vehicles wake up, and people plug in by themselves"
    assert night.look(heartbeat, DECIDED_MS + SETTLES_MS + 5 * MINUTE_MS)[:2] == (Verdict.WILL_MISS, reason)
    assert night.told == [News.WILL_MISS]
    assert night.now_ms <= READY_MS - 3 * HOUR_MS
    night.look(heartbeat, READY_MS + HOUR_MS)
    assert night.told == [News.WILL_MISS]


def test_what_cannot_be_made_good_is_told_at_once() -> None:
    night = Night(percent=5.0, plan=PLAN._replace(power_w=2300))
    assert night.look(UNPLUGGED, NOW_MS + SETTLES_MS).verdict is Verdict.WILL_MISS
    assert night.told == [News.WILL_MISS]


def test_a_rest_of_the_vehicle_is_no_miss() -> None:
    night = Night()
    night.look(CHARGING, NOW_MS + HOUR_MS)
    assert night.look(IDLE, NOW_MS + HOUR_MS + 15 * MINUTE_MS).verdict is Verdict.ON_TRACK
    assert night.look(CHARGING, NOW_MS + 2 * HOUR_MS).verdict is Verdict.ON_TRACK
    assert night.told == []


def test_it_is_taken_back_once() -> None:
    night = Night(percent=70.0)
    night.look(IDLE, DECIDED_MS + 15 * MINUTE_MS)
    night.look(CHARGING, DECIDED_MS + HOUR_MS)
    assert night.told == [News.WILL_MISS, News.TAKEN_BACK]
    night.look(UNPLUGGED, READY_MS)
    assert night.told == [News.WILL_MISS, News.TAKEN_BACK]


def test_hours_that_leave_too_little_time_are_said_to() -> None:
    found = Night(percent=20.0).look(IDLE, avoided=[(NOW_MS, READY_MS - HOUR_MS)])
    assert found[:2] == (Verdict.WILL_MISS, Reason.HOURS)


def test_a_pause_up_to_the_departure_is_said_to() -> None:
    assert Night().look(PAUSED)[:2] == (Verdict.WILL_MISS, Reason.PAUSED)


def test_charge_now_sets_the_hours_aside() -> None:
    now = Heartbeat(state="C2", amps=32, watts=7400, limited_by="installer", also_in_force=["override"])
    assert Night(percent=20.0).look(now, avoided=[(NOW_MS, READY_MS)]).verdict is Verdict.ON_TRACK


def test_the_vehicles_own_limit_is_said_to() -> None:
    night = Night(plan=PLAN._replace(target_percent=100))
    night.look(CHARGING, NOW_MS + HOUR_MS)
    assert night.look(IDLE, DECIDED_MS)[:2] == (Verdict.WILL_MISS, Reason.STOPPED)


def test_of_a_silent_charger_the_vehicle_is_believed() -> None:
    night = Night()
    night.look(CHARGING)
    assert night.look(CHARGING, DECIDED_MS, is_silent=True)[:2] == (Verdict.NOT_KNOWN, Reason.SILENT)
    charges = Car(night.now_ms, 62.0, charging=True)
    assert night.look(CHARGING, DECIDED_MS, is_silent=True, car=charges).verdict is Verdict.ON_TRACK
    stands = Car(night.now_ms + 1, 62.0, charging=False)
    assert night.look(CHARGING, DECIDED_MS, is_silent=True, car=stands)[:2] == (Verdict.WILL_MISS, Reason.SILENT)


def test_of_a_silent_charger_the_vehicles_own_readings_say_how_fast_it_charges() -> None:
    """It is half as fast as planned, which nothing else shows."""
    night = Night(plan=PLAN._replace(target_percent=90))
    night.look(IDLE)
    for number in range(13):
        said_ms = DECIDED_MS - HOUR_MS + number * 5 * MINUTE_MS
        night.now_ms = said_ms
        night.look(IDLE, said_ms, is_silent=True, car=Car(said_ms, round(50 + number * 0.45), charging=True))
    assert night.found[:2] == (Verdict.WILL_MISS, Reason.SLOW)
    assert night.found.percent == pytest.approx(50 + 5.4 * 4.25, abs=2)


def test_without_a_battery_it_counts_whether_it_is_charged_at_all() -> None:
    night = Night(percent=None)
    assert night.look(CHARGING, NOW_MS + HOUR_MS) == Outlook(Verdict.ON_TRACK)
    assert night.look(IDLE, DECIDED_MS) == Outlook(Verdict.ON_TRACK), "it is full, or at its own limit"
    asleep = Night(percent=None)
    assert asleep.look(IDLE, DECIDED_MS)[:2] == (Verdict.NOT_KNOWN, Reason.IDLE_UNSEEN)
    never = Night(percent=None)
    assert never.look(UNPLUGGED, DECIDED_MS)[:2] == (Verdict.WILL_MISS, Reason.NOT_PLUGGED)


@pytest.mark.parametrize(("percent", "verdict"), [(50.0, Verdict.WILL_MISS), (None, Verdict.NOT_KNOWN)])
def test_of_two_vehicles_the_one_that_is_plugged_in_is_not_taken_for_the_other(
    percent: float | None, verdict: Verdict
) -> None:
    """The other vehicle charges, and this one reports that it is not plugged in."""
    night = Night()
    night.look(CHARGING)
    stands = Car(DECIDED_MS - HOUR_MS, percent, charging=False, plugged=False)
    charges = Heartbeat(state="C2", amps=32, watts=7400, total_wh=21_000, limited_by="installer")
    night.watched = night.watched._replace(percent=None, percent_ms=0)
    found = night.look(charges, DECIDED_MS, car=stands, has_others=True)
    assert found == Outlook(verdict, Reason.OTHER_VEHICLE, None if percent is None else 50)


def test_which_of_two_vehicles_takes_nothing_is_not_known() -> None:
    night = Night()
    found = night.look(IDLE, DECIDED_MS + SETTLES_MS, has_others=True)
    assert found == Outlook(Verdict.NOT_KNOWN, Reason.WHICH_VEHICLE)
    assert night.told == [News.NOT_KNOWN]
    charges = Night().look(CHARGING, has_others=True)
    assert charges[:2] == (Verdict.ON_TRACK, Reason.WHICH_VEHICLE)


def test_of_two_vehicles_the_one_that_says_that_it_is_plugged_in_is_meant() -> None:
    here = Car(NOW_MS + HOUR_MS, 50.0, charging=False, plugged=True)
    assert Night().look(IDLE, DECIDED_MS, car=here, has_others=True)[:2] == (Verdict.WILL_MISS, Reason.ASLEEP)


def test_without_a_battery_what_has_charged_may_have_enough_when_it_is_unplugged() -> None:
    night = Night(percent=None)
    night.look(CHARGING, NOW_MS + 2 * HOUR_MS)
    assert night.look(UNPLUGGED, DECIDED_MS)[:2] == (Verdict.NOT_KNOWN, Reason.NOT_PLUGGED)


def test_an_end_of_what_was_amiss_takes_nothing_back_before_it_charges() -> None:
    """A pause hides that the house leaves no current for the vehicle."""
    house = Heartbeat(state="B1", amps=0, watts=0, allowed_amps=0, limited_by="load_manager")
    night = Night(percent=70.0)
    night.look(house, DECIDED_MS + 15 * MINUTE_MS)
    paused = Heartbeat(
        state="B1", amps=0, watts=0, allowed_amps=0, limited_by="cloud", unit_time_s=1, limited_until_s=601
    )
    night.look(paused, DECIDED_MS + 30 * MINUTE_MS)
    assert night.told == [News.WILL_MISS]
    night.look(CHARGING, DECIDED_MS + HOUR_MS)
    assert night.told == [News.WILL_MISS, News.TAKEN_BACK]


@pytest.mark.parametrize(("percent", "told"), [(47.5, [News.NOT_KNOWN]), (48.3, []), (46.3, [News.WILL_MISS])])
def test_at_the_last_call_nobody_is_told_for_certain_what_hangs_on_half_a_point(
    percent: float, told: list[News]
) -> None:
    last_ms = READY_MS - TOLD_BEFORE_MS
    night = Night(percent, PLAN._replace(target_percent=85))
    night.now_ms, night.car = last_ms - MINUTE_MS, Car(last_ms - 2 * MINUTE_MS, percent, charging=True)
    night.look(CHARGING, last_ms - MINUTE_MS)
    assert night.told == told


def test_a_fault_that_begins_late_and_passes_is_not_told() -> None:
    night = Night(percent=70.0)
    begins_ms = READY_MS - 2 * HOUR_MS
    night.look(CHARGING, begins_ms - 5 * MINUTE_MS)
    night.look(FAULT, begins_ms + 10 * MINUTE_MS)
    night.look(CHARGING, begins_ms + 15 * MINUTE_MS)
    assert night.told == []


def test_whoever_unplugs_shortly_before_the_departure_knows() -> None:
    night = Night()
    night.look(CHARGING, READY_MS - 3 * HOUR_MS)
    night.look(UNPLUGGED, READY_MS)
    assert night.told == []


def test_readings_in_whole_numbers_do_not_sway_the_verdict() -> None:
    night = Night(percent=50.0)
    night.look(CHARGING)
    before = night.watched
    night.now_ms += 5 * MINUTE_MS
    night.car = Car(night.now_ms, 51.0, charging=True)
    later = Heartbeat(state="C2", amps=32, watts=7400, total_wh=1000 + 616, limited_by="installer")
    night.look(later, night.now_ms)
    assert before.percent == 50.0
    assert night.watched.percent == pytest.approx(50.9, abs=0.1)


@pytest.mark.parametrize(("percent", "told"), [(70.0, [News.WILL_MISS]), (66.0, [])])
def test_at_a_limit_of_its_own_a_vehicle_does_not_rest(percent: float, told: list[News]) -> None:
    night = Night(percent, PLAN._replace(target_percent=90))
    last_ms = READY_MS - TOLD_BEFORE_MS
    night.look(CHARGING, last_ms - 10 * MINUTE_MS)
    night.now_ms = last_ms - MINUTE_MS
    night.look(IDLE, last_ms - MINUTE_MS)
    assert night.told == told, "now or never"


def test_a_fault_does_not_wake_a_vehicle_that_sleeps() -> None:
    night = Night()
    night.look(IDLE, DECIDED_MS - 10 * MINUTE_MS)
    night.look(FAULT, DECIDED_MS)
    assert night.look(IDLE, DECIDED_MS + 5 * MINUTE_MS)[:2] == (Verdict.WILL_MISS, Reason.ASLEEP)


@pytest.mark.parametrize(("heartbeat", "reason"), [(FAULT, Reason.FAULT), (PAUSED, Reason.PAUSED)])
def test_without_a_battery_nobody_knows_whether_what_has_charged_has_enough(
    heartbeat: Heartbeat, reason: Reason
) -> None:
    night = Night(percent=None)
    night.look(CHARGING, NOW_MS + HOUR_MS)
    assert night.look(heartbeat, DECIDED_MS)[:2] == (Verdict.NOT_KNOWN, reason)


def test_what_a_vehicle_said_while_it_was_held_back_says_nothing_of_later() -> None:
    night = Night()
    night.look(IDLE, avoided=[(NOW_MS, DECIDED_MS)])
    for said_ms, verdict in ((DECIDED_MS - MINUTE_MS, Verdict.NOT_KNOWN), (DECIDED_MS + MINUTE_MS, Verdict.WILL_MISS)):
        stands = Car(said_ms, 50.0, charging=False)
        night.now_ms = DECIDED_MS + 5 * MINUTE_MS
        silent = {"is_silent": True, "car": stands, "avoided": [(NOW_MS, DECIDED_MS)]}
        assert night.look(IDLE, night.now_ms, **silent)[:2] == (verdict, Reason.SILENT)


def test_a_reading_that_is_older_than_half_a_day_is_not_believed() -> None:
    night = Night()
    night.car = Car(NOW_MS - 13 * HOUR_MS, 90.0, charging=False)
    assert night.look(IDLE).percent is None


@pytest.mark.parametrize("capacity_kwh", [1, 200])
@pytest.mark.parametrize("target", [20, 100])
def test_batteries_of_any_size_have_a_verdict(capacity_kwh: float, target: float) -> None:
    night = Night(19.0, PLAN._replace(capacity_kwh=capacity_kwh, target_percent=target))
    found = night.look(CHARGING)
    assert (found.verdict is Verdict.WILL_MISS) == (capacity_kwh == 200 and target == 100)


def test_of_a_silent_charger_drivers_are_told_that_nobody_knows() -> None:
    """Though the vehicle does not charge: the mains may return at any time."""
    night = Night()
    night.look(CHARGING)
    night.now_ms = DECIDED_MS
    stands = Car(DECIDED_MS, 50.0, charging=False)
    assert night.look(CHARGING, DECIDED_MS + SETTLES_MS, is_silent=True, car=stands).verdict is Verdict.WILL_MISS
    assert night.told == [News.NOT_KNOWN]
