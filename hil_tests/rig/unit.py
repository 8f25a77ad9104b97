"""A whole virtual unit: board, car, modem and the firmware's process, on one event loop.

The physics run in steps of `STEP_S`. The firmware is the microcontroller: it starts when the rail is up, is
killed when the rail has collapsed, and finds fresh serial lines each time, so that nothing old can be read.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from hil_tests.rig.console import Console, ConsoleError, ConsoleSilent
from hil_tests.rig.contract import NetworkReading, Observation, VehicleReading
from hil_tests.rig.processor import FIRMWARE, Processor
from hil_tests.rig.wires import Wires
from hil_tests.sim.board import RESET, Board, Outputs
from hil_tests.sim.modem import Modem
from hil_tests.sim.pty import Pty
from hil_tests.sim.radio import CSQ_UNKNOWN, World
from hil_tests.sim.vehicle import Vehicle

STEP_S = 0.01
LONGEST_STEP_S = 0.1  # a machine that stood still for a while does not make the physics leap
TELL_INPUTS_S = 0.1  # inputs that do not change are told again at this distance
POLL_STATUS_S = 1.0
BUTTON_S = 0.2
BROWN_OUT_S = 0.5  # a shorter loss of the rail is a dip
STORY_LINES_KEPT = 400


class Unit:
    """One charge point on a wall. Everything is called on its event loop; `start` first, `stop` last.

    `alarm` hears what a person should know at once: a firmware that stopped by itself.
    """

    def __init__(
        self,
        folder: Path,
        seed: int = 0,
        firmware: str = FIRMWARE,
        alarm: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._alarm = alarm
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._meter = folder / "meter_wh"  # a meter keeps its register
        self.board = Board(Vehicle(), float(self._meter.read_text()) if self._meter.exists() else 0)
        self.world = World(seed)
        self.modem = Modem(self.world)
        self._processor = Processor(folder, self._wire_up, self._let_go, self._tell_loudly, firmware)
        self._wires: Wires | None = None
        self._serial: list[Pty] = []
        self._console: Console | None = None
        self._status: dict[str, str] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._told: tuple[dict[str, int | bool | None], float] = ({}, 0)
        self._mains_back: tuple[asyncio.TimerHandle, float] | None = None
        self._rail_lost_s = float("-inf")
        self._noted = ""
        self._started_s = time.monotonic()
        self.story: deque[str] = deque(maxlen=STORY_LINES_KEPT)

    async def start(self) -> None:
        """Hangs it on the wall and switches the mains on."""
        self.mains(True)
        self._tasks = [asyncio.create_task(self._physics()), asyncio.create_task(self._poll_status())]
        for task in self._tasks:
            task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Takes it off the wall. What is kept without power is kept."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._mains_back is not None:
            self._mains_back[0].cancel()
        await self._processor.power_off()
        self._take_lines_off()
        self.modem.close()
        self._keep_meter()

    # What a person can do

    def plug(self) -> None:
        """Plugs the car in."""
        self.tell("plug in")
        self.board.vehicle.plugged = True

    def unplug(self) -> None:
        """Pulls the plug."""
        self.tell("unplug")
        self.board.vehicle.plugged = False

    def fault(self, name: str, on: bool) -> None:
        """Breaks something by name, or mends it. Raises ValueError for an unknown name."""
        self.board.set_fault(name, on)
        self.tell(f"fault {name} {'on' if on else 'off'}")

    def network(self, up: bool | None = None, csq: int | None = None) -> None:
        """Switches the mobile network, or moves the antenna. Raises ValueError for a CSQ outside 0..31."""
        if csq is not None:
            self.world.set_csq(csq)
            self.tell(f"signal set to CSQ {csq}")
        if up is not None and up != self.world.coverage:
            self.world.set_coverage(up)
            self.tell(f"mobile network {'up' if up else 'cut'}")

    def mains(self, on: bool) -> None:
        """Switches the mains; ends a timed cut."""
        if self._mains_back is not None:
            self._mains_back[0].cancel()
            self._mains_back = None
        self.board.mains = on
        self.tell(f"mains {'on' if on else 'off'}")

    def mains_off_for(self, seconds: float) -> None:
        """Switches the mains off now and on again after a time."""
        self.mains(False)
        loop = asyncio.get_running_loop()
        self._mains_back = (loop.call_later(seconds, self.mains, True), loop.time() + seconds)

    def tamper(self, is_open: bool) -> None:
        """Opens or shuts the enclosure."""
        self.board.tamper = is_open
        self.tell(f"enclosure {'open' if is_open else 'shut'}")

    def button(self) -> None:
        """Presses the unit's button shortly."""
        self.tell("button")
        self.board.button = True
        asyncio.get_running_loop().call_later(BUTTON_S, setattr, self.board, "button", False)

    def disturb_modem(self, how: str) -> None:
        """Troubles the modem: "garbage" on its line, "hang", "brown_out", "drop_pdp"."""
        self.tell(f"modem: {how}")
        disturbances = {
            "garbage": self.modem.garbage,
            "hang": self.modem.hang,
            "brown_out": self.modem.brown_out,
            "drop_pdp": self.modem.drop_pdp,
        }
        disturbances[how]()

    async def ask(self, command: str, within_s: float = 3) -> list[str]:
        """Asks the service console. Raises ConsoleError, or ConsoleSilent (also when the unit is off)."""
        if self._console is None:
            raise ConsoleSilent("the unit is off")
        return await self._console.ask(command, within_s)

    # What can be seen

    def observe(self) -> Observation:
        """One look at everything."""
        board, vehicle = self.board, self.board.vehicle
        plmn = self.modem.plmn
        operator = self.world.find(plmn) if plmn else None
        strongest_csq = max(self.world.csq(heard.plmn) for heard in self.world.operators)
        left_s = self._mains_back and self._mains_back[1] - asyncio.get_running_loop().time()
        return Observation(
            led=board.outputs.led,
            contactor=board.contact_closed,
            pilot=board.pilot_state,
            pilot_mv=board.pilot_mv(),
            duty_percent=round(100 * board.outputs.pilot_duty_u16 / 65_535, 2) if board.powered else 0,
            amps=board.offered_a,
            power_w=board.power_w,
            csq=self.world.csq(plmn) if plmn and self.world.coverage else CSQ_UNKNOWN,
            operator=plmn,
            operator_name=operator.long_name if operator else None,
            mains=board.mains,
            mains_back_in_s=None if left_s is None else round(max(0.0, left_s), 1),
            vehicle=VehicleReading(
                vehicle.plugged,
                vehicle.s2_closed,
                vehicle.current_ma / 1000,
                round(100 * vehicle.battery_wh / vehicle.capacity_wh, 1),
            ),
            network=NetworkReading(self.world.coverage, strongest_csq),
            faults=tuple(sorted(board.faults)),
            tamper=board.tamper,
            mode=self._status.get("mode"),
            running=self._wires is not None,
            unit=self._status,
        )

    def tell(self, what: str) -> None:
        """Writes a line into the story."""
        self.story.append(f"{time.monotonic() - self._started_s:9.3f} {what}")

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A mistake in the rig must not look like a unit that does nothing."""
        if not task.cancelled() and (error := task.exception()):
            self._tell_loudly(f"the rig itself failed: {error!r}")

    def _tell_loudly(self, what: str) -> None:
        self.tell(what)
        self._alarm(what)

    def whole_story(self) -> str:
        """Story, the firmware's own output and the modem's dialogue, for a failing test."""
        remarks = list(self._console.remarks) if self._console else []
        chapters = {
            "the rig": self.story,
            "the firmware's output": list(self._processor.output)[-60:],
            "the console's remarks": remarks[-60:],
            "the modem's line": [self.modem.transcript.tail(120)],
        }
        return "\n".join(line for title, lines in chapters.items() for line in (f"--- {title}", *lines))

    # The loop

    async def _physics(self) -> None:
        loop = asyncio.get_running_loop()
        then_s, was_powered = loop.time(), False
        while True:
            now_s = loop.time()
            self.board.step(min(now_s - then_s, LONGEST_STEP_S))
            then_s = now_s
            if self.board.powered != was_powered:
                was_powered = self.board.powered
                await self._power(was_powered, now_s)
            self._tell_inputs(now_s)
            self._note_changes()
            await asyncio.sleep(STEP_S)

    async def _power(self, on: bool, now_s: float) -> None:
        if on:
            dip = now_s - self._rail_lost_s < BROWN_OUT_S
            self._processor.power_on("brown_out" if dip else "power_on")
        else:
            self._rail_lost_s = now_s
            await self._processor.power_off()
            self._keep_meter()

    def _tell_inputs(self, now_s: float) -> None:
        inputs = self.board.inputs()
        told, at_s = self._told
        if self._wires is not None and (inputs != told or now_s - at_s >= TELL_INPUTS_S):
            self._wires.send(inputs)
            self._told = (inputs, now_s)

    def _note_changes(self) -> None:
        contact = "closed" if self.board.contact_closed else "open"
        red, green, blue = self.board.outputs.led
        light = ", red" if red and not (green or blue) else ""
        noted = f"pilot {self.board.pilot_state}, contactor {contact}, {self.board.offered_a:g} A{light}"
        if noted != self._noted:
            self._noted = noted
            self.tell(noted)

    async def _poll_status(self) -> None:
        while True:
            await asyncio.sleep(POLL_STATUS_S)
            status: dict[str, str] = {}
            if self._console is not None:
                with contextlib.suppress(ConsoleError, ConsoleSilent):
                    status = await self._console.status()
            self._status = status

    # The microcontroller's pins

    def _wire_up(self) -> None:
        """Fresh lines before the firmware starts."""
        self._wires = Wires(self._folder / "wires", self._obey)
        modem_line = Pty(self.modem.receive, self._folder / "modem")
        self.modem.wire(modem_line.write)
        console_line = Pty(lambda chunk: console.received(chunk), self._folder / "console")
        self._console = console = Console(console_line.write)
        self._serial = [modem_line, console_line]
        self._told = ({}, 0)
        self.tell("the firmware starts")

    def _let_go(self) -> None:
        """The processor is in reset: its pins are what pull resistors make them."""
        self._obey(RESET)
        self._take_lines_off()
        self._status = {}

    def _take_lines_off(self) -> None:
        self.modem.wire(lambda _: None)
        for line in self._serial:
            line.close()
        if self._wires is not None:
            self._wires.close()
        self._serial, self._wires, self._console = [], None, None

    def _obey(self, outputs: Outputs) -> None:
        before, self.board.outputs = self.board.outputs, outputs
        if outputs.modem_power != before.modem_power:
            self.modem.supply(outputs.modem_power)
        if outputs.modem_pwrkey != before.modem_pwrkey:
            self.modem.key(outputs.modem_pwrkey)
        self._processor.feed(outputs.watchdog)

    def _keep_meter(self) -> None:
        self._meter.write_text(f"{self.board.meter_wh:.3f}\n")
