"""Skips the idle time of the control thread: the next step runs when something changes, not 20 ms later.

Theory of operation. The rules compare their clock with deadlines. The notes of these comparisons (moving.py) give the
time until which equal inputs give equal outputs. When a number of successive steps has changed nothing, the control
strand sleeps until that time, on the grid of its own period, or until the board, the car or the data from the main
thread change. Afterwards, what the skipped steps would have left behind is set: their number, the interval between two
steps, and the stamps that each step renews.

While a car draws current, energy flows at a constant rate. The strand then sleeps for at most COARSE_MS at a time, and
looks at the car after each such piece. When several pieces have changed nothing, it sleeps until the battery is full,
or until the main thread may need the energy.
"""

from collections.abc import Callable
from typing import Any

from firmware.control_loop import PERIOD_MS, ControlLoop
from firmware.supervisor import FEED_MS
from hil_tests.years.doors import Strand
from hil_tests.years.hardware import Hardware
from hil_tests.years.moving import NOTES, Now

SETTLED_STEPS = 25  # successive steps without a change: more than any rule counts
CAR_SETTLED_STEPS = 100  # the same with a car: longer than its response time of 1.5 s (sim/vehicle.py)
AFTER_S = 1e-7  # in each millisecond the world acts before the step, after a rest or not
COARSE_MS = 10_000  # between two looks at a plugged-in car, or at a board with a fault
# Pieces of COARSE_MS without a change. All that a car does by itself comes sooner, except that its battery becomes full.
SETTLED_PIECES = 3
LONGEST_MS = 3_600_000


def timeless(claims: tuple[Any, ...]) -> tuple[object, ...]:
    """Return the claims without their expiry: the main thread renews them before they expire."""
    return tuple([(claim.source, claim.amps, claim.why, claim.ends_s) for claim in claims])


def unnoticed(called: "Callable[..., Any]") -> "Callable[..., Any]":
    """Wrap a function of the light so that its comparisons leave no notes: nothing waits for the blink rhythm."""

    def call(*arguments: Any) -> Any:
        noted = len(NOTES.noted)
        shown = called(*arguments)
        del NOTES.noted[noted:]
        return shown

    return call


class ControlJumps:
    """The door of one control strand. `jumped_ms` is how much of its time was skipped."""

    def __init__(self, hardware: Hardware, loop: ControlLoop, enabled: bool) -> None:
        self._hardware, self._loop, self._enabled = hardware, loop, enabled
        controller: Any = loop._controller
        self._controller, self._step = controller, controller.step
        controller.step = self._noting_step
        self._due_ms = self._next_ms = 0
        self._stepped_ms: object = None  # the clock of the last step
        self._renewed: tuple[tuple[object, str], ...] | None = None  # stamps that each step renews; found on demand
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
        """Return the stamps with which nothing is due.

        With the first, the report is made anew with the same content. With the second, a second of charging is counted
        in any step.
        """
        controller = self._controller
        stamps: list[object] = [controller._report_since_ms]
        if controller._session is not None and controller._session._stepped_since_ms is not None:
            stamps.append(controller._session._stepped_since_ms)
        return tuple(stamps)

    def disturb(self) -> None:
        """Catch up and execute the next period, because something is changing now."""
        self.catch_up()
        self._settled = 0
        if self._strand is not None:
            self._strand.wake()

    def look(self) -> None:
        """Execute one step, because the inputs of the rules may have changed."""
        if self._strand is not None:
            self._strand.wake()

    def catch_up(self) -> None:
        """Make up for the whole periods skipped so far, before somebody changes the inputs."""
        behind_ms = self._hardware.now_ms() - self._next_ms
        if self._strand is not None and behind_ms >= PERIOD_MS:
            whole_ms = behind_ms // PERIOD_MS * PERIOD_MS
            self._make_up(whole_ms, whole_ms)

    def sleep(self, strand: Strand, ms: int) -> None:
        """Sleep until the next period that matters. `ms` is the time to the very next period."""
        hardware = self._hardware
        NOTES.take()  # discard the notes of the control loop's own waits
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
        """Return the time after which the board has to be read again, whatever the rules have compared."""
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
        """Give the stamps of `_passing` readings of their own.

        Otherwise they would be the same object as the stamps of everything else that began in this step.
        """
        if not isinstance(now_ms, Now):
            return
        controller = self._controller
        for part, name in ((controller, "_report_since_ms"), (controller._session, "_stepped_since_ms")):
            if getattr(part, name, None) is now_ms:
                setattr(part, name, Now(now_ms.ms, now_ms.made_ms))

    def is_behind(self, ms: int) -> bool:
        """Return whether the strand has been at rest for more than `ms`, and so has not reported on the car."""
        return self._strand is not None and self._hardware.now_ms() - self._next_ms > ms

    def _renewed_by_each(self) -> tuple[tuple[object, str], ...]:
        """Return the stamps that a step without a change renews, as (owner, attribute).

        While energy flows, the session and the register need their old stamps to compute what has flowed since.
        """
        if self._renewed is None:
            parts: tuple[object, ...] = (self._controller._mode,)
            if not self._hardware.board.power_w:
                parts += (self._controller._register,)
            self._renewed = tuple(
                (part, name) for part in parts for name, value in vars(part).items() if value is self._stepped_ms
            )
        return self._renewed

    def _make_up(self, ms: int, untouched_ms: int) -> None:
        """Apply the effect of the skipped periods, `ms` in all.

        The board may have been touched in the last period, so only `untouched_ms` are skipped in its physics.
        """
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
