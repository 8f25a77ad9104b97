"""The commands of the modem itself: identity, SIM, signal, registration, clock, battery.

AT manual V1.12 chapters 2 to 6. What is saved where is the trap of these modems, so it is modelled:
AT+COPS and AT+CFUN (but not 0) save themselves, AT+CMEE, ATE and AT+CLTS only with AT&W.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hil_tests.sim.command import AtError, CmeError, Command, Final, Handler
from hil_tests.sim.personality import SIM800L, Personality
from hil_tests.sim.radio import CSQ_UNKNOWN, MISSING, READY, Operator, World
from hil_tests.sim.registration import AUTOMATIC, DEREGISTERED, MANUAL, MANUAL_THEN_AUTOMATIC, Registration
from hil_tests.sim.terminal import Terminal

IMEI = "867856030000017"
IMSI = "901405100000017"
ICCID = "8944501012199900017F"
BATTERY_MV = 4012
HERE = ZoneInfo("Europe/London")
CLOCK_WITHOUT_NETWORK = datetime(2004, 1, 1)  # what AT+CCLK? says until a network has told the time
FULL, MINIMUM, FLIGHT = 1, 0, 4  # AT+CFUN
NO_ERRORS, NUMERIC = 0, 1  # AT+CMEE
AVAILABLE, CURRENT, FORBIDDEN = 1, 2, 3  # AT+COPS=?
UCS2 = "UCS2"
CHARSETS = ("IRA", "GSM", UCS2)  # AT+CSCS; the first after power-up


@dataclass
class Memory:
    """What the modem keeps without power."""

    baud: int = 115_200  # AT+IPR; 0 is the factory's automatic rate, which has no RDY
    function: int = FULL
    cops_mode: int = AUTOMATIC
    cops_plmn: str | None = None
    echo: bool = True
    errors: int = NO_ERRORS
    network_time: bool = False


class Device:
    """One modem between power-on and power-off; its `memory` outlives it."""

    def __init__(
        self,
        memory: Memory,
        world: World,
        registration: Registration,
        terminal: Terminal,
        restart: Callable[[], None],
        power_off: Callable[[], None],
        personality: Personality = SIM800L,
    ) -> None:
        self._memory, self._world = memory, world
        self._registration, self._terminal = registration, terminal
        self._restart, self._power_off = restart, power_off
        self._personality = personality
        self.sim_ready = False
        self.errors = memory.errors
        self.function = memory.function
        self._network_time = memory.network_time
        self._names_numeric = False
        self._clock_told = False
        self._charset = CHARSETS[0]
        terminal.echo = memory.echo
        registration.mode, registration.wanted_plmn = memory.cops_mode, memory.cops_plmn
        registration.on_registered = self._registered

    def sim_came_up(self) -> None:
        """The SIM answers: the radio may start, if it is there and open."""
        self.sim_ready = True
        if self.function == FULL and self._world.sim == READY:
            self._registration.start()

    async def watch_sim(self) -> None:
        """A SIM that is pulled takes the network with it; one that is put back brings it again."""
        while True:
            before = self._world.sim
            await self._world.change()
            if self._world.sim == before or not self.sim_ready:
                continue
            self._terminal.say(f"+CPIN: {self._world.sim}")
            if self._world.sim != READY:
                self._registration.stop()
            elif self.function == FULL:
                self._registration.start()

    def handlers(self) -> dict[str, Handler]:
        """The commands of this part, by name."""
        kind = self._personality
        return {
            **({"+CNETSCAN": self._cnetscan} if kind.measures_all_cells else {}),
            **({"+CEREG": self._creg} if kind.lte else {}),
            "": _nothing,
            "E": self._e,
            "Z": _nothing,
            "&F": _nothing,
            "V": _nothing,
            "&W": self._save_profile,
            "I": self._i,
            "+GMM": self._fixed(kind.model),
            "+CGMM": self._fixed(kind.model),
            "+CGMI": self._fixed("SIMCOM_Ltd"),
            "+GMI": self._fixed("SIMCOM_Ltd"),
            "+CGMR": self._fixed(kind.revision),
            "+GMR": self._fixed(kind.revision),
            "+GSN": self._fixed(IMEI),
            "+CGSN": self._fixed(IMEI),
            "+CIMI": self._fixed(IMSI),
            "+CCID": self._fixed(ICCID),
            "+CMEE": self._cmee,
            "+CFUN": self._cfun,
            "+CPIN": self._cpin,
            "+CSQ": self._csq,
            "+COPS": self._cops,
            "+CREG": self._creg,
            "+CGREG": self._creg,
            "+CGATT": self._cgatt,
            "+CCLK": self._cclk,
            "+CLTS": self._clts,
            "+CBC": self._cbc,
            "+IPR": self._ipr,
            "+CPOWD": self._cpowd,
            "+CBATCHK": _nothing,
            "+CIURC": _nothing,
            "+CSMINS": self._csmins,
            "+CBAND": self._fixed('+CBAND: "ALL_BAND"'),
            "+IFC": self._setting("+IFC: 0,0"),
            "+CSCS": self._cscs,
            "+CSCLK": _nothing,
            "+CLIP": _nothing,
            "+SPIC": self._fixed("+SPIC: 3,10,3,10"),
        }

    def _fixed(self, text: str) -> Handler:
        async def reply(command: Command) -> None:
            if command.kind != "test":
                self._terminal.say(text)

        return reply

    def _setting(self, text: str) -> Handler:
        """One that may be set and read; what is set has no effect that can be seen here."""

        async def reply(command: Command) -> None:
            if command.kind == "read":
                self._terminal.say(text)

        return reply

    async def _cscs(self, command: Command) -> None:
        if command.kind == "read":
            self._terminal.say(f'+CSCS: "{self._charset}"')
        elif command.kind == "test":
            names = ",".join(f'"{name}"' for name in CHARSETS)
            self._terminal.say(f"+CSCS: ({names})")
        elif command.text(0) in CHARSETS:
            self._charset = command.text(0)
        else:
            raise CmeError(3)

    def _written(self, text: str) -> str:
        """A name in the character set that was asked for."""
        return text.encode("utf-16-be").hex().upper() if self._charset == UCS2 else text

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
            self._restart()
            return
        if function == self.function:
            return
        self.function = function
        if function == FULL:
            self._terminal.say("+CPIN: READY")
            self._registration.start()
        else:
            self._registration.stop()
            await self._world.wait("detach")
            self._terminal.say("+CPIN: NOT READY")

    async def _cpin(self, command: Command) -> None:
        if command.kind == "write":
            raise CmeError(3)
        if not self.sim_ready or self._world.sim == MISSING:
            raise CmeError(10)
        self._terminal.say(f"+CPIN: {self._world.sim}")

    async def _csq(self, _command: Command) -> None:
        operator = self._registration.operator
        heard = operator is not None and self._world.find(operator.plmn) is not None
        csq = self._world.csq(operator.plmn) if operator is not None and heard else CSQ_UNKNOWN
        self._terminal.say(f"+CSQ: {csq},{0 if heard else CSQ_UNKNOWN}")

    async def _cops(self, command: Command) -> None:
        if command.kind == "read":
            self._terminal.say(self._current_operator())
        elif command.kind == "test":
            await self._scan(CmeError(609))
            current = self._registration.operator
            rows = ",".join(self._operator_row(operator, current) for operator in self._world.heard())
            self._terminal.say(f"+COPS: {rows},,(0-4),(0-2)")
        else:
            await self._select(command)

    async def _select(self, command: Command) -> None:
        mode = command.number(0, within=range(5))
        if mode == 3:
            self._names_numeric = command.number(1, 0, within=range(3)) == 2
            return
        plmn = None
        if mode in (MANUAL, MANUAL_THEN_AUTOMATIC):
            plmn = command.text(2)
            if command.number(1, 0, within=range(3)) != 2 or not plmn.isdecimal():
                raise CmeError(50)  # names as operators are asked for are not modelled
        self._memory.cops_mode, self._memory.cops_plmn = mode, plmn
        if mode != DEREGISTERED and self.function != FULL:
            raise CmeError(797)
        if not await self._registration.select(mode, plmn):
            raise CmeError(30)

    def _current_operator(self) -> str:
        operator, mode = self._registration.operator, self._registration.mode
        if operator is None:
            return f"+COPS: {mode}"
        if self._names_numeric:
            return f'+COPS: {mode},2,"{self._written(operator.plmn)}"'
        return f'+COPS: {mode},0,"{self._written(operator.long_name)}"'

    def _operator_row(self, operator: Operator, current: Operator | None) -> str:
        status = CURRENT if operator == current else FORBIDDEN if operator.plmn in self._world.forbidden else AVAILABLE
        act = f",{operator.act}" if self._personality.lte else ""
        names = [self._written(name) for name in (operator.long_name, operator.short_name, operator.plmn)]
        return f'({status},"{names[0]}","{names[1]}","{names[2]}"{act})'

    async def _cnetscan(self, command: Command) -> None:
        if command.kind == "write":
            return
        await self._scan(AtError("aborted"))
        strengths = [
            (operator, csq)
            for operator in self._world.heard()
            for csq in (self._world.csq(operator.plmn), *operator.cells)
        ]
        for place, (operator, csq) in enumerate(strengths):
            rxlev = max(0, min(63, 2 * csq - 3))  # GSM 05.08: dBm = rxlev - 110
            self._terminal.say(
                f'Operator:"{operator.long_name}",MCC:{operator.plmn[:3]},MNC:{operator.plmn[3:]},'
                f"Rxlev:{rxlev},Cellid:{0x2A30 + place:X},Arfcn:{40 + 7 * place},"
                f"Lac:1F4,Bsic:{0x20 + place:X}"
            )

    async def _scan(self, aborted: AtError) -> None:
        """Half a minute without an answer; any byte sent meanwhile ends it with an error."""
        self._terminal.typed.clear()
        scan = asyncio.ensure_future(self._world.wait("scan"))
        typed = asyncio.ensure_future(self._terminal.typed.wait())
        done, waiting = await asyncio.wait({scan, typed}, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        if scan not in done:
            raise aborted

    async def _creg(self, command: Command) -> None:
        if command.kind == "read":
            self._terminal.say(self._registration.line(command.name, solicited=True))
        else:
            self._registration.report[command.name] = command.number(0, within=range(3))

    async def _cgatt(self, command: Command) -> None:
        if command.kind == "read":
            self._terminal.say(f"+CGATT: {int(self._registration.attached)}")
        elif command.number(0, within=range(2)) == int(self._registration.attached):
            return
        elif command.number(0, within=range(2)):
            if self._registration.operator is None:
                raise CmeError(30)
            await self._registration.attach()
        else:
            await self._registration.detach()

    async def _clts(self, command: Command) -> None:
        if command.kind == "read":
            self._terminal.say(f"+CLTS: {int(self._network_time)}")
        else:
            self._network_time = bool(command.number(0, within=range(2)))

    async def _cclk(self, _command: Command) -> None:
        if self._clock_told:
            self._terminal.say(f'+CCLK: "{_clock(datetime.now(HERE))}"')
        else:
            self._terminal.say(f'+CCLK: "{_clock(CLOCK_WITHOUT_NETWORK)}"')

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
            await self._world.wait("power_down")
            self._terminal.say("NORMAL POWER DOWN")
        self._power_off()
        return Final(None)

    async def _csmins(self, command: Command) -> None:
        if command.kind == "read":
            self._terminal.say("+CSMINS: 0,1")

    def _registered(self) -> None:
        """Networks tell the time as a unit registers, if AT+CLTS=1 asked for it by then."""
        if not self._network_time:
            return
        self._clock_told = True
        now = datetime.now(HERE)
        utc = now.astimezone(UTC)
        date = f"{utc.year},{utc.month},{utc.day},{utc.hour},{utc.minute},{utc.second}"
        self._terminal.say(f'*PSUTTZ: {date},"{_quarters(now):+d}",0')


async def _nothing(_command: Command) -> None:
    """Taken, and of no effect that can be seen here."""


def _quarters(now: datetime) -> int:
    return int((now.utcoffset() or timedelta()) / timedelta(minutes=15))


def _clock(now: datetime) -> str:
    return f"{now:%y/%m/%d,%H:%M:%S}{_quarters(now):+03d}"
