"""Every fault of the radio world: does it end in contact again, or in the right advice, and after how long?

The whole uplink runs on the simulated modem in virtual time. The times include the modem's, the network's and the
firmware's delays. Two are printed: from the end of the trouble (from its start if it stays), and, if the unit has to
find out by itself that a network passes no data, from the first proof of that.
"""

import asyncio
from typing import Any, NamedTuple

from hil_tests.bench.modem.charge_point import ChargePoint
from hil_tests.sim.modem.world_file import happen, parsed_events, scene

VODAFONE = {"plmn": "23415", "name": "vodafone UK", "short": "voda UK", "csq": 22}
O2 = {"plmn": "23410", "name": "O2 - UK", "short": "O2", "csq": 17}
MINUTE_S, HOUR_S = 60, 3600
DAY_S = 24 * HOUR_S
SCANS_A_DAY, SWITCHES_A_DAY = 4, 3
FIRST_CONTACT_S = 5 * MINUTE_S


class Fault(NamedTuple):
    """A fault. `events` begin at the first contact (world_file.py, and `broker`). Without events it is there from the
    start."""

    name: str
    world: dict[str, Any]
    events: tuple[dict[str, Any], ...] = ()
    within_s: float = 2 * MINUTE_S  # from the last event to contact again
    of_proof_s: float | None = None  # limit from the first failed proof, if any
    advice: str = ""  # or this advice instead, within a day with contact


class Outcome(NamedTuple):
    """The results of a fault."""

    held: bool
    contact_s: float | None
    proof_s: float | None
    scans: int
    switches: int
    said: str


def _two(**first: Any) -> dict[str, Any]:
    return {"operators": [{**VODAFONE, **first}, O2]}


def _now(do: str, **what: Any) -> tuple[dict[str, Any], ...]:
    return ({"at_s": 0, "do": do, **what},)


def _for(seconds: float, do: str, during: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    return {"at_s": 0, "do": do, **during}, {"at_s": seconds, "do": do, **after}


def _serves(what: str) -> tuple[dict[str, Any], ...]:
    return _now("service", plmn="23415", serves=what)


FLAPPING = tuple(
    {"at_s": minute * MINUTE_S, "do": "signal", "plmn": "23415", "csq": 13 if minute % 2 else 16}
    for minute in range(6 * 60)
)
# A dead path shows by missing acknowledgements, which takes up to a heartbeat and 70 s.
UNNOTICED_S = 3 * MINUTE_S
LEAVES_S = 2 * MINUTE_S  # a network without data, if a good network is in range

FAULTS = (
    Fault("PDP context taken away", _two(), _now("drop_pdp")),
    Fault("modem restarts (brown-out)", _two(), _now("brown_out")),
    Fault("modem hangs", _two(), _now("hang")),
    Fault("modem falls to another speed", _two(), _now("lose_speed")),
    Fault("modem left at another speed", {**_two(), "saved": {"baud": 19_200}}),
    Fault("network gone for 5 minutes", _two(), _for(5 * MINUTE_S, "coverage", {"up": False}, {"up": True})),
    Fault("network gone for 3 hours", _two(), _for(3 * HOUR_S, "coverage", {"up": False}, {"up": True})),
    Fault("dead path, another network beside", _two(), _serves("black hole"), UNNOTICED_S + LEAVES_S, LEAVES_S),
    Fault("network stops PDP, another beside", _two(), _serves("no data"), UNNOTICED_S + LEAVES_S, LEAVES_S),
    Fault("network refuses us, another beside", _two(), _serves("reject 11")),
    Fault("best signal has no data from the start", _two(serves="no data"), (), 3 * MINUTE_S, LEAVES_S),
    Fault("best signal is a black hole from the start", _two(serves="black hole"), (), 4 * MINUTE_S, LEAVES_S),
    Fault(
        "best signal has no data, the other is forbidden",
        {**_two(serves="no data"), "forbidden": ["23410"]},
        (),
        3 * MINUTE_S,
        LEAVES_S,
    ),
    Fault("SIM forbids every network", {**_two(), "forbidden": ["23410", "23415"]}, within_s=8 * MINUTE_S),
    Fault(
        "saved lock on a network that is gone",
        {**_two(), "saved": {"cops_mode": 1, "cops_plmn": "23499", "network_time": True}},
    ),
    Fault("saved flight mode", {**_two(), "saved": {"function": 4}}),
    Fault(
        "SIM pulled for 10 minutes",
        _two(),
        _for(10 * MINUTE_S, "sim", {"state": "NOT INSERTED"}, {"state": "READY"}),
    ),
    Fault(
        "only 14 in the air",
        {"operators": [{**VODAFONE, "csq": 14}, {**O2, "csq": 14}]},
        advice="none is better",
    ),
    Fault("signal flaps between 13 and 16 for 6 hours", _two(csq=16), FLAPPING),
    Fault("broker restarts for 2 minutes", _two(), _for(2 * MINUTE_S, "broker", {"up": False}, {"up": True})),
    Fault(
        "broker deaf for an hour, two networks",
        _two(),
        _for(HOUR_S, "broker", {"deaf": True}, {"deaf": False}),
        5 * MINUTE_S,
    ),
)


class Story:
    """One fault from its start until contact returns, and the unit that has it."""

    def __init__(self, fault: Fault, unit: ChargePoint) -> None:
        self._fault, self._unit = fault, unit
        self._events = parsed_events(fault.events)
        self._happening: asyncio.Task[None] | None = None
        self.over_s: float | None = None if fault.events else 0.0  # when the last event happened
        self.first_proof_s: float | None = None

    def is_over(self) -> bool:
        """Return whether there was contact after the last event. Called in every wait of the unit."""
        unit = self._unit
        if self._happening is None and self._events and unit.broker.contacts:
            self._happening = unit.loop.create_task(self._happen())
        if self.first_proof_s is None and unit.uplink.network.known.is_in_doubt():
            self.first_proof_s = unit.loop.time()
        return self.over_s is not None and bool(unit.broker.contacts) and unit.broker.contacts[-1] > self.over_s

    def since(self, then_s: float | None) -> float | None:
        """Return the seconds from `then_s` to the contact that ended the fault, or None."""
        if then_s is None or self._fault.advice or not self.is_over():
            return None
        return self._unit.broker.contacts[-1] - then_s

    async def _happen(self) -> None:
        start_s = self._unit.loop.time()
        for event in self._events:
            await asyncio.sleep(start_s + event.at_s - self._unit.loop.time())
            if event.do == "broker":
                await self._unit.broker.become(**event.arguments)
            else:
                happen(event, self._unit.modem, self._unit.noise)
        self.over_s = self._unit.loop.time()


def outcome(fault: Fault, seed: int) -> Outcome:
    """Play one fault."""
    unit = ChargePoint(scene(fault.world, seed))
    story = Story(fault, unit)
    last_s = fault.events[-1]["at_s"] + FIRST_CONTACT_S if fault.events else 0
    try:
        if fault.advice:
            held = not unit.run(DAY_S) and bool(unit.broker.contacts)
        else:
            held = unit.run(last_s + fault.within_s, story.is_over)
        known = unit.uplink.network.known
        told = [details.get("why", "") for _, kind, details in unit.events if kind == "network"]
        held = held and len(known.scans) <= SCANS_A_DAY and len(known.switches) <= SWITCHES_A_DAY
        held = held and (not fault.advice or any(fault.advice in why for why in told))
        proof_s = story.since(story.first_proof_s)
        held = held and (fault.of_proof_s is None or (proof_s is not None and proof_s <= fault.of_proof_s))
        last_word = told[-1] if told else ""
        return Outcome(held, story.since(story.over_s), proof_s, len(known.scans), len(known.switches), last_word)
    finally:
        unit.close()


def run(seed: int = 1) -> bool:
    """Print a line for each fault. Return True if all held."""
    print(f"{'fault':48} {'contact after':>13} {'of first proof':>16}  scans  switches  last word")
    held = True
    for fault in FAULTS:
        one = outcome(fault, seed)
        held = held and one.held
        mark = "" if one.held else "  <- NOT HELD"
        times = f"{_seconds(one.contact_s):>13} {_seconds(one.proof_s):>16}"
        print(f"{fault.name:48} {times}  {one.scans:5}  {one.switches:8}  {one.said}{mark}", flush=True)
    return held


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f} s"
