"""`python -m hil_tests.bench vehicles`: run the charging rules with vehicles of odd behaviour.

Rules, board and vehicle run in simulated time: two minutes without an offer, then 20 minutes with an offer that goes
from 32 A to 7 A and back. Exits with 1 if a contactor is switched more than 20 times in the first ten minutes or more
often in the second, or stays closed for longer than 100 ms after the vehicle has opened S2.
"""

from typing import NamedTuple

from firmware.charging.control_state import Setup
from firmware.charging.controller import Controller
from firmware.charging.io import SAFE, Inputs
from firmware.charging.limits import PAUSE_A, Claim
from hil_tests.sim.board import CONTACTOR_OPENS_IN_S, Board, Outputs
from hil_tests.sim.manners import every_manner
from hil_tests.sim.vehicle import Vehicle

STEP_MS = 20
WAITS_MS = 120_000
TEN_MINUTES_MS = 600_000
MOST_SWITCHINGS = 20  # in the first ten minutes
LATE_MS = 100 + round(1000 * CONTACTOR_OPENS_IN_S)  # IEC 61851-1 table A.6, sequences 7 and 8.1; plus the contacts
LOWER_A = 7
LOWER_MS = 300_000  # since the first offer: the lower current is offered from here to twice as long


class Outcome(NamedTuple):
    """The results of one vehicle.

    `switchings` are those of the first and of the second ten minutes. `late_ms` is the longest time that the contacts
    stayed closed after S2 had opened. `told` are the events except faults.
    """

    name: str
    switchings: tuple[int, int]
    late_ms: int
    energy_wh: int
    faults: tuple[str, ...]
    told: tuple[str, ...]
    red: bool

    def held(self) -> bool:
        """Return whether the contactor moved rarely enough, and opened in time."""
        first, second = self.switchings
        return first <= MOST_SWITCHINGS and second <= first and self.late_ms <= LATE_MS

    def __str__(self) -> str:
        first, second = self.switchings
        seen = ", ".join((*self.faults, *self.told)) or "-"
        light = "red" if self.red else "not red"
        return f"{self.name:22}{first:6}{second:6}{self.late_ms:8}{self.energy_wh:8}  {light:8}{seen}"


HEADING = f"{'vehicle':22}{'first':>6}{'then':>6}{'late ms':>8}{'Wh':>8}  {'light':8}faults and events"


class _Site:
    """The rules of a 32 A charge point, stepped in simulated time, and a vehicle."""

    def __init__(self, vehicle: Vehicle) -> None:
        self.board = Board(vehicle)
        self.board.mains = True
        self.controller = Controller(0, Setup(32, False, False, 0, True))
        self.controller.exchange.claims = ()
        self.now_ms = self.switched = 0
        self.late_ms = self._open_for_ms = 0
        self.faults: list[str] = []
        self.told: list[str] = []
        self._inputs = Inputs()
        self._outputs = SAFE

    def run(self, ms: int) -> int:
        """Run for `ms`. Return how often the contacts moved."""
        before = self.switched
        for _ in range(ms // STEP_MS):
            self._step()
        return self.switched - before

    def _step(self) -> None:
        was_closed, board = self.board.contact_closed, self.board
        self.now_ms += STEP_MS
        board.guard.move_live_line()
        board.step(STEP_MS / 1000)
        for name, value in board.inputs().items():
            setattr(self._inputs, name, value)
        outputs = self.controller.step(self.now_ms, self._inputs)
        board.outputs = Outputs(outputs.pilot_duty_u16, outputs.contactor, outputs.led, rcd_test=outputs.rcd_test)
        self.switched += board.contact_closed != was_closed
        self._open_for_ms = self._open_for_ms + STEP_MS if not board.vehicle.s2_closed and board.contact_closed else 0
        self.late_ms = max(self.late_ms, self._open_for_ms)
        self._hear()

    def _hear(self) -> None:
        while (event := self.controller.exchange.events.take()) is not None:
            if event.kind == "fault":
                name, is_set = event.what
                if is_set and name not in self.faults:
                    self.faults.append(name)
            elif event.kind in ("wake_up", "contactor_rest", "draws_more"):
                said = str(event.what) if event.kind == "wake_up" else event.kind
                if said not in self.told:
                    self.told.append(said)


def meet(kind: type[Vehicle]) -> Outcome:
    """Run 22 minutes with such a vehicle."""
    site = _Site(kind())
    exchange = site.controller.exchange
    exchange.claims = (Claim("schedule", PAUSE_A, None, "hours", None),)
    site.run(1000)
    site.board.vehicle.plugged = True
    site.run(WAITS_MS)
    exchange.claims = ()
    first = site.run(LOWER_MS)
    exchange.claims = (Claim("cloud", LOWER_A, None, "limit", None),)
    first += site.run(TEN_MINUTES_MS - LOWER_MS)
    exchange.claims = ()
    second = site.run(TEN_MINUTES_MS)
    red, green, blue = site.board.outputs.led
    return Outcome(
        kind.__name__,
        (first, second),
        site.late_ms,
        round(site.board.meter_wh),
        tuple(site.faults),
        tuple(site.told),
        red > 0 and green == blue == 0,
    )


def meet_everybody() -> bool:
    """Run an ordinary vehicle and all with odd behaviour, and print the results. Return True if all is held."""
    print(HEADING)
    kinds: list[type[Vehicle]] = [Vehicle, *every_manner()]
    held = True
    for kind in kinds:
        outcome = meet(kind)
        print(outcome, flush=True)
        held = held and outcome.held()
    return held
