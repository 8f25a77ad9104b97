"""How far a roll-out has come, and how far each of its units. Pure.

A roll-out goes from ring to ring: one unit, 1 % of them, 10 %, all. A unit goes by what it says itself; an order that was sent
is no proof of anything. What a unit says that its state does not know changes nothing: messages are lost and come twice.
"""

from enum import StrEnum

from cloud_bridge.releases.release_errors import ReleaseError
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _


class RollOutState(StrEnum):
    """Of a whole roll-out."""

    RUNNING = "running"
    DONE = "done"  # the last ring is passed; units that were away still get it
    STOPPED = "stopped"  # nobody gets it any more


class Happened(StrEnum):
    """To a roll-out."""

    RING_PASSED = "ring passed"
    LAST_RING_PASSED = "last ring passed"
    STOP = "stop"


ROLL_OUTS: dict[RollOutState, dict[Happened, RollOutState]] = {
    RollOutState.RUNNING: {
        Happened.RING_PASSED: RollOutState.RUNNING,
        Happened.LAST_RING_PASSED: RollOutState.DONE,
        Happened.STOP: RollOutState.STOPPED,
    },
    RollOutState.DONE: {Happened.STOP: RollOutState.STOPPED},
    RollOutState.STOPPED: {},
}


class UnitState(StrEnum):
    """Of one unit in it."""

    WAITING = "waiting"  # its ring has not begun, or it was not heard since
    ORDERED = "ordered"  # the order was sent
    TAKEN = "taken"  # the unit has taken it, and asks for the image
    INSTALLED = "installed"  # verified, and to be started next
    TRIAL = "trial"  # it runs, on trial
    GOOD = "good"
    REFUSED = "refused"
    ROLLED_BACK = "rolled_back"  # the former version runs again
    CORRUPT = "corrupt"  # what it ran is not what was signed: it runs the former version, or none, and loads it again
    WITHDRAWN = "withdrawn"  # the unit has given it up


class Told(StrEnum):
    """By a unit about the release; the first is ours."""

    SENT = "sent"
    TAKEN = "taken"  # as the answer to the order
    WITHDRAWN = "withdrawn"  # likewise
    RUNS = "runs"  # its boot says this version
    REFUSED = "refused"
    INSTALLED = "installed"
    TRIAL = "trial"
    GOOD = "good"
    ROLLED_BACK = "rolled_back"
    CORRUPT = "corrupt"


_RUNS_IT: dict[Told, UnitState] = {
    Told.INSTALLED: UnitState.INSTALLED,
    Told.RUNS: UnitState.TRIAL,
    Told.TRIAL: UnitState.TRIAL,
    Told.GOOD: UnitState.GOOD,
    Told.ROLLED_BACK: UnitState.ROLLED_BACK,
    Told.CORRUPT: UnitState.CORRUPT,
}

UNITS: dict[UnitState, dict[Told, UnitState]] = {
    UnitState.WAITING: {Told.SENT: UnitState.ORDERED, Told.RUNS: UnitState.GOOD},  # somebody came with a cable
    UnitState.ORDERED: _RUNS_IT
    | {Told.TAKEN: UnitState.TAKEN, Told.REFUSED: UnitState.REFUSED, Told.WITHDRAWN: UnitState.WITHDRAWN},
    UnitState.TAKEN: _RUNS_IT | {Told.REFUSED: UnitState.REFUSED, Told.WITHDRAWN: UnitState.WITHDRAWN},
    UnitState.INSTALLED: _RUNS_IT | {Told.REFUSED: UnitState.REFUSED},
    UnitState.TRIAL: {
        Told.GOOD: UnitState.GOOD,
        Told.ROLLED_BACK: UnitState.ROLLED_BACK,
        Told.CORRUPT: UnitState.CORRUPT,
    },
    UnitState.GOOD: {Told.ROLLED_BACK: UnitState.ROLLED_BACK, Told.CORRUPT: UnitState.CORRUPT},
    UnitState.REFUSED: _RUNS_IT,  # an order that came twice is refused because the first was carried out
    UnitState.ROLLED_BACK: {},
    UnitState.CORRUPT: {told: state for told, state in _RUNS_IT.items() if state is not UnitState.CORRUPT},
    UnitState.WITHDRAWN: _RUNS_IT,  # it was installed already
}

LOADING = (UnitState.ORDERED, UnitState.TAKEN)  # it is to ask for the image, and can give it up
MAY_ASK = (*LOADING, UnitState.CORRUPT)
OPEN = (UnitState.WAITING, *LOADING, UnitState.INSTALLED, UnitState.TRIAL)  # what becomes of it is not known yet
WENT_BACK = (UnitState.ROLLED_BACK, UnitState.CORRUPT)

RINGS = (N_("one unit"), "1 %", "10 %", N_("all"))
_PER_MILLE = (10, 100)  # of the units, with those of the rings before: the second and the third


def ring_ends(units: int) -> tuple[int, ...]:
    """How many units each ring has, with those of the rings before it. In a small fleet some rings add none."""
    shares = (-(-units * share // 1000) for share in _PER_MILLE)
    return (min(1, units), *(max(min(1, units), share) for share in shares), units)


def follow(state: RollOutState, happened: Happened) -> RollOutState:
    """Raises ReleaseError where the state does not allow it."""
    if happened not in ROLL_OUTS[state]:
        raise ReleaseError(_("the roll-out is {state} already").format(state=state))
    return ROLL_OUTS[state][happened]


def unit_after(state: UnitState, told: Told) -> UnitState:
    """The same state where it says nothing new."""
    return UNITS[state].get(told, state)
