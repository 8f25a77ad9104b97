"""AT commands for the network: signal, selection, scans and registration (AT manual V1.12 chapters 3 and 6).

AT+COPS is stored at once, so a manually selected network survives a power cut: a trap for clients.
"""

import asyncio
from collections.abc import Callable

from hil_tests.sim.modem.command import AtError, CmeError, Command, Handler
from hil_tests.sim.modem.memory import Memory
from hil_tests.sim.modem.personality import Personality
from hil_tests.sim.modem.radio import CSQ_UNKNOWN, GSM, Operator
from hil_tests.sim.modem.registration import DEREGISTERED, MANUAL, MANUAL_THEN_AUTOMATIC, Registration
from hil_tests.sim.modem.terminal import Terminal

AVAILABLE, CURRENT, FORBIDDEN = 1, 2, 3  # AT+COPS=?
NUMERIC_NAMES = 2  # AT+COPS=3,
UCS2 = "UCS2"
CHARSETS = ("IRA", "GSM", UCS2)  # AT+CSCS; the first after power-up


class Selection:
    """The selection of one modem from power-on to power-off. `radio_on()` returns whether AT+CFUN=1."""

    def __init__(
        self,
        memory: Memory,
        registration: Registration,
        terminal: Terminal,
        personality: Personality,
        radio_on: Callable[[], bool],
    ) -> None:
        self._memory, self._world = memory, registration.world
        self._registration, self._terminal = registration, terminal
        self._personality = personality
        self._radio_on = radio_on
        self._names_numeric = False
        self._charset = CHARSETS[0]
        registration.mode, registration.wanted_plmn = memory.cops_mode, memory.cops_plmn

    def handlers(self) -> dict[str, Handler]:
        """Return the commands of this part, by name."""
        kind = self._personality
        return {
            **({"+CNETSCAN": self._cnetscan} if kind.measures_all_cells else {}),
            **({"+CEREG": self._creg} if kind.lte else {}),
            "+CSQ": self._csq,
            "+COPS": self._cops,
            "+CREG": self._creg,
            "+CGREG": self._creg,
            "+CGATT": self._cgatt,
            "+CSCS": self._cscs,
        }

    async def _csq(self, _command: Command) -> None:
        operator = self._registration.heard_operator()
        csq = self._world.csq(operator.plmn) if operator is not None else CSQ_UNKNOWN
        has_ber = operator is not None and operator.act == GSM  # on LTE it is 99, as in logs of SIM7600, EC21 and BG95
        self._terminal.say(f"+CSQ: {csq},{0 if has_ber else CSQ_UNKNOWN}")

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
            self._names_numeric = command.number(1, 0, within=range(3)) == NUMERIC_NAMES
            return
        plmn = None
        if mode in (MANUAL, MANUAL_THEN_AUTOMATIC):
            plmn = command.text(2)
            if command.number(1, 0, within=range(3)) != 2 or not plmn.isdecimal():
                raise CmeError(50)  # selection by name is not modelled
        self._memory.cops_mode, self._memory.cops_plmn = mode, plmn
        if mode != DEREGISTERED and not self._radio_on():
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
        """Wait half a minute without an answer. Raise `aborted` if any byte is sent meanwhile."""
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
        """Return a name in the selected character set."""
        return text.encode("utf-16-be").hex().upper() if self._charset == UCS2 else text
