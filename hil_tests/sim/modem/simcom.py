"""A stateful SIM800, or another modem of personality.py, written from the facts of manuals and design guides.

It has a supply and a PWRKEY, boots with realistic delays, loses the same settings as the real modem without power, and
carries TCP to real loopback sockets. To run it alone, switched on at once, for any program that speaks AT commands:

    python -m hil_tests.sim.modem --link /tmp/modem --seed 7 --world FILE

world_file.py describes the format of FILE.
"""

import asyncio
from collections.abc import Callable

from hil_tests.sim.modem.bearers import Bearers
from hil_tests.sim.modem.caopen import CaOpen
from hil_tests.sim.modem.command import AtError, CmeError, Command, Final, Handler, commands
from hil_tests.sim.modem.device import Device, Supply
from hil_tests.sim.modem.dial import Dial
from hil_tests.sim.modem.ip import Ip
from hil_tests.sim.modem.m95_ip import M95Ip
from hil_tests.sim.modem.memory import FULL, NO_ERRORS, NUMERIC, Memory
from hil_tests.sim.modem.netopen import NetOpen
from hil_tests.sim.modem.personality import CAOPEN, CIP, NETOPEN, QIOPEN, QIREGAPP, SIM800L, Personality
from hil_tests.sim.modem.quectel import Quectel, Quectel2G
from hil_tests.sim.modem.quectel_ip import QuectelIp
from hil_tests.sim.modem.radio import World
from hil_tests.sim.modem.registration import Registration
from hil_tests.sim.modem.selection import Selection
from hil_tests.sim.modem.sim_card import SimCard
from hil_tests.sim.modem.simcom_lte import SimcomLte, SimcomLtem
from hil_tests.sim.modem.sms import Sms
from hil_tests.sim.modem.terminal import Terminal
from hil_tests.sim.modem.transcript import Transcript

GARBAGE_BYTES = 300
OTHER_BAUD = 9_600
OFF_BEFORE_ON_S = 0.8  # the shortest time off after which it can be switched on

STACKS: dict[str, type[Ip | NetOpen | CaOpen | QuectelIp | M95Ip]] = {
    CIP: Ip,
    NETOPEN: NetOpen,
    CAOPEN: CaOpen,
    QIOPEN: QuectelIp,
    QIREGAPP: M95Ip,
}


class Modem:
    """The module as its pins and its UART show it. Use it on a running event loop.

    `wire` sets where the module sends; the owner of the line calls `receive`.
    """

    def __init__(self, world: World, personality: Personality = SIM800L, memory: Memory | None = None) -> None:
        self.world = world
        self.memory = memory or Memory()
        self._personality = personality
        self.transcript = Transcript()
        self._terminal = Terminal(self.transcript)
        self._registration = Registration(world, self._terminal.say)
        self._ip = STACKS[personality.tcp](world, self._registration, self._terminal, personality.links)
        self._bearers = Bearers(world, self._registration, self._terminal)
        self._dial = Dial(world, self._registration, self._terminal, personality.connect)
        self._registration.on_detached = self._context_lost
        self._life: asyncio.Task[None] | None = None
        self._supply = False
        self._key_since_s: float | None = None
        self._off_since_s = -OFF_BEFORE_ON_S
        self._hung = False

    @property
    def running(self) -> bool:
        """Whether the module is switched on, booting or booted."""
        return self._life is not None

    @property
    def plmn(self) -> str | None:
        """The PLMN of the operator that it is registered with, or None."""
        return self._registration.operator.plmn if self._registration.operator else None

    def wire(self, send: Callable[[bytes], None]) -> None:
        """Connect its TXD. Bytes sent before that are lost."""
        self._terminal.send = send

    def receive(self, chunk: bytes) -> None:
        """Handle bytes on its RXD."""
        if not self._hung:
            self._terminal.receive(chunk)

    def supply(self, on: bool) -> None:
        """Switch the battery rail. On alone does not start the module; off stops it at once."""
        self._supply = on
        if not on:
            self._power_off()

    def key(self, pressed: bool) -> None:
        """Set the level of PWRKEY. Releasing it after the time in the personality toggles the module."""
        now_s = asyncio.get_running_loop().time()
        if pressed:
            self._key_since_s = now_s if self._key_since_s is None else self._key_since_s
            return
        held_s = 0.0 if self._key_since_s is None else now_s - self._key_since_s
        self._key_since_s = None
        if not self._supply or held_s < (self._personality.key_off_s if self.running else self._personality.key_on_s):
            return
        if self.running:
            self._power_off()
        elif now_s - self._off_since_s >= OFF_BEFORE_ON_S:
            self.power_on()

    def power_on(self) -> None:
        """Start the module, as a valid pulse on PWRKEY does."""
        self._life = asyncio.create_task(self._live())
        self._life.add_done_callback(_raise_in_loop)

    def brown_out(self) -> None:
        """Restart the module at once, after a dip of the supply. It sends RDY again."""
        if self.running:
            self._power_off()
            self.power_on()

    def hang(self) -> None:
        """Make the module stop answering. Only a supply cut or PWRKEY ends that."""
        self._hung = True

    def garbage(self) -> None:
        """Send noise towards the client: every possible byte, and no valid line."""
        self._terminal.carry(bytes(self.world.random.randrange(256) for _ in range(GARBAGE_BYTES)))

    def lose_speed(self) -> None:
        """Change the module's speed, as if noise were AT+IPR. The new speed is stored without power."""
        self.memory.baud = OTHER_BAUD

    def drop_pdp(self) -> None:
        """Let the network end the PDP contexts."""
        self._context_lost()

    def close(self) -> None:
        """End the simulation."""
        self._power_off()
        self._ip.close()

    def _context_lost(self) -> None:
        self._ip.context_lost()
        self._bearers.context_lost()
        self._dial.context_lost()

    def _power_off(self) -> None:
        if self._life is not None:
            self._off_since_s = asyncio.get_running_loop().time()
            self._life.cancel()
        self._life = None
        self._hung = False
        self._terminal.sleep()
        self._registration.stop()
        self._ip.power_off()
        self._dial.close()
        self._bearers = Bearers(self.world, self._registration, self._terminal)

    async def _live(self) -> None:
        """Run from power-on to power-off."""
        device = Device(
            self.memory,
            self._registration,
            self._terminal,
            Supply(self._restart, self._power_off),
            self._personality,
        )
        selection = Selection(
            self.memory,
            self._registration,
            self._terminal,
            self._personality,
            lambda: device.function == FULL,
        )
        sim_card, sms = SimCard(self.world, self._terminal), Sms(self._terminal)
        parts = (device, selection, sim_card, self._bearers, self._dial, sms)
        handlers = {name: handler for part in parts for name, handler in part.handlers().items()}
        for name in self._personality.absent:
            handlers.pop(name, None)
        handlers |= self._ip.handlers() | self._own_handlers(device)
        await self.world.wait("boot")
        self._terminal.awake = True
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._start_sim(device))
            tasks.create_task(device.watch_sim())
            while True:
                body = await self._terminal.line()
                await self._carry_out(body, handlers, device)

    def _own_handlers(self, device: Device) -> dict[str, Handler]:
        """Return the commands that only this family has, besides its TCP commands."""
        if self._personality.tcp == NETOPEN:
            return SimcomLte(self._registration, self._terminal, device).handlers()
        if self._personality.tcp == CAOPEN:
            return SimcomLtem(self._registration, self._terminal).handlers()
        if self._personality.tcp == QIOPEN:
            names = self._personality.lte_names
            return Quectel(self._registration, self._terminal, device, *names).handlers()
        if self._personality.tcp == QIREGAPP:
            return Quectel2G(self._registration, self._terminal, device).handlers()
        return {}

    async def _start_sim(self, device: Device) -> None:
        """Send the URCs of a boot. At an automatic baud rate, those before the SIM is ready are omitted."""
        kind = self._personality
        talks = bool(self.memory.baud)
        for text in kind.boot_urcs if talks else ():
            self._terminal.say(text.format(function=device.function))
        await self.world.wait("sim_ready")
        device.sim_came_up()
        for text in kind.sim_urcs if talks else ():
            self._terminal.say(text.format(function=device.function, sim=self.world.sim))
        await self.world.wait("call_ready")
        for text in kind.ready_urcs:
            self._terminal.say(text)

    async def _carry_out(self, body: str, handlers: dict[str, Handler], device: Device) -> None:
        """Run one command line: the commands in turn up to the first that fails, then one final result."""
        final: Final | None = None
        try:
            for command in commands(body):
                await self.world.wait("turnaround")
                final = await self._run(command, handlers)
        except CmeError as error:
            self._terminal.say(_refusal(error, device.errors))
            return
        except AtError:
            self._terminal.say("ERROR")
            return
        final = final or Final()
        for line in (final.text, *final.then):
            if line is not None:
                self._terminal.say(line)

    async def _run(self, command: Command, handlers: dict[str, Handler]) -> Final | None:
        handler = handlers.get(command.name)
        if handler is None:
            raise AtError(command.name)
        return await handler(command)

    def _restart(self) -> None:
        """AT+CFUN=1,1: send OK first, then restart the module."""
        self._terminal.say("OK")
        asyncio.get_running_loop().call_soon(self.brown_out)


def _refusal(error: CmeError, errors: int) -> str:
    if errors == NO_ERRORS:
        return "ERROR"
    return f"+CME ERROR: {error.code if errors == NUMERIC else error}"


def _raise_in_loop(life: asyncio.Task[None]) -> None:
    """Report an error of this simulator: without this it would look like a modem that hangs."""
    if not life.cancelled() and (error := life.exception()):
        raise error
