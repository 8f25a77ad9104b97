"""Every fault of the radio world: does it end in contact again, or in the right advice, and after how long?

The whole uplink runs on the simulated modem in virtual time. The times are the modem's, the network's and ours together.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from hil_tests.bench.modem.charge_point import ChargePoint
from hil_tests.sim.world_file import scene

VODAFONE = {"plmn": "23415", "name": "vodafone UK", "short": "voda UK", "csq": 22}
O2 = {"plmn": "23410", "name": "O2 - UK", "short": "O2", "csq": 17}
MINUTE_S, HOUR_S = 60, 3600
DAY_S = 24 * HOUR_S
SCANS_A_DAY, SWITCHES_A_DAY = 4, 3


class Fault(NamedTuple):
    """`happen` after the first contact; then contact again within `within_s`, or, where that is None, these words noted."""

    name: str
    world: dict[str, Any]
    happen: Callable[[ChargePoint], None]
    within_s: float | None = 2 * MINUTE_S
    advice: str = ""
    for_s: float = 2 * HOUR_S


class Outcome(NamedTuple):
    """What came of it."""

    name: str
    held: bool
    contact_s: float | None
    scans: int
    switches: int
    said: str


def _two(**first: Any) -> dict[str, Any]:
    return {"operators": [{**VODAFONE, **first}, O2]}


def _nothing(_unit: ChargePoint) -> None:
    """It is wrong from the start."""


def _serves(plmn: str, what: str) -> Callable[[ChargePoint], None]:
    return lambda unit: unit.loop.inside(unit.modem.world.set_service, plmn, what)


def _modem(what: str) -> Callable[[ChargePoint], None]:
    return lambda unit: unit.loop.inside(getattr(unit.modem, what))


def _gone_for(seconds: float) -> Callable[[ChargePoint], None]:
    def happen(unit: ChargePoint) -> None:
        unit.loop.inside(unit.modem.world.set_coverage, False)
        unit.run(seconds)
        unit.loop.inside(unit.modem.world.set_coverage, True)

    return happen


def _sim_pulled_for(seconds: float) -> Callable[[ChargePoint], None]:
    def happen(unit: ChargePoint) -> None:
        unit.loop.inside(unit.modem.world.set_sim, "NOT INSERTED")
        unit.run(seconds)
        unit.loop.inside(unit.modem.world.set_sim, "READY")

    return happen


def _flap(unit: ChargePoint) -> None:
    for minute in range(6 * 60):
        unit.loop.inside(unit.modem.world.set_signal, "23415", 13 if minute % 2 else 16)
        unit.run(MINUTE_S)


FAULTS = (
    Fault("PDP context taken away", _two(), _modem("drop_pdp")),
    Fault("modem restarts (brown-out)", _two(), _modem("brown_out")),
    Fault("modem hangs", _two(), _modem("hang")),
    Fault("network gone for 5 minutes", _two(), _gone_for(5 * MINUTE_S)),
    Fault("network gone for 3 hours", _two(), _gone_for(3 * HOUR_S)),
    Fault("dead path, another network beside", _two(), _serves("23415", "black hole"), 20 * MINUTE_S),
    Fault("network stops PDP, another beside", _two(), _serves("23415", "no data"), 20 * MINUTE_S),
    Fault("network refuses us, another beside", _two(), _serves("23415", "reject 11"), 20 * MINUTE_S),
    Fault("best signal has no data from the start", _two(serves="no data"), _nothing, 20 * MINUTE_S),
    Fault("best signal is a black hole from the start", _two(serves="black hole"), _nothing, 20 * MINUTE_S),
    Fault(
        "saved lock on a network that is gone",
        {**_two(), "saved": {"cops_mode": 1, "cops_plmn": "23499", "network_time": True}},
        _nothing,
    ),
    Fault("saved flight mode", {**_two(), "saved": {"function": 4}}, _nothing),
    Fault("SIM pulled for 10 minutes", _two(), _sim_pulled_for(10 * MINUTE_S)),
    Fault(
        "only 14 in the air",
        {"operators": [{**VODAFONE, "csq": 14}, {**O2, "csq": 14}]},
        _nothing,
        None,
        "nothing better is heard",
        DAY_S,
    ),
    Fault("signal flaps between 13 and 16 for 6 hours", _two(csq=16), _flap),
    Fault("broker down for an hour, two networks", _two(), lambda unit: _broker_down(unit, HOUR_S), 5 * MINUTE_S),
)


def _broker_down(unit: ChargePoint, seconds: float) -> None:
    unit.broker.deaf = True
    unit.run(seconds)
    unit.broker.deaf = False


# These begin wrong: there is no contact before.
WRONG_FROM_THE_START = ("from the start", "saved")


def outcome(fault: Fault, seed: int) -> Outcome:
    """Plays one fault."""
    unit = ChargePoint(scene(fault.world, seed))
    try:
        if not any(word in fault.name for word in WRONG_FROM_THE_START):
            unit.until_contact(5 * MINUTE_S)
        fault.happen(unit)
        contact_s = unit.until_contact(fault.within_s or fault.for_s)
        said = ""
        if fault.within_s is None:
            unit.run(fault.for_s)
        known = unit.uplink.network.known
        told = [details.get("why", "") for _, kind, details in unit.events if kind == "network"]
        said = told[-1] if told else ""
        held = contact_s is not None and len(known.scans) <= SCANS_A_DAY and len(known.switches) <= SWITCHES_A_DAY
        if fault.advice:
            held = held and any(fault.advice in why for why in told)
        return Outcome(fault.name, held, contact_s, len(known.scans), len(known.switches), said)
    finally:
        unit.close()


def run(seed: int = 1) -> bool:
    """Prints a line for each fault; true if all held."""
    print(f"{'fault':45} {'contact after':>13}  scans  switches  last word")
    outcomes = []
    for fault in FAULTS:
        one = outcome(fault, seed)
        outcomes.append(one)
        took = "never" if one.contact_s is None else f"{one.contact_s:.1f} s"
        mark = "" if one.held else "  <- NOT HELD"
        print(f"{one.name:45} {took:>13}  {one.scans:5}  {one.switches:8}  {one.said}{mark}")
    return all(one.held for one in outcomes)
