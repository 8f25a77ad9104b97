"""The commands of the modem itself: identity, function, PIN, speed, clock, battery (AT manual V1.12 chapters 2 to 6)."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hil_tests.sim.modem.command import CmeError, Command, Final, Handler, fixed
from hil_tests.sim.modem.memory import FLIGHT, FULL, MINIMUM, Memory
from hil_tests.sim.modem.personality import SIM800L, Personality
from hil_tests.sim.modem.radio import MISSING, READY
from hil_tests.sim.modem.registration import Registration
from hil_tests.sim.modem.terminal import Terminal

IMEI = "867856030000017"
BATTERY_MV = 4012
ZONE_CHARACTERS = len("+00")


class Supply(NamedTuple):
    """What a command can do to the module's own supply."""

    restart: Callable[[], None]
    power_off: Callable[[], None]


class Device:
    """One modem between power-on and power-off. Its `memory` survives a power-off."""

    def __init__(
        self,
        memory: Memory,
        registration: Registration,
        terminal: Terminal,
        supply: Supply,
        personality: Personality = SIM800L,
    ) -> None:
        self._memory, self.world = memory, registration.world
        self._registration, self._terminal = registration, terminal
        self.restart, self.power_off = supply
        self._personality = personality
        self.sim_ready = False
        self.errors = memory.errors
        self.function = memory.function
        self._network_time = memory.network_time
        self._clock_told = False
        self._on_since_s = asyncio.get_running_loop().time()
        terminal.echo = memory.echo
        registration.on_registered = self._registered

    def sim_came_up(self) -> None:
        """Handle the SIM's first answer: start the radio if the SIM is present and open."""
        self.sim_ready = True
        if self.function == FULL and self.world.sim == READY:
            self._registration.start()

    async def watch_sim(self) -> None:
        """Watch the SIM: removing it ends the registration, and inserting it starts the radio again."""
        while True:
            before = self.world.sim
            await self.world.change()
            if self.world.sim == before or not self.sim_ready:
                continue
            self._terminal.say(f"+CPIN: {self.world.sim}")
            if self.world.sim != READY:
                self._registration.stop()
            elif self.function == FULL:
                self._registration.start()

    def handlers(self) -> dict[str, Handler]:
        """Return the commands of this part, by name."""
        kind, say = self._personality, self._terminal.say
        return {
            "": _nothing,
            "E": self._e,
            "Z": _nothing,
            "&F": _nothing,
            "V": _nothing,
            "&W": self._save_profile,
            "I": self._i,
            "+GMM": fixed(say, kind.model),
            "+CGMM": fixed(say, kind.model),
            "+CGMI": fixed(say, kind.maker),
            "+GMI": fixed(say, kind.maker),
            "+CGMR": fixed(say, kind.revision),
            "+GMR": fixed(say, kind.revision),
            "+GSN": fixed(say, IMEI),
            "+CGSN": fixed(say, IMEI),
            "+CMEE": self._cmee,
            "+CFUN": self._cfun,
            "+CPIN": self._cpin,
            "+CCLK": self._cclk,
            "+CLTS": self.automatic_time,
            "+CBC": self._cbc,
            "+IPR": self._ipr,
            "+CPOWD": self._cpowd,
            "+CBATCHK": _nothing,
            "+CIURC": _nothing,
            "+CBAND": fixed(say, '+CBAND: "ALL_BAND"'),
            "+IFC": self._setting("+IFC: 0,0"),
            "+CSCLK": _nothing,
            "+CLIP": _nothing,
        }

    def _setting(self, text: str) -> Handler:
        """Return a handler for a setting that has no visible effect here. It always reads as `text`."""

        async def reply(command: Command) -> None:
            if command.kind == "read":
                self._terminal.say(text)

        return reply

    async def _e(self, command: Command) -> None:
        self._terminal.echo = bool(command.number(0, 0, within=range(2)))

    async def _i(self, _command: Command) -> None:
        self._terminal.say(self._personality.identity)

    async def _save_profile(self, _command: Command) -> None:
        self._memory.echo = self._terminal.echo
        self._memory.errors = self.errors
        self._memory.network_time = self._network_time

    async def _cmee(self, command: Command) -> None:
        if command.kind == "read":
            self._terminal.say(f"+CMEE: {self.errors}")
        else:
            self.errors = command.number(0, within=range(3))

    async def _cfun(self, command: Command) -> None:
        if command.kind == "read":
            self._terminal.say(f"+CFUN: {self.function}")
            return
        function = command.number(0, within=range(5))
        if function not in (FULL, MINIMUM, FLIGHT) or {function, self.function} == {MINIMUM, FLIGHT}:
            raise CmeError(3)
        if function != MINIMUM:
            self._memory.function = function
        if command.number(1, 0, within=range(2)):
            self.restart()
            return
        if function == self.function:
            return
        self.function = function
        if function == FULL:
            self._terminal.say("+CPIN: READY")
            self._registration.start()
        else:
            self._registration.stop()
            await self.world.wait("detach")
            self._terminal.say("+CPIN: NOT READY")

    async def _cpin(self, command: Command) -> None:
        if command.kind == "write":
            raise CmeError(3)
        if not self.sim_ready or self.world.sim == MISSING:
            raise CmeError(10)
        self._terminal.say(f"+CPIN: {self.world.sim}")

    async def automatic_time(self, command: Command) -> None:
        """Set whether the modem takes the network's time: AT+CLTS of SIM800, AT+CTZU of others (3 there is local time)."""
        if command.kind == "read":
            self._terminal.say(f"{command.name}: {int(self._network_time)}")
        else:
            self._network_time = bool(command.number(0, within=range(4 if command.name == "+CTZU" else 2)))

    async def _cclk(self, _command: Command) -> None:
        kind = self._personality
        if self._clock_told:
            shown = _clock(self.world.network_time())
        else:
            on_for_s = int(asyncio.get_running_loop().time() - self._on_since_s) if kind.clock_counts else 0
            shown = _clock(kind.clock_start + timedelta(seconds=on_for_s))
            shown = shown if kind.clock_start_has_zone else shown[:-ZONE_CHARACTERS]
        self._terminal.say(f'+CCLK: "{shown}"')

    async def _cbc(self, _command: Command) -> None:
        self._terminal.say(f"+CBC: 0,78,{BATTERY_MV}")

    async def _ipr(self, command: Command) -> Final:
        if command.kind == "read":
            self._terminal.say(f"+IPR: {self._memory.baud}")
            return Final()
        baud = command.number(0, within=range(115_201))
        self._terminal.say("OK")  # still at the old speed
        self._memory.baud = baud
        return Final(None)

    async def _cpowd(self, command: Command) -> Final:
        if command.number(0, within=range(2)):
            await self.world.wait("power_down")
            self._terminal.say("NORMAL POWER DOWN")
        self.power_off()
        return Final(None)

    def _registered(self) -> None:
        """Take the network's time. Most networks send it at the registration, if AT+CLTS=1 was set before."""
        if not (self._network_time and self.world.tells_time):
            return
        self._clock_told = True
        if "+CLTS" in self._personality.absent:
            return  # it has no *PSUTTZ; +CTZV (AT+CTZR) is not modelled
        now = self.world.network_time()
        utc = now.astimezone(UTC)
        date = f"{utc.year},{utc.month},{utc.day},{utc.hour},{utc.minute},{utc.second}"
        self._terminal.say(f'*PSUTTZ: {date},"{_quarters(now):+d}",0')


async def _nothing(_command: Command) -> None:
    """Accept a command that has no visible effect here."""


def _quarters(now: datetime) -> int:
    return int((now.utcoffset() or timedelta()) / timedelta(minutes=15))


def _clock(now: datetime) -> str:
    return f"{now:%y/%m/%d,%H:%M:%S}{_quarters(now):+03d}"
