"""Do the promises of the rules hold, whatever vehicle, board, owner, network and mains do, in any order?

`make fuzz` takes FUZZ_STEPS random steps; `make test` uses the default below. A failure prints its story; with FUZZ_SHRINK=1,
the shortest that hypothesis finds.
"""

import copy
import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from firmware.charging.control_state import Setup
from firmware.charging.controller import Controller, Restored
from firmware.charging.derating import HOT_MS
from firmware.charging.exchange import Exchange
from firmware.charging.io import SAFE, X1, F, Inputs
from firmware.charging.limits import Claim
from firmware.charging.register import Register
from tests.firmware.charging import offered

STEPS = int(os.environ.get("FUZZ_STEPS", "3000"))
STEPS_PER_STORY = 60
QUICK = [Phase.explicit, Phase.reuse, Phase.generate]
PHASES = list(Phase) if "FUZZ_SHRINK" in os.environ else QUICK  # shrinking is slow
STEP_MS = 20
OHM = {"A": None, "B": 2740, "C": 882, "D": 246}
FLAGS = ("rcd_ac_trip", "rcd_dc_trip", "guard_open", "tamper", "button")


class World:
    """A controller with a vehicle and a board that can do anything that is electrically possible."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.setup = Setup(32, False, False, 0, True)
        self.inputs = Inputs()
        self.inputs.rail_mv, self.inputs.supply_mv, self.inputs.temperature_c = 5000, 230_000, 25
        self.inputs.proximity_ohm, self.inputs.meter_wh = 220, 0
        self.car, self.diode, self.shorted, self.noise_mv = "A", True, False, 0
        self.contact_follows, self.rcd_works, self.obeys, self.leak = True, True, True, False
        self.outputs = SAFE
        self.controller = Controller(0, self.setup)
        self.exchange.claims = ()
        self.total_wh = 0
        self.hot_ms = 0
        self.too_much_steps = 0
        self.wrong_steps, self.was_closed = 0, False  # consecutive steps in which nothing may be closed
        self.step(200)

    @property
    def exchange(self) -> Exchange:
        return self.controller.exchange

    def step(self, ms: int) -> None:
        for _ in range(max(1, ms // STEP_MS)):
            self.now_ms += STEP_MS
            self._sense()
            self.outputs = self.controller.step(self.now_ms, self.inputs)
            self._watch()
            if self.contact_follows:
                self.inputs.contactor_closed = self.outputs.contactor

    def put_right(self) -> None:
        """Repair everything, remove all claims, press the button, and let a vehicle request energy."""
        inputs = self.inputs
        inputs.rail_mv, inputs.supply_mv, inputs.temperature_c, inputs.proximity_ohm = 5000, 230_000, 25, 220
        inputs.rcd_dc_trip = inputs.guard_open = inputs.button = self.leak = self.shorted = False
        self.diode = self.contact_follows = self.rcd_works = self.obeys = True
        self.noise_mv, self.car, self.exchange.claims = 0, "A", ()
        self.step(1000)
        self.exchange.clear_wanted = True
        self.step(1000)
        self.car = "C"
        self.step(4000)  # after a withdrawn offer, the unit rests for 5 s

    def _sense(self) -> None:
        inputs, duty = self.inputs, self.outputs.pilot_duty_u16
        ohm = OHM[self.car]
        high_mv = 12_000 if ohm is None else 12_000 * ohm // (ohm + 1000) + self.noise_mv
        low_mv = -12_000 if self.diode or ohm is None else -12_000 * ohm // (ohm + 1000)
        if self.shorted:
            high_mv = low_mv = 0
        inputs.pilot_high_mv = low_mv if duty == F else high_mv
        inputs.pilot_low_mv = high_mv if duty == X1 else low_mv
        offered_ma = int(offered.amps(duty) * 1000)
        drawing = self.outputs.contactor and self.car in "CD"
        inputs.current_ma = 0 if not drawing else offered_ma if self.obeys else 90_000
        inputs.power_w = inputs.current_ma * 230 // 1000
        if inputs.current_ma and self.now_ms % 1000 < STEP_MS:
            inputs.meter_wh += 2
        if self.outputs.rcd_test and self.rcd_works:
            inputs.rcd_ac_trip = True
        elif not self.leak:
            inputs.rcd_ac_trip = False

    def _watch(self) -> None:
        """Check what must hold in every step."""
        outputs, report, inputs = self.outputs, self.exchange.report, self.inputs
        faults = self.controller.faults.names
        red, green, blue = outputs.led
        assert (red > 0 and green == blue == 0) == bool(faults) or inputs.rail_mv < 4500
        may_charge = self.car == "C" or (self.car == "D" and self.setup.ventilated)
        if not may_charge or not (self.diode or outputs.pilot_duty_u16 == X1):
            self.wrong_steps += 1
        else:
            self.wrong_steps = 0
        if outputs.contactor:
            assert self.wrong_steps == 0 or self.was_closed, "nothing closes in doubt"
            assert not faults
            assert not inputs.rcd_dc_trip and not inputs.rcd_ac_trip
            assert inputs.rail_mv >= 4500
            assert self.wrong_steps <= 2, "open in the third step that sees it leave C"
            assert not outputs.rcd_test
        offered_a = offered.amps(outputs.pilot_duty_u16)
        assert offered_a <= self.setup.installer_max_a + 1e-6
        if offered_a and faults:
            raise AssertionError(f"an offer with {faults}")
        cable_a = {220: 32, 680: 20, 1500: 13}.get(inputs.proximity_ohm or 0, 0)
        self.too_much_steps = self.too_much_steps + 1 if not self.setup.tethered and offered_a > cable_a else 0
        assert self.too_much_steps <= 2, "no more than the cable stands in the third step that sees it"
        self.hot_ms = self.hot_ms + STEP_MS if (inputs.temperature_c or 0) >= 65 and inputs.rail_mv >= 4500 else 0
        if self.hot_ms > HOT_MS + STEP_MS:
            assert offered_a <= max(6, self.setup.installer_max_a / 2) + 1e-6
        assert (report.total_wh or 0) >= self.total_wh
        self.total_wh = report.total_wh or 0
        assert report.session_wh >= 0
        self.was_closed = outputs.contactor


class House(RuleBasedStateMachine):
    """The events that can happen to a World."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.world.put_right()

    @rule()
    def a_unit_that_was_put_right_charges(self) -> None:
        self.world.put_right()
        assert self.world.outputs.contactor, self.world.exchange.report

    @rule(ms=st.sampled_from([20, 20, 40, 100, 300, 1000, 3000, 7000]))
    def wait(self, ms: int) -> None:
        self.world.step(ms)

    @rule(car=st.sampled_from("AABBCCCD"))
    def drive(self, car: str) -> None:
        self.world.car = car
        self.world.step(STEP_MS)

    @rule(name=st.sampled_from(FLAGS), on=st.booleans())
    def touch(self, name: str, on: bool) -> None:
        setattr(self.world.inputs, name, on)
        self.world.leak = self.world.inputs.rcd_ac_trip
        self.world.step(STEP_MS)

    @rule(supply_mv=st.sampled_from([230_000, 230_000, 230_000, 206_000, 207_000, 253_000, 254_000, 0, None]))
    def supply(self, supply_mv: int | None) -> None:
        self.world.inputs.supply_mv = supply_mv
        self.world.step(STEP_MS)

    @rule(rail_mv=st.sampled_from([5000, 5000, 5000, 4499, 4500, 0]))
    def rail(self, rail_mv: int) -> None:
        self.world.inputs.rail_mv = rail_mv
        self.world.step(STEP_MS)

    @rule(temperature_c=st.sampled_from([25, 25, 25, 62, 65, 68, 70, 97, None]))
    def heat(self, temperature_c: int | None) -> None:
        self.world.inputs.temperature_c = temperature_c
        self.world.step(STEP_MS)

    @rule(ohm=st.sampled_from([220, 220, 680, 1500, 10, None]))
    def cable(self, ohm: int | None) -> None:
        self.world.inputs.proximity_ohm = ohm
        self.world.step(STEP_MS)

    @rule(diode=st.booleans(), shorted=st.sampled_from([False, False, True]), noise_mv=st.integers(-1400, 1400))
    def wire(self, diode: bool, shorted: bool, noise_mv: int) -> None:
        self.world.diode, self.world.shorted, self.world.noise_mv = diode, shorted, noise_mv
        self.world.step(STEP_MS)

    @rule(follows=st.booleans(), works=st.booleans(), obeys=st.booleans())
    def break_or_mend(self, follows: bool, works: bool, obeys: bool) -> None:
        self.world.contact_follows, self.world.rcd_works, self.world.obeys = follows, works, obeys
        self.world.step(STEP_MS)

    @rule(
        source=st.sampled_from(["override", "schedule", "cloud", "load_manager"]),
        amps=st.sampled_from([0, 3, 6, 10.5, 16, 80]),
        lasts_ms=st.sampled_from([None, 20, 5000]),
    )
    def claim(self, source: str, amps: float, lasts_ms: int | None) -> None:
        until_ms = None if lasts_ms is None else self.world.now_ms + lasts_ms
        self.world.exchange.claims = (Claim(source, amps, until_ms, "fuzz", None), *self.world.exchange.claims[:2])
        self.world.step(STEP_MS)

    @rule()
    def no_claims(self) -> None:
        self.world.exchange.claims = ()

    @rule(ask=st.sampled_from(["clear_wanted", "test_wanted"]))
    def person(self, ask: str) -> None:
        setattr(self.world.exchange, ask, True)
        self.world.step(STEP_MS)

    @rule(meter_wh=st.sampled_from([0, 5, 1_000_000]))
    def meter_goes_mad(self, meter_wh: int) -> None:
        self.world.inputs.meter_wh = meter_wh
        self.world.step(STEP_MS)

    @rule(
        setup=st.builds(
            Setup, st.sampled_from([32, 16, 6]), st.booleans(), st.booleans(), st.sampled_from([0, 10]), st.booleans()
        )
    )
    def installer(self, setup: Setup) -> None:
        self.world.setup = self.world.exchange.setup = setup
        self.world.step(STEP_MS)

    @rule(proven=st.booleans(), ms=st.sampled_from([20, 1000, 130_000]))
    def network_alone_changes_nothing(self, proven: bool, ms: int) -> None:
        """With everything else unchanged, contactor, offer, faults and session stay equal to a twin's, step by step."""
        twin = copy.deepcopy(self.world)
        self.world.exchange.link_proven = proven
        for _ in range(min(ms, 2000) // STEP_MS):
            self.world.step(STEP_MS)
            twin.step(STEP_MS)
            assert _charge(self.world) == _charge(twin)

    @rule()
    def mains_cut(self) -> None:
        """Restart the processor; what is stored is restored, including the energy."""
        report = self.world.exchange.report
        register = Register(report.total_wh, report.meter_wh)
        sessions = report.session.number if report.session else 0
        restored = Restored(register, report.session, sessions, ())
        self.world.controller = Controller(self.world.now_ms, self.world.setup, restored)
        self.world.outputs, self.world.hot_ms = SAFE, 0
        if self.world.contact_follows:
            self.world.inputs.contactor_closed = False
        before_wh, self.world.total_wh = self.world.total_wh, 0
        self.world.step(STEP_MS)
        if self.world.inputs.rail_mv >= 4500:
            assert (self.world.exchange.report.total_wh or 0) >= before_wh
        self.world.total_wh = max(self.world.total_wh, 0)

    @invariant()
    def the_contactor_is_closed_in_two_phases_alone(self) -> None:
        closed = self.world.controller.phase in ("charging", "stopping")
        assert self.world.outputs.contactor == closed


def _charge(world: World) -> tuple[object, ...]:
    controller, outputs, session = world.controller, world.outputs, world.exchange.report.session
    return (
        controller.phase,
        controller.faults.names,
        outputs.contactor,
        outputs.pilot_duty_u16,
        session.number if session else None,
        controller._register.total_wh,
    )


House.TestCase.settings = settings(
    max_examples=max(1, STEPS // STEPS_PER_STORY),
    stateful_step_count=STEPS_PER_STORY,
    deadline=None,
    phases=PHASES,
    suppress_health_check=list(HealthCheck),
)
TestHouse = House.TestCase
