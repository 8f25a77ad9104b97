"""The rules of charging with a simulated board and car, for tests of the whole."""

from firmware.charging.control_state import Setup
from firmware.charging.controller import Controller, Restored, Wear
from firmware.charging.io import SAFE, X1, F, Inputs
from tests.firmware.charging import offered

STEP_MS = 20
CAR_MV = {"A": 12000, "B": 9000, "C": 6000, "D": 3000}


class Unit:
    """A controller with a board whose contactor and pilot follow the outputs within one step."""

    def __init__(
        self,
        tethered=True,
        ventilated=False,
        fallback_a=0,
        kept=None,
        register=None,
        sessions=0,
        latched=(),
        closings=0,
        owed=0,
    ):
        self.now_ms = 0
        self.controller = Controller(
            0,
            Setup(32, tethered, ventilated, fallback_a, True),
            Restored(register, kept, sessions, latched),
            Wear(closings, owed),
        )
        self.exchange.claims = ()
        self.inputs = Inputs()
        self.inputs.rail_mv, self.inputs.supply_mv, self.inputs.temperature_c = 5000, 230000, 25
        self.inputs.meter_wh = 0
        self.car = "A"
        self.diode = True
        self.disturbed = False  # the upper pilot level is between two bands
        self.contactor_moves = True  # False: it stays open
        self.rcd_works = True
        self.tested = False
        self.outputs = SAFE

    @property
    def exchange(self):
        return self.controller.exchange

    def run(self, ms):
        for _ in range(max(1, ms // STEP_MS)):
            self.now_ms += STEP_MS
            self._load_pilot()
            self.outputs = self.controller.step(self.now_ms, self.inputs)
            self.inputs.contactor_closed = self.outputs.contactor and self.contactor_moves
            if self.outputs.rcd_test or self.tested:
                self.inputs.rcd_ac_trip = self.tested = self.outputs.rcd_test and self.rcd_works
        return self.outputs

    def _load_pilot(self):
        duty = self.outputs.pilot_duty_u16
        high_mv, inputs = CAR_MV[self.car], self.inputs
        low_mv = -12000 if self.diode or self.car == "A" else -high_mv
        if self.disturbed:
            high_mv -= 1500
        inputs.pilot_high_mv = low_mv if duty == F else high_mv
        inputs.pilot_low_mv = high_mv if duty == X1 else low_mv

    def charge(self):
        self.car = "B"
        self.run(500)
        self.car = "C"
        self.run(1000)
        assert self.outputs.contactor, self.exchange.report
        return self

    def events(self):
        taken = []
        event = self.exchange.events.take()
        while event:
            taken.append(event)
            event = self.exchange.events.take()
        return taken

    def offered_a(self):
        return round(offered.amps(self.outputs.pilot_duty_u16), 1)
