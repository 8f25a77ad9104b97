"""The microcontroller of one unit: runs the firmware's own code, both threads, on a board with simulated pins."""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

from firmware import app, control_loop, lazy_import, memory
from firmware.boards import latched_mark
from firmware.boards.board import Board
from firmware.charging import controller, led
from firmware.link import secure
from firmware.link.uplink import POLL_MS
from hil_tests.sim.board import RESET
from hil_tests.sim.board import Outputs as Pins
from hil_tests.years import tls_stand_in
from hil_tests.years.control_jumps import ControlJumps, timeless, unnoticed
from hil_tests.years.doors import Ended, Strand
from hil_tests.years.hardware import Hardware
from hil_tests.years.learned import Learned
from hil_tests.years.main_rest import SLICE_MS, MainRest

LAST_S = 2e-7  # in each millisecond the main strand comes last, after a rest or not
HEAP_FREE = 60_000  # bytes, constant: `make cortex-m` measures the heap of a real board


class Processor:
    """The processor from one reset to the next. `resets` holds the causes of all starts, the newest last."""

    def __init__(self, hardware: Hardware, seed: int, jumps: bool) -> None:
        self.hardware, self._jumps = hardware, jumps
        self.at_rest: ControlJumps | None = None
        self._rests: list[MainRest] = []
        self._handed: tuple[object, ...] = ()
        self._learned: dict[Any, Learned] = {}
        self.resets: list[str] = []
        self.crashes: list[str] = []  # exceptions in the firmware, whether it survived them or not
        self.unit: app.Unit | None = None
        self.latched = b""  # memory that survives every reset except a loss of the supply
        self._draw = random.Random(f"{seed} unit")
        self.main: Strand | None = None
        self.control: Strand | None = None
        self.port: Port | None = None

    @property
    def running(self) -> bool:
        return self.main is not None

    def start(self, cause: str) -> None:
        """Start the firmware after a power-on or a reset."""
        self.resets.append(cause)
        if cause == "power_on":
            self.latched = b""
        self.main = Strand(self.hardware.loop, lambda: app.run(cast(type[Board], self._make_board)), self._died)
        self.main.start()

    def stop(self) -> None:
        """Stop both strands. The pins return to the levels of their pull resistors."""
        main, control = self.main, self.control
        self.main = self.control = self.unit = self.port = self.at_rest = None
        for strand in (control, main):
            if strand is not None:
                strand.end()
        self.hardware.obey(RESET)

    def restart(self, cause: str) -> None:
        """Reset the processor on the firmware's request. Raise Ended in the strand that calls it."""
        self.stop()
        self.hardware.loop.call_soon(self.start, cause)
        raise Ended

    def _died(self, error: BaseException) -> None:
        self.crashes.append(repr(error))
        if self.running:
            self.stop()
            self.hardware.loop.call_later(8, self.start, "watchdog")

    def _make_board(self, clock: Any, idle: Callable[[], None]) -> Board:
        return MemoryBoard(self, clock, idle)

    def start_thread(self, work: Callable[..., object], arguments: tuple[Any, ...]) -> None:
        """Start the firmware's only other thread, the control thread."""
        self.control = Strand(self.hardware.loop, lambda: work(*arguments), self._died)
        self.at_rest = ControlJumps(self.hardware, work.__self__, self._jumps)  # type: ignore[attr-defined]  # ControlLoop._run
        self.control.door = self.at_rest.sleep
        self.control.start()

    def disturb(self) -> None:
        """Wake the control thread, because the board, the car or the mains are changing."""
        if self.at_rest is not None:
            self.at_rest.disturb()

    def main_was_active(self) -> None:
        """Wake the control thread if the main thread has changed its inputs."""
        if self.at_rest is None or self.unit is None or self.unit.exchange is None:
            return
        exchange = self.unit.exchange
        handed = (
            exchange.setup,
            timeless(exchange.claims),
            exchange.delay_s,
            exchange.link_proven,
            exchange.clear_wanted,
            exchange.test_wanted,
            exchange.began_ms,
        )
        if handed != self._handed:
            self._handed = handed
            self.at_rest.look()

    def look_at_car(self) -> None:
        """Advance the control thread while current flows, because the main thread may report the energy."""
        if self.hardware.board.vehicle.current_ma and self.at_rest is not None and self.at_rest.is_behind(POLL_MS):
            self.at_rest.look()

    def new_rest(self) -> MainRest | None:
        """Return a MainRest for this boot, or None while the main thread is still starting."""
        unit = self.unit
        if unit is None or unit.link is None or unit.health.persistence is None:
            return None
        self._rests.append(MainRest(unit, self._learned))
        return self._rests[-1]

    @property
    def rested_ms(self) -> int:
        """Return how much of the main strand's time was skipped."""
        return sum(rest.rested_ms for rest in self._rests)

    def hold(self, ms: int) -> None:
        """Let the main thread execute every turn for `ms`, because the world changes."""
        if self.port is not None and self.port.rest is not None:
            self.port.rest.hold(self.hardware.now_ms(), ms)
            self.port.look()

    def control_changed(self) -> None:
        """Let the main strand run its next pause, because the control thread has something to report."""
        if self.port is not None:
            self.port.look()

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Replace what the firmware would find on a MicroPython port."""
        made = app.Unit.__init__

        def remembered(unit: app.Unit, make_board: Any) -> None:
            self.unit = unit
            made(unit, make_board)

        stand_ins: tuple[tuple[object, str, object], ...] = (
            (control_loop, "_thread", SimpleNamespace(start_new_thread=self.start_thread)),
            # Modules imported on demand stay loaded: importing them again takes time, and memory does not matter here.
            (lazy_import, "_on_loan", list),
            (app, "os", SimpleNamespace(urandom=self._draw.randbytes)),
            (app.Unit, "__init__", remembered),
            (secure, "tls", tls_stand_in),
            (controller, "led", unnoticed(led.led)),
            (controller, "blink_now", unnoticed(led.blink_now)),
            (memory, "gc", SimpleNamespace(collect=lambda: None, mem_free=lambda: HEAP_FREE)),
        )
        state = random.getstate()
        random.seed(self._draw.getrandbits(64))
        with ExitStack() as stack:
            for owner, name, stand_in in stand_ins:
                stack.enter_context(patch.object(owner, name, stand_in))
            crashed = patch.object(sys, "print_exception", self._survived, create=True)
            stack.enter_context(crashed)
            yield
        random.setstate(state)

    def _survived(self, error: BaseException) -> None:
        self.crashes.append(repr(error))


class MemoryBoard(Board):
    """The Board interface over the simulated hardware."""

    has_guard = True

    def __init__(self, processor: Processor, clock: Any, idle: Callable[[], None]) -> None:
        self._processor, self._hardware = processor, processor.hardware
        self.flash = str(self._hardware.flash.folder)
        self.reset_cause = processor.resets[-1]
        self.modem_port = processor.port = Port(self._hardware, idle, processor._jumps)
        self.console_port = Silent()
        self.modem_power = self._hardware
        self._pins = RESET

    def read(self, inputs: Any) -> None:
        for name, value in self._hardware.inputs().items():
            setattr(inputs, name, value)

    def write(self, outputs: Any) -> None:
        duty, contactor = outputs.pilot_duty_u16, outputs.contactor
        colour, rcd_test = outputs.led, outputs.rcd_test
        pins = self._pins
        if (duty, contactor, colour, rcd_test) != (pins.pilot_duty_u16, pins.contactor, pins.led, pins.rcd_test):
            self._pins = Pins(duty, contactor, colour, rcd_test=rcd_test)
            self._hardware.obey(self._pins)

    def move_live_line(self) -> None:
        self._hardware.board.guard.move_live_line()

    def latched(self) -> "tuple[str, ...] | None":
        return latched_mark.decode(self._processor.latched)

    def keep_latched(self, faults: "tuple[str, ...]") -> None:
        self._processor.latched = latched_mark.encode(faults)

    def flash_writes(self) -> int:
        return self._hardware.flash.writes

    def feed(self) -> None:
        self._hardware.fed_ms = self._hardware.now_ms()

    def reset(self) -> None:
        self._processor.restart("soft")

    def give_up(self) -> None:
        self._processor.restart("watchdog")


class Silent:
    """A console without a terminal."""

    def read(self) -> bytes:
        return b""

    def write(self, data: bytes) -> None:
        """Discard the output."""


class Port:
    """The modem's serial port, and the door of the main strand, which pauses every 20 ms while it waits for the modem.

    After a pause that had nothing to do, the next pause that may have something to do is known (moving.py). The pauses
    before it are skipped.
    """

    def __init__(self, hardware: Hardware, idle: Callable[[], None], jumps: bool) -> None:
        self._hardware, self._idle, self._jumps = hardware, idle, jumps
        self._heard = bytearray()
        self._strand: Strand | None = None
        self._looks = False
        self._due_ms = 0  # of the next pause
        self.rest: MainRest | None = None
        hardware.modem.wire(self._hear)

    def set_baud(self, baud: int) -> None:
        """Do nothing: a wrong speed has no effect here."""

    def read(self) -> bytes:
        heard = bytes(self._heard)
        self._heard.clear()
        return heard

    def write(self, data: bytes | bytearray | memoryview) -> None:
        said = bytes(data)
        if self.rest is not None:
            self.rest.said(said)
        self._hardware.loop.call_soon(self._hardware.modem.receive, said)

    def wait(self, timeout_ms: int) -> bool:
        """Return True when there is something to read, or False after the timeout."""
        hardware, processor = self._hardware, self._hardware.processor
        strand = self._strand = processor.main
        if strand is None:
            raise Ended
        processor.main_was_active()
        began_ms = hardware.now_ms()
        if self._jumps and not self._heard:
            began_ms = self._rest(strand, began_ms, timeout_ms)
        until_ms, paused_ms = began_ms + int(timeout_ms), began_ms
        while not self._heard:
            now_ms = hardware.now_ms()
            if paused_ms >= until_ms:
                return False
            due_ms = now_ms if self._looks else self._due_ms
            first_ms = max(now_ms, paused_ms + 1)
            slices = max(-(-(first_ms - began_ms) // SLICE_MS), -(-(due_ms - began_ms) // SLICE_MS))
            pause_ms = began_ms + slices * SLICE_MS
            wake_ms = min(until_ms, pause_ms)
            if strand.wait(wake_ms / 1000 + LAST_S) and hardware.now_ms() < wake_ms:
                continue
            if not self._heard:
                paused_ms = hardware.now_ms()
                self._pause()
        return True

    def look(self) -> None:
        """Run the next pause: there is something for it to handle."""
        self._looks = True
        if self.rest is not None:
            self.rest.stir()
        if self._strand is not None:
            self._strand.wake()

    def _rest(self, strand: Strand, began_ms: int, timeout_ms: int) -> int:
        """Rest if possible. Return when the current turn began."""
        rest = self.rest or self._hardware.processor.new_rest()
        self.rest = rest
        if rest is None or self._hardware.world.lose_one_in or not rest.may_rest(timeout_ms):
            self._due_ms = 0
            if rest is not None:
                rest.no_turn()
            self._hardware.processor.look_at_car()
            return began_ms
        rest.turn(began_ms)
        until_ms = rest.until_ms(began_ms)
        if until_ms == began_ms:
            self._hardware.processor.look_at_car()
            return began_ms
        strand.wait(until_ms / 1000 + LAST_S)
        self._hardware.processor.look_at_car()
        self._due_ms = 0
        return rest.rested(self._hardware.now_ms())

    def _pause(self) -> None:
        self._looks = False
        if self.rest is not None:
            self.rest.pause()
        self._idle()
        self._due_ms = self.rest.paused() if self.rest is not None else 0

    def _hear(self, chunk: bytes) -> None:
        chunk = self._hardware.carried(chunk)
        self._heard += chunk
        if self.rest is not None:
            self.rest.heard(chunk)
        if self._strand is not None:
            self._strand.wake()
