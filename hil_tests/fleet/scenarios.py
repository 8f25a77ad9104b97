"""The scenarios of a fleet, as literal data, and the random choice of units by a seed. Pure.

Times are seconds since the first unit connects. To add an event to a scenario, add a row to SCENARIOS.
"""

from enum import StrEnum
from random import Random
from typing import NamedTuple

from hil_tests.fleet.charge_point import Habits

NETWORKS = {"23415": 40, "23430": 30, "23410": 20, "23420": 10}  # PLMN -> share in per cent


class Do(StrEnum):
    """What can happen at a given time."""

    DROP = "every connection is reset"
    NETWORK_LOST = "a mobile network is gone"  # nothing is closed; bytes are lost in both directions
    DOOR_SHUT = "a door of the broker is shut"  # its connections are reset, and new ones refused
    KILL_BRIDGE = "kill -9 of the bridge"  # kills are done by the starting process
    KILL_NODE = "kill -9 of a node"
    KILL_WORKER = "kill -9 of a worker"


KILLS = (Do.KILL_BRIDGE, Do.KILL_NODE, Do.KILL_WORKER)
KILLS_OF_CLUSTER = (Do.KILL_NODE, Do.KILL_WORKER)


class Step(NamedTuple):
    """An event at a given time."""

    at_s: float
    do: Do
    for_s: float = 0.0
    plmn: str = ""  # for NETWORK_LOST
    door: int = 0  # for DOOR_SHUT, counted from 0


class Shares(NamedTuple):
    """Shares of all units, from 0 to 1. A unit has at most one of these manners; TLS is independent of them."""

    silent: float = 0.0  # stop at a random time, and never come back
    flapping: float = 0.0  # lose the connection every few seconds
    forgetful: float = 0.0  # lose one of four PUBACKs
    sleeping: float = 0.0  # disconnect after each heartbeat
    twins: float = 0.0  # have a second board with the same identity


class Scenario(NamedTuple):
    """`about` is the text for --help. Steps are counted from the end of the ramp-up, when all units have connected."""

    about: str
    seconds: float = 60.0  # after the first connection of the last unit
    steps: tuple[Step, ...] = ()
    shares: Shares = Shares()
    habits: Habits = Habits()


SCENARIOS = {
    "steady": Scenario("all units connect one after another, and speak"),
    "reconnect": Scenario("all connections are reset at once", 90, (Step(15, Do.DROP),)),
    "network-lost": Scenario(
        "all units of one mobile network hear and reach nobody for 45 s",
        120,
        (Step(15, Do.NETWORK_LOST, 45, plmn="23415"),),
    ),
    "silent": Scenario("one unit of five stops for good, its connection half open", shares=Shares(silent=0.2)),
    "flapping": Scenario("one unit of five loses its connection every few seconds", shares=Shares(flapping=0.2)),
    "sleeping": Scenario("every unit disconnects after each heartbeat", shares=Shares(sleeping=1.0)),
    "twins": Scenario("one identity of fifty is on two boards", shares=Shares(twins=0.02)),
    "lost-pubacks": Scenario(
        "one unit of three loses one PUBACK of four, and sends again with DUP", 90, shares=Shares(forgetful=0.33)
    ),
    "door-shut": Scenario("the first door is shut for 30 s", 90, (Step(15, Do.DOOR_SHUT, 30),)),
    "killed": Scenario("kill -9 of the bridge, and a restart", 90, (Step(15, Do.KILL_BRIDGE),)),
    "cluster-killed": Scenario(
        "ten minutes on a cluster; kill -9 of a node and of a worker, each of which is back half a minute later",
        600,
        (Step(180, Do.KILL_NODE, 30), Step(390, Do.KILL_WORKER, 30)),
    ),
    "all": Scenario(
        "everything above, one after another",
        240,
        (
            Step(15, Do.DROP),
            Step(60, Do.NETWORK_LOST, 30, plmn="23430"),
            Step(120, Do.KILL_BRIDGE),
            Step(180, Do.DOOR_SHUT, 20),
        ),
        Shares(silent=0.02, flapping=0.05, forgetful=0.05, sleeping=0.05, twins=0.01),
    ),
}


class Manner(StrEnum):
    """How a unit differs from the others. The values are the names of Shares."""

    USUAL = "usual"
    SILENT = "silent"
    FLAPPING = "flapping"
    FORGETFUL = "forgetful"
    SLEEPING = "sleeping"
    TWIN = "twins"


class Part(NamedTuple):
    """What one simulated board does in a run. A twin has its own part."""

    number: int  # number of the identity, from 0
    plmn: str
    manner: Manner
    over_tls: bool
    connect_at_s: float  # the first connection
    stop_at_s: float | None  # None: until the end
    seed: int
    is_second_board: bool = False


class Cast(NamedTuple):
    """The units of a run."""

    units: int
    ramp_s: float  # time in which they connect for the first time, evenly distributed
    tls: float = 0.0  # share that uses TLS


def steps_of(scenario: Scenario, ramp_s: float) -> list[Step]:
    """Return the steps in order of time, counted from the first connection."""
    return sorted(step._replace(at_s=step.at_s + ramp_s) for step in scenario.steps)


def parts(scenario: Scenario, cast: Cast, seed: int) -> list[Part]:
    """Return the part of each board. It depends only on the seed, not on the process that runs the unit."""
    dice = Random(seed)
    numbers = list(range(cast.units))
    dice.shuffle(numbers)
    manners = [Manner.USUAL] * cast.units
    at = 0
    for name, share in scenario.shares._asdict().items():
        count = round(share * cast.units)
        for number in numbers[at : at + count]:
            manners[number] = Manner(name)
        at += count
    over_tls = set(dice.sample(range(cast.units), round(cast.tls * cast.units)))
    networks = dice.choices(list(NETWORKS), list(NETWORKS.values()), k=cast.units)
    made = []
    for number, manner in enumerate(manners):
        stop_at_s = cast.ramp_s + dice.uniform(0, scenario.seconds) if manner is Manner.SILENT else None
        connect_at_s = cast.ramp_s * number / cast.units
        part = Part(
            number, networks[number], manner, number in over_tls, connect_at_s, stop_at_s, dice.randrange(2**32)
        )
        made.append(part)
        if manner is Manner.TWIN:
            made.append(part._replace(seed=dice.randrange(2**32), is_second_board=True))
    return made
