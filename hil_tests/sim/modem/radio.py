"""The radio around the modem: operators, signal, coverage, and the delays of a network.

It is independent of AT commands: the modem reads it, and a person at the panel or a test changes `coverage` and `csq`.
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
CSQ_FULL_SPEED = 10  # below this the air needs retransmissions, and everything takes longer
WAITED_KEPT = 1000
HERE_ZONE = ZoneInfo("Europe/London")
GSM, LTE_M, NB_IOT = 0, 7, 9  # access technology, 27.007 section 7.3

# What a network does with a SIM that requests service. "reject 11" refuses it with that cause (24.008, 10.5.3.6).
ACCEPT = "accept"
NO_DATA = "no data"  # registers it, and refuses every PDP context
BLACK_HOLE = "black hole"  # gives it an address, and loses every segment
REJECT = re.compile(r"reject (\d+)")
FORBIDDING_CAUSES = {11, 12, 13, 15}  # after these the SIM avoids the network until it is selected manually

# AT+CPIN?
READY, MISSING, LOCKED, BLOCKED = "READY", "NOT INSERTED", "SIM PIN", "SIM PUK"


@dataclass(frozen=True)
class Operator:
    """A mobile network that can be received here. `csq` is its signal, 0..31."""

    plmn: str
    long_name: str
    short_name: str
    csq: int
    roaming: bool = True  # the SIM of a charge point has no home network here
    serves: str = ACCEPT
    cells: tuple[int, ...] = ()  # CSQ of further, weaker cells, for a scan
    act: int = GSM


@dataclass(frozen=True)
class Span:
    """A delay that varies: drawn evenly between two figures in milliseconds."""

    low_ms: int
    high_ms: int


@dataclass(frozen=True)
class Latencies:
    """Every delay of the modem and its network, by name. From the release of PWRKEY to open TCP they add up to 6.5-9 s.

    `boot` is from the hardware design guide (UART usable 3 s after PWRKEY); the rest are ordinary 2G figures.
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
    coverage_loss: Span = Span(1500, 2500)  # until the modem notices that no cell is received
    reacquire: Span = Span(2000, 4000)  # from the return of coverage until registered again
    pdp_lost: Span = Span(55_000, 65_000)  # without coverage until +PDP: DEACT
    power_down: Span = Span(300, 500)


HERE = (
    Operator("23415", "vodafone UK", "voda UK", csq=22),
    Operator("23410", "O2 - UK", "O2", csq=17),
    Operator("23430", "EE", "EE", csq=12),
)


@dataclass
class World:
    """Everything around one modem. The same seed gives the same delays in the same order.

    `waited` lists each delay as it was slept, by name, in ms: a benchmark sums those on its path.
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
        self.forbidden: set[str] = set()  # stored in the SIM
        self.sim = READY
        self.tells_time = True  # whether the networks send the time at a registration
        self.time_error_s = 0.0  # of the time that the networks send
        self._changed = asyncio.Event()
        self.waited: deque[tuple[str, int]] = deque(maxlen=WAITED_KEPT)
        self._begun: dict[str, asyncio.Event] = {}  # delays whose start is awaited

    def network_time(self) -> datetime:
        """Return the local time that the networks send."""
        return datetime.fromtimestamp(time.time() + self.time_error_s, HERE_ZONE)

    def draw_ms(self, name: str) -> int:
        """Draw one of the latencies from its span."""
        span: Span = getattr(self.latencies, name)
        if span.low_ms == span.high_ms:
            return span.low_ms
        return self.random.randint(span.low_ms, span.high_ms)

    async def wait(self, name: str) -> None:
        """Sleep for one of the latencies, and add it to `waited`."""
        await self._sleep(name, self.draw_ms(name))

    async def begun(self, name: str) -> None:
        """Wait until the next delay of this name begins."""
        await self._begun.setdefault(name, asyncio.Event()).wait()

    async def cross(self, plmn: str) -> None:
        """Carry one segment through the air: wait for coverage, and longer if the signal is weak.

        A weak signal causes retransmissions: up to five times the delay at CSQ 0. In a black hole this never returns.
        """
        await self.until_carried(plmn)
        missing = max(0, CSQ_FULL_SPEED - self.csq(plmn))
        await self._sleep("one_way", self.draw_ms("one_way") * (1 + 4 * missing // CSQ_FULL_SPEED))
        await self.until_carried(plmn)

    async def outage(self, lasting: str) -> None:
        """Return when there has been no coverage for a whole latency of that name."""
        while True:
            while self.coverage:
                await self.change()
            try:
                async with asyncio.timeout(self.draw_ms(lasting) / 1000):
                    await self.until_coverage()
            except TimeoutError:
                return

    def csq(self, plmn: str) -> int:
        """Return the signal of one operator, 0..31."""
        return self._csq[plmn]

    def heard(self) -> list[Operator]:
        """Return every operator that can be received here, strongest first."""
        on_air = [operator for operator in self.operators if operator.plmn not in self._gone and self.coverage]
        return sorted(on_air, key=lambda operator: -self._csq[operator.plmn])

    def strongest(self) -> Operator | None:
        """Return the operator of an automatic selection: the strongest that the SIM does not forbid, or None."""
        return next((operator for operator in self.heard() if operator.plmn not in self.forbidden), None)

    def find(self, plmn: str) -> Operator | None:
        """Return the operator with this PLMN if it can be received here, or None."""
        return next((operator for operator in self.heard() if operator.plmn == plmn), None)

    def reject_cause(self, plmn: str) -> int | None:
        """Return the cause with which this network refuses the SIM, or None."""
        refused = REJECT.fullmatch(self._serves[plmn])
        return int(refused[1]) if refused else None

    def gives_context(self, plmn: str) -> bool:
        """Return whether this network opens a PDP context."""
        return self._serves[plmn] in (ACCEPT, BLACK_HOLE)

    def carries(self, plmn: str) -> bool:
        """Return whether segments pass now."""
        return self.coverage and plmn not in self._gone and self._serves.get(plmn) == ACCEPT

    async def until_carried(self, plmn: str) -> None:
        """Wait until segments pass. Return at once if they do."""
        while not self.carries(plmn):
            await self.change()

    def set_csq(self, csq: int) -> None:
        """Set the strongest operator's CSQ. The others stay as far below it as before. Raises ValueError."""
        if not 0 <= csq <= 31:
            raise ValueError(f"CSQ {csq} is not within 0..31")
        best = max(operator.csq for operator in self.operators)
        for operator in self.operators:
            self._csq[operator.plmn] = max(0, csq - (best - operator.csq))
        self._announce()

    def set_signal(self, plmn: str, csq: int) -> None:
        """Set one operator's signal. Raises KeyError for an operator that is not in this world, ValueError for an
        invalid CSQ."""
        if not 0 <= csq <= 31:
            raise ValueError(f"CSQ {csq} is not within 0..31")
        self._csq[self._known(plmn)] = csq
        self._announce()

    def set_service(self, plmn: str, serves: str) -> None:
        """Set what one operator does with the SIM from now on. Raises ValueError and KeyError."""
        if serves not in (ACCEPT, NO_DATA, BLACK_HOLE) and not REJECT.fullmatch(serves):
            raise ValueError(f"{serves!r} is none of {ACCEPT}, {NO_DATA}, {BLACK_HOLE}, reject <cause>")
        self._serves[self._known(plmn)] = serves
        self._announce()

    def set_on_air(self, plmn: str, on: bool) -> None:
        """Switch one operator's mast off or on."""
        (self._gone.discard if on else self._gone.add)(self._known(plmn))
        self._announce()

    def is_on_air(self, plmn: str) -> bool:
        """Return whether this operator's mast is on. Raises KeyError for an operator that is not in this world."""
        return self._known(plmn) not in self._gone

    def set_sim(self, state: str) -> None:
        """Remove the SIM, lock it, or insert it: one of READY, MISSING, LOCKED, BLOCKED."""
        if state not in (READY, MISSING, LOCKED, BLOCKED):
            raise ValueError(f"{state!r} is no state of a SIM")
        self.sim = state
        self._announce()

    def _known(self, plmn: str) -> str:
        if plmn not in self._csq:
            raise KeyError(f"no operator {plmn} in this world; there are {', '.join(self._csq)}")
        return plmn

    def set_coverage(self, up: bool) -> None:
        """Switch the whole mobile network off or on."""
        self.coverage = up
        self._announce()

    async def change(self) -> None:
        """Wait for the next change of coverage, a signal, a service or the SIM."""
        await self._changed.wait()

    async def until_coverage(self) -> None:
        """Wait until there is coverage. Return at once if there is."""
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
