"""The control thread: reads inputs, steps the controller and writes outputs every 20 ms, independent of the main thread."""

import _thread
import sys
import time

from firmware.charging.exchange import COUNT_MAX, WITHIN_MS
from firmware.charging.io import SAFE, Inputs
from firmware.supervisor import Supervisor

if False:  # for mypy alone
    from firmware.boards.board import Board
    from firmware.charging.controller import Controller
    from firmware.clock import Clock

DAY_MS = 86400000  # longer than any period of the charging control; a multiple of those of the light (charging/led.py)
PERIOD_MS = 20  # design, section 3; twice within the 40 ms that a fault may take to open the contactor


class ControlLoop:
    def __init__(self, board: "Board", controller: "Controller", clock: "Clock") -> None:
        self._board = board
        self._controller = controller
        self._exchange = controller.exchange
        self._clock = clock
        self._inputs = Inputs()
        self._kept: tuple[str, ...] | None = None  # faults that were passed to the board last
        self._supervisor = Supervisor(board, controller.exchange)
        self._due_ms = self._before_ms = 0

    def start(self) -> None:
        _thread.start_new_thread(self._run, ())

    def _run(self) -> None:
        """Run until an exception, which is a programming error. Then set safe outputs and restart the processor, because a
        thread that ended silently would leave the contactor as it was. The restart counts as one by the watchdog, so settings
        that cause it are reverted (boots.py).
        """
        try:
            self._due_ms = self._before_ms = self._clock.now_ms()
            while True:
                self.run_period()
                self._sleep_until(self._due_ms)
        except Exception as error:
            try:
                self._board.write(SAFE)
                sys.print_exception(error)
            finally:  # even if there is no memory left for the lines above
                self._board.give_up()

    def run_period(self) -> None:
        """Do everything of one period except the sleep. Allocates no memory while nothing changes."""
        now_ms = self._clock.now_ms()
        if now_ms >= 2 * DAY_MS:
            now_ms -= DAY_MS
            self._due_ms -= DAY_MS
            self._before_ms -= DAY_MS
            self._clock.set_back(DAY_MS)
            self._controller.set_back(DAY_MS)
        self._board.read(self._inputs)
        self._board.write(self._controller.step(now_ms, self._inputs))
        self._board.move_live_line()
        if self._exchange.inputs_wanted:
            self._exchange.inputs = tuple(self._inputs.__dict__.items())
            self._exchange.inputs_wanted = False
        faults = self._exchange.report.faults
        if faults is not self._kept:  # the tuple is replaced only after a change
            self._kept = faults
            self._board.keep_latched(faults)
        self._measure(now_ms)
        self._supervisor.step(now_ms)

    def _measure(self, now_ms: int) -> None:
        """Measure the time since the last step, and set when the next is due. Steps missed in a stall are not made up for."""
        exchange, apart_ms = self._exchange, now_ms - self._before_ms
        self._before_ms = now_ms
        self._due_ms += PERIOD_MS
        if self._due_ms < now_ms:
            self._due_ms = now_ms
        if exchange.worst_taken:
            exchange.worst_taken, exchange.worst_ms = False, 0
        if apart_ms > exchange.worst_ms:
            exchange.worst_ms = apart_ms
        place = 0
        if apart_ms > PERIOD_MS:
            while place < len(WITHIN_MS) and apart_ms > WITHIN_MS[place]:
                place += 1
        if exchange.apart[place] < COUNT_MAX:
            exchange.apart[place] += 1

    def _sleep_until(self, due_ms: int) -> None:
        left_ms = due_ms - self._clock.now_ms()
        while left_ms > 0:  # garbage collection in the other thread ends a sleep early
            time.sleep_ms(left_ms)
            left_ms = due_ms - self._clock.now_ms()
