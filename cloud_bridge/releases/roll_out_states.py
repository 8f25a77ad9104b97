"""The states of a roll-out, and of each unit in it. Pure.

A roll-out goes from ring to ring: one unit, 1 %, 10 %, all. The state of a unit follows only what the unit itself reports,
because sending a command is no evidence. Reports that do not fit the present state are ignored, because messages can be lost
or repeated.
"""

from enum import StrEnum

from cloud_bridge.releases.release_errors import ReleaseError
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _


class RollOutState(StrEnum):
    """The state of a roll-out."""

    RUNNING = "running"
    DONE = "done"  # the last ring is passed; units that were offline still get the release
    STOPPED = "stopped"  # no further unit gets the release


class Happened(StrEnum):
    """Events of a roll-out."""

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
    """The state of a unit in a roll-out."""

    WAITING = "waiting"  # its ring has not begun, or it has not been in contact since
    ORDERED = "ordered"  # the command was sent
    TAKEN = "taken"  # the unit has accepted the release, and requests the image
    INSTALLED = "installed"  # verified, and about to be started
    TRIAL = "trial"  # running on trial
    GOOD = "good"
    REFUSED = "refused"
    ROLLED_BACK = "rolled_back"  # the former version runs again
    CORRUPT = "corrupt"  # its firmware was not what was signed: it runs the former version, or none, and loads it again
    WITHDRAWN = "withdrawn"  # the unit has abandoned the release


class Told(StrEnum):
    """Reports about a unit and a release, all by the unit except the first."""

    SENT = "sent"
    TAKEN = "taken"  # the answer to the command
    WITHDRAWN = "withdrawn"  # the answer to the command that withdraws the release
    RUNS = "runs"  # its boot reports this version
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
    UnitState.WAITING: {Told.SENT: UnitState.ORDERED, Told.RUNS: UnitState.GOOD},  # installed by cable
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
    UnitState.REFUSED: _RUNS_IT,  # a repeated command is refused because the first one was carried out
    UnitState.ROLLED_BACK: {},
    UnitState.CORRUPT: {told: state for told, state in _RUNS_IT.items() if state is not UnitState.CORRUPT},
    UnitState.WITHDRAWN: _RUNS_IT,  # it was installed already
}

LOADING = (UnitState.ORDERED, UnitState.TAKEN)  # may still request the image, and can abandon the release
MAY_ASK = (*LOADING, UnitState.CORRUPT)
OPEN = (UnitState.WAITING, *LOADING, UnitState.INSTALLED, UnitState.TRIAL)  # the outcome is not known yet
WENT_BACK = (UnitState.ROLLED_BACK, UnitState.CORRUPT)

RINGS = (N_("one unit"), "1 %", "10 %", N_("all"))
_PER_MILLE = (10, 100)  # shares of the second and third ring, including the units of the rings before


def ring_ends(units: int) -> tuple[int, ...]:
    """Return how many units each ring has, including the rings before it. In a small fleet, some rings add none."""
    shares = (-(-units * share // 1000) for share in _PER_MILLE)
    return (min(1, units), *(max(min(1, units), share) for share in shares), units)


def follow(state: RollOutState, happened: Happened) -> RollOutState:
    """Return the state after an event. Raises ReleaseError if the present state does not allow the event."""
    if happened not in ROLL_OUTS[state]:
        raise ReleaseError(_("the roll-out is {state} already").format(state=state))
    return ROLL_OUTS[state][happened]


def unit_after(state: UnitState, told: Told) -> UnitState:
    """Return the state after a report; unchanged if the report does not fit the present state."""
    return UNITS[state].get(told, state)
