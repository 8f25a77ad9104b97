"""`python -m hil_tests.bench wear`: how often does the contactor move in 24 hours with the worst car, house and line?

The charging rules run in simulated time. Each family of adversaries is one disturbance, present and absent in turns:
its periods, shares and phases are those of a report or drawn by the seed, and one adversary reacts to the contactor.
All of a family run for an hour, then the worst of them for two days. Exits with 1 if a contactor moves more often than
the budgets permit, or stays closed too long: 100 ms after the pilot, the vehicle or the unit's own supply is a cause to
open, 6 s after a pause, and 4.5 s after the mains have sagged.
"""

import random
from collections.abc import Callable
from typing import NamedTuple

from firmware.charging.control_state import Setup
from firmware.charging.controller import NOTHING, Controller, Wear
from firmware.charging.io import X1, F, Inputs
from firmware.charging.limits import PAUSE_A, Claim
from firmware.charging.pilot import OFFER_MIN_A

STEP_MS = 20
SECOND_MS, MINUTE_MS, HOUR_MS = 1000, 60_000, 3_600_000
TEN_MINUTES_MS, DAY_MS = 10 * MINUTE_MS, 24 * HOUR_MS
# The budgets, in movements: closings and openings.
TEN_MINUTES_MOVEMENTS_MAX = 20
DAY_MOVEMENTS_MAX = 120  # on the first day
FURTHER_DAY_MOVEMENTS_MAX = 54  # on each further day: 100,000 closings, the least in data sheets, last for ten years
LATE_MS = 100  # from the cause to the open contactor: IEC 61851-1 table A.6, sequences 7 and 8.1
PAUSE_LATE_MS = 6_000 + LATE_MS  # sequence 10.2, for a vehicle that does not stop
SAG_LATE_MS = 4_500 + LATE_MS  # firmware/charging/faults.py, `supply`
TRIES = 24  # adversaries drawn for each family
PERIOD_MS = (1 * SECOND_MS, 10 * MINUTE_MS)
BLIP_MS = (
    320,
    480,
)  # how long a car requests energy before it does so to stay: github.com/dingo35/SmartEVSE-3.5/issues/40
WATCHED_MS = 1500  # after a change, and until the contactor is open, each step takes STEP_MS
STEADY_MS = 200  # step while nothing changes
RESTING_MS = 1000  # step while the contactor rests, whatever changes
VEHICLE_REACTS_MS = 100  # to the pilot
CAR_MV = {"A": 12_000, "B": 9_000, "C": 6_000, "E": 0}
BETWEEN_BANDS_MV = 7_500
CHARGING_MA = 16_000


class Plan(NamedTuple):
    """When a disturbance is present: a repeated list of (is it present, for how long). Empty: while the contactor is
    closed."""

    turns: tuple[tuple[bool, int], ...]

    def __str__(self) -> str:
        return " ".join(f"{'+' if present else '-'}{ms / 1000:g}s" for present, ms in self.turns) or "by the contactor"


BY_THE_CONTACTOR = Plan(())


class Site:
    """The rules of a 32 A charge point, a vehicle that charges whenever it can, and one disturbance."""

    def __init__(self, family: "Family", plan: Plan) -> None:
        self.inputs = Inputs()
        self.inputs.supply_mv, self.inputs.rail_mv = 230_000, 5_000
        self.inputs.temperature_c, self.inputs.meter_wh = 25, 0
        self.now_ms = 0
        self.restart(0)
        self.moved_ms: list[int] = []
        self.late_ms = 0
        self.present = False
        self.pauses = False  # the vehicle requests no energy
        self.unplugged = self.shorted = self.disturbed = self.without_diode = False
        self._family, self._plan = family, plan
        self._turn, self._turn_ends_ms = -1, 0
        self._changed_ms = 0
        self._cause_ms: int | None = None  # since when the contactor should be open
        self._offered_ms = 0  # how long the vehicle has seen an offer, or none if negative

    def restart(self, owed: int) -> None:
        """Restart the processor. `owed` is the stored state of the contactor's budget."""
        self.controller = Controller(self.now_ms, Setup(32, True, False, 32, True), NOTHING, Wear(0, owed))
        self.controller.exchange.claims = ()

    def run(self, until_ms: int) -> None:
        while self.now_ms < until_ms:
            self._step()

    def _step(self) -> None:
        outputs = self.controller.outputs
        was = (outputs.contactor, outputs.pilot_duty_u16, self.controller.phase)
        elapsed_ms = self._step_ms()
        self.now_ms += elapsed_ms
        self._follow_plan(outputs.contactor)
        self._load_pilot(elapsed_ms, outputs.pilot_duty_u16)
        self._look_for_cause(outputs.contactor)
        controller = self.controller
        outputs = controller.step(self.now_ms, self.inputs)
        self.inputs.contactor_closed = outputs.contactor
        if outputs.contactor and self.inputs.pilot_high_mv == CAR_MV["C"]:
            self.inputs.current_ma = CHARGING_MA
        else:
            self.inputs.current_ma = 0
        self.inputs.rcd_ac_trip = outputs.rcd_test
        if outputs.contactor != was[0]:
            self.moved_ms.append(self.now_ms)
        if (outputs.contactor, outputs.pilot_duty_u16, controller.phase) != was:
            self._changed_ms = self.now_ms

    def _step_ms(self) -> int:
        left_ms = self._turn_ends_ms - self.now_ms if self._plan.turns else RESTING_MS
        controller = self.controller
        if controller.phase == "waiting" and controller.exchange.report.ruling.source == "contactor":
            longest_ms = RESTING_MS
        elif self.now_ms - self._changed_ms < WATCHED_MS or (self.present and controller.outputs.contactor):
            return STEP_MS
        else:
            longest_ms = STEADY_MS
        return max(STEP_MS, min(left_ms // STEP_MS * STEP_MS, longest_ms))

    def _follow_plan(self, closed: bool) -> None:
        if not self._plan.turns:
            present = closed
        else:
            present = self.present
            while self.now_ms >= self._turn_ends_ms:
                self._turn = (self._turn + 1) % len(self._plan.turns)
                present, ms = self._plan.turns[self._turn]
                self._turn_ends_ms += ms
        if present != self.present:
            self.present, self._changed_ms = present, self.now_ms
            self._family.disturb(self, present)

    def _load_pilot(self, elapsed_ms: int, duty_u16: int) -> None:
        offered = duty_u16 not in (X1, F)
        if offered != (self._offered_ms >= 0):
            self._offered_ms = 0 if offered else -1
            self._changed_ms = self.now_ms
        self._offered_ms += elapsed_ms if offered else -elapsed_ms
        asks = not self.pauses and (
            not self._family.obeys
            or self._offered_ms >= VEHICLE_REACTS_MS
            or (-VEHICLE_REACTS_MS < self._offered_ms < 0 and self.controller.outputs.contactor)
        )
        car = "A" if self.unplugged else "E" if self.shorted else "C" if asks else "B"
        high_mv = BETWEEN_BANDS_MV if self.disturbed and car in "BC" else CAR_MV[car]
        low_mv = -high_mv if self.without_diode and car in "BC" else -12_000
        inputs = self.inputs
        inputs.pilot_high_mv = low_mv if duty_u16 == F else high_mv
        inputs.pilot_low_mv = high_mv if duty_u16 == X1 else low_mv

    def _look_for_cause(self, closed: bool) -> None:
        """Measure how long the contactor stays closed in spite of the disturbance."""
        if not self.present or not closed:
            self._cause_ms = None
            return
        if self._cause_ms is None:
            self._cause_ms = self.now_ms - STEP_MS  # just after the previous reading
        self.late_ms = max(self.late_ms, self.now_ms - self._cause_ms)


class Family(NamedTuple):
    """One disturbance.

    `obeys`: whether the vehicle stops when the offer is withdrawn. `turns`: those of a report, and no others.
    `late_ms`: the limit from the disturbance to the open contactor.
    """

    name: str
    disturb: Callable[[Site, bool], None]
    obeys: bool = True
    turns: tuple[tuple[tuple[bool, int], ...], ...] = ()
    late_ms: int = LATE_MS


def _claim(source: str, amps: int) -> Claim:
    return Claim(source, amps, None, "test", None)


def _pauses(site: Site, present: bool) -> None:
    site.pauses = present


def _is_unplugged(site: Site, present: bool) -> None:
    site.unplugged = present


def _cloud_pauses(site: Site, present: bool) -> None:
    site.controller.exchange.claims = (_claim("cloud", PAUSE_A),) if present else ()


def _owner_overrides(site: Site, present: bool) -> None:
    override = () if present else (_claim("override", 32),)
    site.controller.exchange.claims = (*override, _claim("schedule", PAUSE_A))


def _load_manager_pauses(site: Site, present: bool) -> None:
    site.controller.exchange.claims = (_claim("load_manager", PAUSE_A if present else OFFER_MIN_A),)


def _pilot_is_disturbed(site: Site, present: bool) -> None:
    site.disturbed = present


def _diode_is_lost(site: Site, present: bool) -> None:
    site.without_diode = present


def _pilot_is_shorted(site: Site, present: bool) -> None:
    site.shorted = present


def _supply_collapses(site: Site, present: bool) -> None:
    site.inputs.rail_mv = 3_000 if present else 5_000


def _supply_fails(site: Site, present: bool) -> None:
    if present:
        site.restart(site.controller.exchange.owed)


def _mains_sag(site: Site, present: bool) -> None:
    site.inputs.supply_mv = 180_000 if present else 230_000


def _blips() -> tuple[tuple[tuple[bool, int], ...], ...]:
    """Return plans of C for a moment, B, and C to stay; then the vehicle requests nothing for a while."""
    low_ms, high_ms = BLIP_MS
    return tuple(
        ((False, blip_ms), (True, gap_ms), (False, charge_ms), (True, MINUTE_MS))
        for blip_ms in range(low_ms, high_ms + 1, 40)
        for gap_ms, charge_ms in ((1000, 5 * MINUTE_MS), (300, 30 * MINUTE_MS))
    )


_TEN_SECONDS = (((True, 10_000), (False, 10_000)),)  # github.com/ngardiner/TWCManager/issues/445
_RESTARTS = ((), *(((False, after_ms), (True, STEP_MS)) for after_ms in (5_000, 20_000, 2 * MINUTE_MS)))
FAMILIES = {
    "car": (
        Family("asks for 320 to 480 ms before it charges", _pauses, turns=_blips()),
        Family("pauses", _pauses),
        Family("pauses, and obeys no offer", _pauses, obeys=False),
        Family("loses contact at the plug", _is_unplugged),
    ),
    "house": (
        Family("the cloud pauses each 10 s", _cloud_pauses, True, _TEN_SECONDS, PAUSE_LATE_MS),
        Family("the cloud pauses", _cloud_pauses, late_ms=PAUSE_LATE_MS),
        Family("the cloud pauses a car in C for good", _cloud_pauses, obeys=False, late_ms=PAUSE_LATE_MS),
        Family("the owner overrides the schedule", _owner_overrides, late_ms=PAUSE_LATE_MS),
        Family("the load manager pauses each 10 s", _load_manager_pauses, True, _TEN_SECONDS, PAUSE_LATE_MS),
        Family("the load manager pauses", _load_manager_pauses, late_ms=PAUSE_LATE_MS),
    ),
    "line": (
        Family("the pilot is disturbed", _pilot_is_disturbed),
        Family("the diode is lost", _diode_is_lost),
        Family("the pilot is shorted", _pilot_is_shorted),
        Family("the unit's own supply collapses", _supply_collapses),
        Family("the unit restarts", _supply_fails, turns=_RESTARTS),
        Family("the mains sag", _mains_sag, late_ms=SAG_LATE_MS),
    ),
}


class Outcome(NamedTuple):
    """Movements of the contactor, closings and openings."""

    plan: Plan
    ten_minutes: int
    hour: int
    day: int
    second_day: int
    late_ms: int
    late_max_ms: int

    def held(self) -> bool:
        """Return whether the contactor moved rarely enough, and opened in time."""
        return (
            self.ten_minutes <= TEN_MINUTES_MOVEMENTS_MAX
            and self.day <= DAY_MOVEMENTS_MAX
            and self.second_day <= FURTHER_DAY_MOVEMENTS_MAX
            and self.late_ms <= self.late_max_ms
        )


def outcome(family: Family, plan: Plan, lasts_ms: int) -> Outcome:
    """Run one adversary for `lasts_ms`."""
    site = Site(family, plan)
    site.run(lasts_ms)
    ten_minutes, hour, day = [sum(ms <= end_ms for ms in site.moved_ms) for end_ms in (TEN_MINUTES_MS, HOUR_MS, DAY_MS)]
    return Outcome(plan, ten_minutes, hour, day, len(site.moved_ms) - day, site.late_ms, family.late_ms)


def drawn(rng: random.Random) -> Plan:
    """Draw a period from 1 s to 10 min, the share of it that is disturbed, and the phase at which it begins."""
    low_ms, high_ms = PERIOD_MS
    period_ms = low_ms * (high_ms / low_ms) ** rng.random()
    present_ms = max(STEP_MS, round(period_ms * rng.random() / STEP_MS) * STEP_MS)
    absent_ms = max(STEP_MS, round(period_ms / STEP_MS) * STEP_MS - present_ms)
    turns = ((True, present_ms), (False, absent_ms))
    return Plan(turns if rng.random() < 0.5 else turns[::-1])


def worst(family: Family, rng: random.Random, tries: int) -> tuple[Outcome, Outcome]:
    """Return the worst run in the first ten minutes, or the latest; and the worst run of an hour, repeated for two days."""
    plans = [Plan(turns) for turns in family.turns] or [BY_THE_CONTACTOR, *(drawn(rng) for _ in range(tries))]
    found = [outcome(family, plan, HOUR_MS) for plan in plans]
    first = max(found, key=lambda one: (one.late_ms > one.late_max_ms, one.ten_minutes, one.late_ms))
    return first, outcome(family, max(found, key=lambda one: one.hour).plan, 2 * DAY_MS)


HEADING = f"{'':6}{'disturbance':42}{'10 min':>7}{'1 h':>6}{'24 h':>6}{'then':>6}{'late ms':>10}/max  worst 10 min; day"


def wear_everything(seed: int, tries: int = TRIES) -> bool:
    """Print the worst adversary of each family. Return True if all is held."""
    print(
        f"seed {seed}, {tries} adversaries drawn of each; movements, at most {TEN_MINUTES_MOVEMENTS_MAX} in 10 min, "
        f"{DAY_MOVEMENTS_MAX} in 24 h, {FURTHER_DAY_MOVEMENTS_MAX} in each further day; "
        f"+ present, - absent\n{HEADING}"
    )
    held = True
    for group, families in FAMILIES.items():
        days = []
        for family in families:
            first, day = worst(family, random.Random(f"{seed} {family.name}"), tries)
            late_ms = max(first.late_ms, day.late_ms)
            print(
                f"{group:6}{family.name:42}{first.ten_minutes:7}{max(first.hour, day.hour):6}{day.day:6}{day.second_day:6}"
                f"{late_ms:10}/{family.late_ms:<5}{first.plan}; {day.plan}",
                flush=True,
            )
            held = held and first.held() and day.held()
            days.append(day.day)
        print(f"worst {group}: {max(days)} movements in 24 h", flush=True)
    return held
