"""A simulated charge point: board, car, modem and mobile network, in steps of virtual time."""

from collections.abc import Callable
from random import Random

from hil_tests.sim.board import Board, Outputs
from hil_tests.sim.modem.radio import World as Radio
from hil_tests.sim.modem.simcom import Modem
from hil_tests.sim.vehicle import Vehicle
from hil_tests.years.contracts import Computer, Surroundings
from hil_tests.years.flash import Flash
from hil_tests.years.virtual_loop import VirtualLoop

STEP_MS = 10
BROWN_OUT_MS = 500  # a loss of the rail that is shorter resets as a brown-out, a longer one as a power-on
BUTTON_MS = 200


class Hardware:
    """The supply of the board starts and stops the processor."""

    processor: Computer
    world: Surroundings

    def __init__(self, loop: VirtualLoop, radio: Radio, flash: Flash) -> None:
        self.loop, self.radio, self.flash = loop, radio, flash
        self.board = Board(Vehicle())
        self.modem = Modem(radio)
        self.fed_ms = 0
        self._noise = Random(f"{radio.seed} noise")
        self._stepped_ms = 0
        self._powered = False
        self._rail_lost_ms = -BROWN_OUT_MS

    def now_ms(self) -> int:
        return round(self.loop.time() * 1000)

    # Actions of people and the world.

    def mains(self, on: bool) -> None:
        self._wake()
        self.board.mains = on
        self._look()

    def touch(self, do: Callable[[Board], object]) -> None:
        """Change anything else about the board or its car, between two periods of the control thread."""
        self._wake()
        do(self.board)

    def plug(self, car: Vehicle) -> None:
        """Plug in a car, if the socket is free."""

        def do(board: Board) -> None:
            board.vehicle = car
            car.plugged = True
            self.world.car_is_plain = type(car) is Vehicle

        if not self.board.vehicle.plugged:
            self.touch(do)

    def unplug(self, car: Vehicle) -> None:
        """Unplug this car, if it is still the one at the charge point."""
        if self.board.vehicle is car:
            self.touch(lambda _: setattr(car, "plugged", False))
            if self.world.onlooker is not None:
                self.world.onlooker.must_open("the plug was pulled")

    def advance_all(self) -> None:
        """Advance the board and a control thread at rest to the present."""
        self.processor.disturb()
        self.advance()

    def press_button(self) -> None:
        self.touch(lambda board: setattr(board, "button", True))
        self.loop.call_later(BUTTON_MS / 1000, self.touch, lambda board: setattr(board, "button", False))

    # Calls from the processor.

    def inputs(self) -> dict[str, int | bool | None]:
        self.advance()
        return self.board.inputs()

    def obey(self, pins: Outputs) -> None:
        self.board.outputs = pins
        if self.world.onlooker is not None:
            self.world.onlooker.pins()

    def supply(self, on: bool) -> None:
        self.modem.supply(on)

    def key(self, pressed: bool) -> None:
        self.modem.key(pressed)

    def carried(self, chunk: bytes) -> bytes:
        """Return the part of the modem's output that the serial line carries."""
        one_in = self.world.lose_one_in
        return bytes(byte for byte in chunk if self._noise.randrange(one_in)) if one_in else chunk

    # Physics.

    def _wake(self) -> None:
        """End the rest of the control thread, and advance the board to the present if nothing has power."""
        self.processor.disturb()
        if not self._powered and not self.board.mains:
            self.skip(self._stepped_ms, (self.now_ms() - self._stepped_ms) // STEP_MS * STEP_MS)

    def advance(self, until_ms: int | None = None) -> None:
        """Step the board to this time, or to the present if None."""
        until_ms = self.now_ms() if until_ms is None else until_ms
        while self._stepped_ms + STEP_MS <= until_ms:
            self.board.step(STEP_MS / 1000)
            self._stepped_ms += STEP_MS

    def skip(self, since_ms: int, ms: int) -> None:
        """Skip `ms` from `since_ms` on, in which nothing changed: only energy flowed, and the car's time passed."""
        board, vehicle = self.board, self.board.vehicle
        self.advance(min(since_ms, self.now_ms()))
        board.now_s += ms / 1000
        board.meter_wh += board.power_w * ms / 3_600_000
        if vehicle.plugged:
            seen_duty = board.outputs.pilot_duty_u16 if board.powered and "pilot_short" not in board.faults else 0
            vehicle.step(ms / 1000, seen_duty, board.supply_mv if board.contact_closed else 0)
        self._stepped_ms += ms

    def _look(self) -> None:
        """Step the board until its rail has followed the mains: it rises at once and falls in some 44 ms."""
        self.advance()
        if self.board.powered != self._powered:
            self._powered = self.board.powered
            if self._powered:
                dip = self.now_ms() - self._rail_lost_ms < BROWN_OUT_MS
                self.processor.start("brown_out" if dip else "power_on")
            else:
                self._rail_lost_ms = self.now_ms()
                self.processor.stop()
                self.modem.supply(False)
        if self.board.powered != self.board.mains:
            self.loop.call_later(STEP_MS / 1000, self._look)
