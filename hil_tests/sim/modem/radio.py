"""The air around the modem: operators, signal, coverage, and how long a network takes to answer.

Nothing here speaks AT. The modem asks; a person at the panel or a test changes `coverage` and `csq`.
"""

import asyncio
import random
import re
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

CSQ_UNKNOWN = 99  # "not known or not detectable", AT+CSQ
CSQ_FULL_SPEED = 10  # below this the air needs repeats and everything takes longer
WAITED_KEPT = 1000
HERE_ZONE = ZoneInfo("Europe/London")
GSM, LTE_M, NB_IOT = 0, 7, 9  # access technology, 27.007 section 7.3

# What a network does with a SIM that asks for service. "reject 11" refuses it with that cause (24.008, 10.5.3.6).
ACCEPT = "accept"
NO_DATA = "no data"  # registers it, and refuses every PDP context
BLACK_HOLE = "black hole"  # gives it an address, and every segment is lost
REJECT = re.compile(r"reject (\d+)")
FORBIDDING_CAUSES = {11, 12, 13, 15}  # after these the SIM avoids the network until it is chosen by hand

# AT+CPIN?
READY, MISSING, LOCKED, BLOCKED = "READY", "NOT INSERTED", "SIM PIN", "SIM PUK"


@dataclass(frozen=True)
class Operator:
    """A mobile network that can be heard here, and how strongly (CSQ units, 0..31)."""

    plmn: str
    long_name: str
    short_name: str
    csq: int
    roaming: bool = True  # the SIM of a charge point is at home nowhere
    serves: str = ACCEPT
    cells: tuple[int, ...] = ()  # CSQ of further, weaker cells, for a scan
    act: int = GSM


@dataclass(frozen=True)
class Span:
    """A delay that differs from one time to the next: drawn evenly between two figures in milliseconds."""

    low_ms: int
    high_ms: int


@dataclass(frozen=True)
class Latencies:
    """Every delay of the modem and its network, by name. From key release to open TCP they add up to 6.5-9 s.

    Boot from the hardware design guide (UART usable 3 s after PWRKEY); the rest are ordinary 2G figures.
    """

    boot: Span = Span(3000, 3300)
    sim_ready: Span = Span(500, 800)
    register: Span = Span(1100, 1700)  # circuit side, +CREG
    attach: Span = Span(600, 1000)  # packet side, +CGREG
    call_ready: Span = Span(2000, 2500)  # after the SIM
    pdp_activate: Span = Span(700, 1100)  # AT+CIICR
    connect: Span = Span(400, 700)  # AT+CIPSTART
    one_way: Span = Span(80, 140)  # a segment or its acknowledgement through the air
    turnaround: Span = Span(2, 8)  # any command, in the modem itself
    shut: Span = Span(150, 300)  # AT+CIPSHUT
    detach: Span = Span(300, 600)  # AT+CGATT=0, AT+CFUN=0|4
    select: Span = Span(4000, 9000)  # AT+COPS=1|4
    scan: Span = Span(30_000, 45_000)  # AT+COPS=?, AT+CNETSCAN: the manual allows 45 s
    coverage_loss: Span = Span(1500, 2500)  # until the modem notices that nobody is heard
    reacquire: Span = Span(2000, 4000)  # coverage is back: until registered again
    pdp_lost: Span = Span(55_000, 65_000)  # without coverage until +PDP: DEACT
    power_down: Span = Span(300, 500)


HERE = (
    Operator("23415", "vodafone UK", "voda UK", csq=22),
    Operator("23410", "O2 - UK", "O2", csq=17),
    Operator("23430", "EE", "EE", csq=12),
)


@dataclass
class World:
    """Everything around one modem. Seeded: the same seed gives the same delays in the same order.

    `waited` lists each delay as it was slept, by name, in ms: a bench sums those on its path.
    """

    seed: int = 0
    operators: tuple[Operator, ...] = HERE
    latencies: Latencies = field(default_factory=Latencies)
    coverage: bool = True

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self._csq = {operator.plmn: operator.csq for operator in self.operators}
        self._serves = {operator.plmn: operator.serves for operator in self.operators}
        self._gone: set[str] = set()
        self.forbidden: set[str] = set()  # by the SIM, kept in it
        self.sim = READY
        self.tells_time = True  # whether its networks do, as a unit registers
        self.time_error_s = 0.0  # of the time that they tell
        self._changed = asyncio.Event()
        self.waited: deque[tuple[str, int]] = deque(maxlen=WAITED_KEPT)
        self._begun: dict[str, asyncio.Event] = {}  # delays that somebody waits for

    def network_time(self) -> datetime:
        """What its networks take for the local time."""
        return datetime.fromtimestamp(time.time() + self.time_error_s, HERE_ZONE)

    def draw_ms(self, name: str) -> int:
        """One of the latencies, drawn from its span."""
        span: Span = getattr(self.latencies, name)
        if span.low_ms == span.high_ms:
            return span.low_ms
        return self.random.randint(span.low_ms, span.high_ms)

    async def wait(self, name: str) -> None:
        """Sleeps one of the latencies and notes it in `waited`."""
        await self._sleep(name, self.draw_ms(name))

    async def begun(self, name: str) -> None:
        """Returns when the next delay of this name begins."""
        await self._begun.setdefault(name, asyncio.Event()).wait()

    async def cross(self, plmn: str) -> None:
        """Carries one segment through the air: waits for coverage, longer where the signal is weak.

        A weak signal means repeats, up to five times the time at CSQ 0. A black hole keeps it for ever.
        """
        await self.until_carried(plmn)
        missing = max(0, CSQ_FULL_SPEED - self.csq(plmn))
        await self._sleep("one_way", self.draw_ms("one_way") * (1 + 4 * missing // CSQ_FULL_SPEED))
        await self.until_carried(plmn)

    async def outage(self, lasting: str) -> None:
        """Returns once there has been no coverage for a whole latency of that name."""
        while True:
            while self.coverage:
                await self.change()
            try:
                async with asyncio.timeout(self.draw_ms(lasting) / 1000):
                    await self.until_coverage()
            except TimeoutError:
                return

    def csq(self, plmn: str) -> int:
        """The signal of one operator, 0..31."""
        return self._csq[plmn]

    def heard(self) -> list[Operator]:
        """Every operator that can be heard here, the strongest first."""
        on_air = [operator for operator in self.operators if operator.plmn not in self._gone and self.coverage]
        return sorted(on_air, key=lambda operator: -self._csq[operator.plmn])

    def strongest(self) -> Operator | None:
        """The operator that an automatic selection takes: it compares signals, and avoids what the SIM forbids."""
        return next((operator for operator in self.heard() if operator.plmn not in self.forbidden), None)

    def find(self, plmn: str) -> Operator | None:
        """The operator with this code, if it can be heard here."""
        return next((operator for operator in self.heard() if operator.plmn == plmn), None)

    def reject_cause(self, plmn: str) -> int | None:
        """The cause with which this network refuses us, if it does."""
        refused = REJECT.fullmatch(self._serves[plmn])
        return int(refused[1]) if refused else None

    def gives_context(self, plmn: str) -> bool:
        """Whether this network opens a PDP context."""
        return self._serves[plmn] in (ACCEPT, BLACK_HOLE)

    def carries(self, plmn: str) -> bool:
        """Whether segments pass now."""
        return self.coverage and plmn not in self._gone and self._serves.get(plmn) == ACCEPT

    async def until_carried(self, plmn: str) -> None:
        """Waits until segments pass; returns at once if they do."""
        while not self.carries(plmn):
            await self.change()

    def set_csq(self, csq: int) -> None:
        """Moves the antenna: the strongest operator gets this CSQ, the others stay as far below as before."""
        if not 0 <= csq <= 31:
            raise ValueError(f"CSQ {csq} is not within 0..31")
        best = max(operator.csq for operator in self.operators)
        for operator in self.operators:
            self._csq[operator.plmn] = max(0, csq - (best - operator.csq))
        self._announce()

    def set_signal(self, plmn: str, csq: int) -> None:
        """One operator's signal. Raises KeyError for one that is not of this world, ValueError for no CSQ."""
        if not 0 <= csq <= 31:
            raise ValueError(f"CSQ {csq} is not within 0..31")
        self._csq[self._known(plmn)] = csq
        self._announce()

    def set_service(self, plmn: str, serves: str) -> None:
        """What one operator does with us from now on."""
        if serves not in (ACCEPT, NO_DATA, BLACK_HOLE) and not REJECT.fullmatch(serves):
            raise ValueError(f"{serves!r} is none of {ACCEPT}, {NO_DATA}, {BLACK_HOLE}, reject <cause>")
        self._serves[self._known(plmn)] = serves
        self._announce()

    def set_on_air(self, plmn: str, on: bool) -> None:
        """Switches one operator's mast off or on."""
        (self._gone.discard if on else self._gone.add)(self._known(plmn))
        self._announce()

    def is_on_air(self, plmn: str) -> bool:
        """Whether this operator's mast is on. Raises KeyError for one that is not of this world."""
        return self._known(plmn) not in self._gone

    def set_sim(self, state: str) -> None:
        """Pulls the SIM, locks it, or puts it back: one of READY, MISSING, LOCKED, BLOCKED."""
        if state not in (READY, MISSING, LOCKED, BLOCKED):
            raise ValueError(f"{state!r} is no state of a SIM")
        self.sim = state
        self._announce()

    def _known(self, plmn: str) -> str:
        if plmn not in self._csq:
            raise KeyError(f"no operator {plmn} in this world; there are {', '.join(self._csq)}")
        return plmn

    def set_coverage(self, up: bool) -> None:
        """Switches the whole mobile network off or on."""
        self.coverage = up
        self._announce()

    async def change(self) -> None:
        """Waits until coverage or a signal has been set."""
        await self._changed.wait()

    async def until_coverage(self) -> None:
        """Waits until there is coverage; returns at once if there is."""
        while not self.coverage:
            await self.change()

    async def _sleep(self, name: str, ms: int) -> None:
        self.waited.append((name, ms))
        if name in self._begun:
            self._begun.pop(name).set()
        await asyncio.sleep(ms / 1000)

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
