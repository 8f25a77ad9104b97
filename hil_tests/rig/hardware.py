"""The hardware of a virtual charge point: board, car, the processor that runs the firmware, and its two serial lines.

The physics run in steps of `STEP_S`. The processor starts the firmware when its rail is up and kills it when the rail
has collapsed. Each start gets new serial lines, so the firmware cannot read old bytes.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from pathlib import Path

from hil_tests.rig.contract import Reading, VehicleReading
from hil_tests.rig.processor import FIRMWARE, Processor, Program
from hil_tests.rig.wires import Wires
from hil_tests.sim.board import RESET, Board, Outputs
from hil_tests.sim.pty import Pty
from hil_tests.sim.uart_ring import UartRing
from hil_tests.sim.vehicle import Vehicle

STEP_S = 0.01
LONGEST_STEP_S = 0.1  # after a pause of this computer, the physics do not jump further than this
CATCH_UP_S = 0.02  # after such a pause, what the firmware has sent meanwhile arrives within this time
TELL_INPUTS_S = 0.05  # unchanged inputs are sent again after this time
BUTTON_S = 0.2
BROWN_OUT_S = 0.5  # a shorter loss of the rail is a dip
POWER_ON_RESET, BROWN_OUT_RESET = 1, 15  # RTC_CNTL_RESET_STATE of an ESP32's first core (esp_rom rtc.h)

Send = Callable[[bytes], None]


def set_meter(folder: Path, energy_wh: int) -> None:
    """Set the register of a meter before its unit is created."""
    _meter_file(folder).write_text(f"{energy_wh}\n")


def _meter_file(folder: Path) -> Path:
    return folder / "meter_wh"  # the meter keeps its register without power


class Hardware(ABC):
    """One charge point on a wall. Call every method on its event loop, `start` first and `stop` last.

    A subclass connects the far ends of the modem's line and of the console, and receives the log.
    """

    def __init__(self, folder: Path, program: Program = FIRMWARE, manners: Collection[str] = ()) -> None:
        self._folder, self._manners = folder, manners
        folder.mkdir(parents=True, exist_ok=True)
        self._meter = _meter_file(folder)
        self.board = Board(Vehicle(), float(self._meter.read_text()) if self._meter.exists() else 0)
        self._processor = Processor(folder, self._wire_up, self._let_go, self.alert, program)
        self._wires: Wires | None = None
        self._serial: list[Pty] = []
        self._console_ring: UartRing | None = None
        self._bytes_lost = 0  # by the rings of earlier starts
        self._physics: asyncio.Task[None] | None = None
        self._told: tuple[dict[str, int | bool | None], float] = ({}, 0)
        self._rail_lost_s = float("-inf")
        self.browned_out = False  # the rail was lost so briefly that the last start follows a brown-out
        self._stepped_s = 0.0
        self._modem_levels = RESET.modem_power, RESET.modem_pwrkey
        self._noted = ""

    @abstractmethod
    def log(self, what: str) -> None:
        """Add a line to the log."""

    @abstractmethod
    def alert(self, what: str) -> None:
        """Add a line to the log that a person should see at once."""

    @abstractmethod
    def _connect(self, to_modem_port: Send, to_console_port: Send) -> tuple[Send, Send]:
        """Connect the far ends when the firmware starts. The arguments send to the firmware's two ports; return the
        receivers of what the ports send."""

    @abstractmethod
    def _disconnect(self) -> None:
        """Disconnect the far ends: the firmware has stopped."""

    @abstractmethod
    def _modem_pins(self, supply: bool, key: bool) -> None:
        """Handle a change of the modem's supply or of its PWRKEY."""

    async def start(self) -> None:
        """Start the physics and switch the mains on."""
        self.mains(True)
        self._physics = asyncio.create_task(self._live())
        self._physics.add_done_callback(self._physics_ended)

    async def stop(self) -> None:
        """Stop everything. The flash and the meter's register are kept on disk."""
        if self._physics is not None:
            self._physics.cancel()
            await asyncio.wait({self._physics})
        await self._processor.power_off()
        self._take_lines_off()
        self._keep_meter()

    @property
    def console_bytes_lost(self) -> int:
        """Bytes since the start that did not fit into the ring buffer of the unit's console."""
        return self._bytes_lost + (self._console_ring.lost_bytes if self._console_ring else 0)

    @property
    def running(self) -> bool:
        """Whether the firmware's process exists."""
        return self._wires is not None

    @property
    def died(self) -> str | None:
        """Why the firmware is not started again. None while it runs or has no supply."""
        return self._processor.died

    def longest_wait_s(self) -> float:
        """See Rig.longest_wait_s in contract.py."""
        return self._processor.longest_wait_s()

    # What can be done to the unit

    def plug(self) -> None:
        """Plug the car in."""
        self.log("plug in")
        self.board.vehicle.plugged = True

    def unplug(self) -> None:
        """Pull the plug."""
        self.log("unplug")
        self.board.vehicle.plugged = False

    def fault(self, name: str, on: bool) -> None:
        """Cause the fault `name`, or end it. Raises ValueError for an unknown name."""
        self.board.set_fault(name, on)
        self.log(f"fault {name} {'on' if on else 'off'}")

    def mains(self, on: bool) -> None:
        """Switch the mains."""
        self.board.mains = on
        self.log(f"mains {'on' if on else 'off'}")

    def pass_time(self, seconds: float) -> None:
        """Let time pass at once for a unit without power, of which nothing runs. Raises RuntimeError if it has power."""
        if self.board.powered or self.running:
            raise RuntimeError("the unit has a supply")
        self._step(seconds)
        self._rail_lost_s -= seconds

    def tamper(self, is_open: bool) -> None:
        """Open or close the enclosure."""
        self.board.tamper = is_open
        self.log(f"enclosure {'open' if is_open else 'shut'}")

    def button(self) -> None:
        """Press the unit's button briefly."""
        self.log("button")
        self.board.button = True
        asyncio.get_running_loop().call_later(BUTTON_S, setattr, self.board, "button", False)

    def freeze(self) -> None:
        """Stop the microcontroller between two instructions: its pins keep their levels, and none of its program runs."""
        self._processor.freeze()

    def thaw(self) -> None:
        """Let the microcontroller continue."""
        self._processor.thaw()

    def reading(self) -> Reading:
        """Return what the instruments show."""
        board, vehicle = self.board, self.board.vehicle
        return Reading(
            led=board.outputs.led,
            contactor=board.contact_closed,
            pilot_mv=board.pilot_mv(),
            duty_percent=round(100 * board.outputs.pilot_duty_u16 / 65_535, 3) if board.powered else 0,
            power_w=board.power_w,
            rail=board.powered,
            mains=board.mains,
            vehicle=VehicleReading(vehicle.plugged, vehicle.s2_closed, vehicle.current_ma / 1000),
            faults=tuple(sorted(board.faults)),
            tamper=board.tamper,
        )

    # Physics

    async def _live(self) -> None:
        loop = asyncio.get_running_loop()
        self._stepped_s, was_powered = loop.time(), False
        while True:
            if self._stood_still(loop.time()):
                await asyncio.sleep(CATCH_UP_S)  # inputs of before would disagree with the outputs of now
            now_s = loop.time()
            self._step(min(now_s - self._stepped_s, LONGEST_STEP_S))
            self._stepped_s = now_s
            if self.board.powered != was_powered:
                was_powered = self.board.powered
                await self._power(was_powered, now_s)
            self._tell_inputs(now_s)
            self._note_changes()
            await asyncio.sleep(STEP_S)

    def _step(self, elapsed_s: float) -> None:
        """Step the board by `elapsed_s` in steps of at most STEP_S."""
        while elapsed_s > 0:
            self.board.step(min(elapsed_s, STEP_S))
            elapsed_s -= STEP_S

    async def _power(self, on: bool, now_s: float) -> None:
        if on:
            self.browned_out = told = dip = now_s - self._rail_lost_s < BROWN_OUT_S
            if not dip:
                (self._folder / "rtc").write_bytes(b"")  # this memory survives every reset but a loss of the supply
            if "hidden_brown_out" in self._manners:
                told = False
                (self._folder / "reset_register").write_text(f"{BROWN_OUT_RESET if dip else POWER_ON_RESET}\n")
            self._processor.power_on("brown_out" if told else "power_on")
        else:
            self._rail_lost_s = now_s
            await self._processor.power_off()
            self._keep_meter()

    def _stood_still(self, now_s: float) -> bool:
        """Whether this computer has just stood still. The sensors' values are then old; the firmware waits for new ones
        (boards/virtual.py)."""
        return now_s - self._stepped_s > LONGEST_STEP_S

    def _tell_inputs(self, now_s: float) -> None:
        if self._wires is None or self._stood_still(now_s):
            return
        inputs = self.board.inputs()
        told, at_s = self._told
        if inputs != told or now_s - at_s >= TELL_INPUTS_S:
            self._wires.send(inputs)
            self._told = (inputs, now_s)

    def _note_changes(self) -> None:
        contact = "closed" if self.board.contact_closed else "open"
        red, green, blue = self.board.outputs.led
        light = ", red" if red and not (green or blue) else ""
        noted = f"pilot {self.board.pilot_state}, contactor {contact}, {self.board.offered_a:g} A{light}"
        if noted != self._noted:
            self._noted = noted
            self.log(noted)

    def _physics_ended(self, task: asyncio.Task[None]) -> None:
        """Report an error of the rig: without this it would look like a unit that does nothing."""
        if not task.cancelled() and (error := task.exception()):
            self.alert(f"the rig itself failed: {error!r}")

    def _keep_meter(self) -> None:
        self._meter.write_text(f"{self.board.meter_wh:.3f}\n")

    def _modem_port_baud(self) -> int:
        """Return the speed that the firmware has set on its modem port."""
        return self._serial[0].baud()

    # The microcontroller's pins

    def _wire_up(self) -> None:
        """Create new lines before the firmware starts."""
        self._wires = Wires(self._folder / "wires", self._obey, self.board.guard.move_live_line)
        modem_line = Pty(lambda chunk: hear_modem_port(chunk), self._folder / "modem")
        console_line = Pty(lambda chunk: hear_console_port(chunk), self._folder / "console")
        to_console_port = console_line.write
        if "console_ring" in self._manners:
            self._console_ring = UartRing(console_line)
            to_console_port = self._console_ring.write
        hear_modem_port, hear_console_port = self._connect(modem_line.write, to_console_port)
        self._serial = [modem_line, console_line]
        self._told = ({}, 0)
        self.log("the firmware starts")

    def _let_go(self) -> None:
        """Reset the pins to the levels of their pull resistors, and remove the lines: the processor is in reset."""
        self._obey(RESET)
        self._take_lines_off()

    def _take_lines_off(self) -> None:
        self._disconnect()
        if self._console_ring is not None:
            self._console_ring.close()
            self._bytes_lost += self._console_ring.lost_bytes
            self._console_ring = None
        for line in self._serial:
            line.close()
        if self._wires is not None:
            self._wires.close()
        self._serial, self._wires = [], None

    def _obey(self, outputs: Outputs) -> None:
        before, self.board.outputs = self.board.outputs, outputs
        levels = outputs.modem_power, outputs.modem_pwrkey
        if levels != self._modem_levels:  # not `before`, which is already RESET if the rail collapsed
            self._modem_levels = levels
            self._modem_pins(*levels)
        self._processor.feed(outputs.watchdog)
        if outputs.pilot_duty_u16 != before.pilot_duty_u16:  # the pilot follows its drive at once
            self._tell_inputs(asyncio.get_running_loop().time())
