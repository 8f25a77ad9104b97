"""The control half at rest: its next step is due when something changes, and not 20 ms from now.

Theory of operation. After each step the rules have said, by what they compared their clock with (moving.py), until when the
same inputs give the same outputs. So once a number of steps on end has changed nothing, the control strand sleeps until that
moment, on the grid of its own period, or until somebody touches the board, the car, or what the main strand hands over. What
the steps in between would have left behind is made up for: their count, the distance between two of them, and the stamps that
each of them renews.

While a car draws current, energy flows on in straight lines: in pieces of `COARSE_MS`, at whose ends the car is asked anew,
and once it has shown nothing new in some of them until its battery is full, or until the talking half wants to know.
"""

from collections.abc import Callable
from typing import Any

from firmware.control_loop import PERIOD_MS, ControlLoop
from firmware.supervisor import FEED_MS
from hil_tests.years.doors import Strand
from hil_tests.years.hardware import Hardware
from hil_tests.years.moving import NOTES, Now

SETTLED_STEPS = 25  # on end without a change: longer than what the rules count in steps
CAR_SETTLED_STEPS = 100  # with a car: longer than it takes to answer (sim/vehicle.py), 1.5 s
AFTER_S = 1e-7  # a step comes after what people and the world do in the same millisecond, rested or not
COARSE_MS = 10_000  # between two looks at a car that is plugged in, or a board with a fault
SETTLED_PIECES = (
    3  # of those without a change: what a car does by itself comes sooner; from then on it takes until it is full
)
LONGEST_MS = 3_600_000


def timeless(claims: tuple[Any, ...]) -> tuple[object, ...]:
    """But for how long they hold, since they are renewed before that."""
    return tuple([(claim.source, claim.amps, claim.why, claim.ends_s) for claim in claims])


def unnoticed(called: "Callable[..., Any]") -> "Callable[..., Any]":
    """A function of the light: its rhythm changes nothing that anybody waits for."""

    def call(*arguments: Any) -> Any:
        noted = len(NOTES.noted)
        shown = called(*arguments)
        del NOTES.noted[noted:]
        return shown

    return call


class ControlJumps:
    """The door of one control strand. `jumped_ms` is how much of its time was not stepped."""

    def __init__(self, hardware: Hardware, loop: ControlLoop, enabled: bool) -> None:
        self._hardware, self._loop, self._enabled = hardware, loop, enabled
        controller: Any = loop._controller
        self._controller, self._step = controller, controller.step
        controller.step = self._noting_step
        self._due_ms = self._next_ms = 0
        self._stepped_ms: object = None  # the clock of the last step
        self._renewed: tuple[tuple[object, str], ...] | None = (
            None  # stamps that each step renews, once they are asked for
        )
        self._essence: tuple[object, ...] = ()
        self._settled = 0
        self._strand: Strand | None = None
        self.jumped_ms = 0

    def _noting_step(self, now_ms: int, inputs: Any) -> Any:
        NOTES.take()
        passing = self._passing()
        outputs = self._step(now_ms, inputs)
        self._part_stamps(now_ms)
        passing += self._passing()
        self._due_ms = NOTES.now_ms + LONGEST_MS
        for note in NOTES.take():
            if note.at_ms < self._due_ms and not any(note.stamp is stamp for stamp in passing):
                self._due_ms = note.at_ms
        self._stepped_ms = now_ms
        report, exchange = self._controller.exchange.report, self._controller.exchange
        essence = (
            *report[:7],
            report.ruling,
            report.presses,
            report.ceilings,
            outputs.pilot_duty_u16,
            outputs.contactor,
            outputs.rcd_test,
            inputs.current_ma,
            inputs.pilot_high_mv,
            timeless(exchange.claims),
            exchange.link_proven,
        )
        if essence == self._essence:
            self._settled += 1
        else:
            self._essence, self._settled, self._renewed = essence, 0, None
            self._hardware.processor.control_changed()
        return outputs

    def _passing(self) -> tuple[object, ...]:
        """Stamps by which nothing is due: a report is made anew, of the same; a second more of charging is counted in any
        step."""
        controller = self._controller
        stamps: list[object] = [controller._report_since_ms]
        if controller._session is not None and controller._session._stepped_since_ms is not None:
            stamps.append(controller._session._stepped_since_ms)
        return tuple(stamps)

    def disturb(self) -> None:
        """Something is touched now: look, in the next period."""
        self.catch_up()
        self._settled = 0
        if self._strand is not None:
            self._strand.wake()

    def look(self) -> None:
        """Somebody may have changed what the rules go by: one step says whether."""
        if self._strand is not None:
            self._strand.wake()

    def catch_up(self) -> None:
        """Up to now, before somebody touches what it goes by."""
        behind_ms = self._hardware.now_ms() - self._next_ms
        if self._strand is not None and behind_ms >= PERIOD_MS:
            whole_ms = behind_ms // PERIOD_MS * PERIOD_MS
            self._make_up(whole_ms, whole_ms)

    def sleep(self, strand: Strand, ms: int) -> None:
        """Until the next period that matters; `ms` is to the very next."""
        hardware = self._hardware
        NOTES.take()  # of its own waits
        self._next_ms = hardware.now_ms() + int(ms)
        until_ms = self._until_ms()
        if until_ms > self._next_ms:
            self._strand = strand
            try:
                strand.wait(until_ms / 1000 + AFTER_S)
            finally:
                self._strand = None
            behind_ms = hardware.now_ms() - self._next_ms
            if behind_ms > 0:
                self._make_up(-(-behind_ms // PERIOD_MS) * PERIOD_MS, behind_ms // PERIOD_MS * PERIOD_MS)
        if self._next_ms > hardware.now_ms():
            strand.wait(self._next_ms / 1000 + AFTER_S)

    def _until_ms(self) -> int:
        if not self._enabled or self._settled < self._settled_steps():
            return self._next_ms
        ms = min(self._due_ms - self._next_ms, self._longest_ms())
        return self._next_ms + ms // PERIOD_MS * PERIOD_MS

    def _settled_steps(self) -> int:
        return CAR_SETTLED_STEPS if self._hardware.board.vehicle.plugged else SETTLED_STEPS

    def _longest_ms(self) -> int:
        """Until the board has to be looked at anew, whatever the rules say."""
        hardware = self._hardware
        vehicle = hardware.board.vehicle
        if hardware.board.faults:
            return COARSE_MS
        if not vehicle.plugged:
            return LONGEST_MS
        if not hardware.world.car_is_plain or self._settled < CAR_SETTLED_STEPS + SETTLED_PIECES:
            return COARSE_MS
        full_ms = LONGEST_MS
        if power_w := hardware.board.power_w:
            full_ms = int((vehicle.capacity_wh - vehicle.battery_wh) * 3_600_000 / power_w)
        return max(PERIOD_MS, min(LONGEST_MS, full_ms))

    def _part_stamps(self, now_ms: int) -> None:
        """Those by which nothing is due get readings of their own: else they were one with what else began in this step."""
        if not isinstance(now_ms, Now):
            return
        controller = self._controller
        for part, name in ((controller, "_report_since_ms"), (controller._session, "_stepped_since_ms")):
            if getattr(part, name, None) is now_ms:
                setattr(part, name, Now(now_ms.ms, now_ms.made_ms))

    def is_behind(self, ms: int) -> bool:
        """For so long it has not told of a car."""
        return self._strand is not None and self._hardware.now_ms() - self._next_ms > ms

    def _renewed_by_each(self) -> tuple[tuple[object, str], ...]:
        """Where a step that changes nothing keeps its clock. Session and register go by how long ago that was, when they take
        in what has flowed meanwhile."""
        if self._renewed is None:
            parts: tuple[object, ...] = (self._controller._mode,)
            if not self._hardware.board.power_w:
                parts += (self._controller._register,)
            self._renewed = tuple(
                (part, name) for part in parts for name, value in vars(part).items() if value is self._stepped_ms
            )
        return self._renewed

    def _make_up(self, ms: int, untouched_ms: int) -> None:
        """As if all periods had been on time. In the last one somebody may have touched the board: its physics are stepped."""
        loop = self._loop
        for part, name in self._renewed_by_each():
            setattr(part, name, Now(int(getattr(part, name)) + ms, NOTES.now_ms - 1))
        self._hardware.skip(self._next_ms, untouched_ms)
        self._next_ms += ms
        loop._before_ms += ms
        loop._due_ms += ms
        exchange, supervisor = self._controller.exchange, loop._supervisor
        exchange.apart[0] += ms // PERIOD_MS
        if exchange.turns == supervisor._turns:
            supervisor._since_turn += ms // FEED_MS
        self.jumped_ms += ms
