"""The states of a job, its moves, and who may make them. Pure.

A job is raised with an installer, accepted, planned, and done. On site the installer arrives, measures, and fits a
signal boost; signal after that counts as "after". Support may cancel a job or ask another installer, and the installer
may give it back. Planning a visit implies acceptance. A visit may be planned again, also for a second visit. Done and
cancelled are final: later work is another job.
"""

from enum import StrEnum

from cloud_bridge.errors import BridgeError
from cloud_bridge.store.access import Role


class JobState(StrEnum):
    """The state of a job, as stored."""

    RAISED = "raised"
    ACCEPTED = "accepted"
    PLANNED = "planned"
    ON_SITE = "on_site"
    FITTED = "fitted"
    GIVEN_BACK = "given_back"
    DONE = "done"
    CANCELLED = "cancelled"


class Move(StrEnum):
    """A move of a job, as stored."""

    RAISE = "raised"
    ACCEPT = "accepted"
    PLAN = "planned"
    ARRIVE = "arrived"
    MEASURE = "measured"  # the signal before the work
    FIT = "fitted"  # a signal boost
    FINISH = "done"
    GIVE_BACK = "given_back"
    ASK = "asked"  # another installer, or the same one again
    CANCEL = "cancelled"


TABLE: dict[tuple[JobState, Move], JobState] = {
    (JobState.RAISED, Move.ACCEPT): JobState.ACCEPTED,
    (JobState.RAISED, Move.PLAN): JobState.PLANNED,
    (JobState.RAISED, Move.ARRIVE): JobState.ON_SITE,
    (JobState.RAISED, Move.FINISH): JobState.DONE,
    (JobState.RAISED, Move.GIVE_BACK): JobState.GIVEN_BACK,
    (JobState.RAISED, Move.ASK): JobState.RAISED,
    (JobState.RAISED, Move.CANCEL): JobState.CANCELLED,
    (JobState.ACCEPTED, Move.PLAN): JobState.PLANNED,
    (JobState.ACCEPTED, Move.ARRIVE): JobState.ON_SITE,
    (JobState.ACCEPTED, Move.FINISH): JobState.DONE,
    (JobState.ACCEPTED, Move.GIVE_BACK): JobState.GIVEN_BACK,
    (JobState.ACCEPTED, Move.ASK): JobState.RAISED,
    (JobState.ACCEPTED, Move.CANCEL): JobState.CANCELLED,
    (JobState.PLANNED, Move.PLAN): JobState.PLANNED,
    (JobState.PLANNED, Move.ARRIVE): JobState.ON_SITE,
    (JobState.PLANNED, Move.FINISH): JobState.DONE,
    (JobState.PLANNED, Move.GIVE_BACK): JobState.GIVEN_BACK,
    (JobState.PLANNED, Move.ASK): JobState.RAISED,
    (JobState.PLANNED, Move.CANCEL): JobState.CANCELLED,
    (JobState.ON_SITE, Move.MEASURE): JobState.ON_SITE,
    (JobState.ON_SITE, Move.FIT): JobState.FITTED,
    (JobState.ON_SITE, Move.PLAN): JobState.PLANNED,
    (JobState.ON_SITE, Move.FINISH): JobState.DONE,
    (JobState.ON_SITE, Move.GIVE_BACK): JobState.GIVEN_BACK,
    (JobState.ON_SITE, Move.ASK): JobState.RAISED,
    (JobState.ON_SITE, Move.CANCEL): JobState.CANCELLED,
    (JobState.FITTED, Move.FIT): JobState.FITTED,
    (JobState.FITTED, Move.PLAN): JobState.PLANNED,
    (JobState.FITTED, Move.FINISH): JobState.DONE,
    (JobState.FITTED, Move.GIVE_BACK): JobState.GIVEN_BACK,
    (JobState.FITTED, Move.ASK): JobState.RAISED,
    (JobState.FITTED, Move.CANCEL): JobState.CANCELLED,
    (JobState.GIVEN_BACK, Move.ASK): JobState.RAISED,
    (JobState.GIVEN_BACK, Move.CANCEL): JobState.CANCELLED,
}

_OURS = frozenset({Role.SUPPORT, Role.OPERATOR})
_BOTH = _OURS | {Role.INSTALLER}
WHO: dict[Move, frozenset[Role]] = {
    Move.RAISE: _OURS,
    Move.ACCEPT: frozenset({Role.INSTALLER}),
    Move.PLAN: _BOTH,
    Move.ARRIVE: frozenset({Role.INSTALLER}),
    Move.MEASURE: frozenset({Role.INSTALLER}),
    Move.FIT: frozenset({Role.INSTALLER}),
    Move.FINISH: _BOTH,
    Move.GIVE_BACK: frozenset({Role.INSTALLER}),
    Move.ASK: _OURS,
    Move.CANCEL: _OURS,
}


class NoSuchMove(BridgeError):
    """The move is not possible in the job's state."""

    def __init__(self, state: JobState, move: Move) -> None:
        super().__init__(f"a job that is {state} cannot be {move}")
        self.state, self.move = state, move


def state_after(state: JobState, move: Move) -> JobState:
    """Return the state after a move. Raises NoSuchMove."""
    try:
        return TABLE[state, move]
    except KeyError:
        raise NoSuchMove(state, move) from None


def moves_of(role: Role, state: JobState) -> frozenset[Move]:
    """Return the moves that a role may make with a job in this state."""
    return frozenset(move for (before, move) in TABLE if before is state and role in WHO[move])
