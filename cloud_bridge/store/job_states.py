"""How a job goes, from the question to its end, and who may move it. Pure.

A job is raised with an installer, accepted, planned, and done. Support may cancel it or ask another installer; the installer
may give it back. Whoever plans a visit has accepted, and a planned visit may be planned anew. A job that is done or
cancelled stays so: the next one is another job.
"""

from enum import StrEnum

from cloud_bridge.errors import BridgeError
from cloud_bridge.store.access import Role


class JobState(StrEnum):
    """The words of the store."""

    RAISED = "raised"
    ACCEPTED = "accepted"
    PLANNED = "planned"
    GIVEN_BACK = "given_back"
    DONE = "done"
    CANCELLED = "cancelled"


class Move(StrEnum):
    """What a person does with a job; the words of the store."""

    RAISE = "raised"
    ACCEPT = "accepted"
    PLAN = "planned"
    FINISH = "done"
    GIVE_BACK = "given_back"
    ASK = "asked"  # another installer, or the same again
    CANCEL = "cancelled"


TABLE: dict[tuple[JobState, Move], JobState] = {
    (JobState.RAISED, Move.ACCEPT): JobState.ACCEPTED,
    (JobState.RAISED, Move.PLAN): JobState.PLANNED,
    (JobState.RAISED, Move.FINISH): JobState.DONE,
    (JobState.RAISED, Move.GIVE_BACK): JobState.GIVEN_BACK,
    (JobState.RAISED, Move.ASK): JobState.RAISED,
    (JobState.RAISED, Move.CANCEL): JobState.CANCELLED,
    (JobState.ACCEPTED, Move.PLAN): JobState.PLANNED,
    (JobState.ACCEPTED, Move.FINISH): JobState.DONE,
    (JobState.ACCEPTED, Move.GIVE_BACK): JobState.GIVEN_BACK,
    (JobState.ACCEPTED, Move.ASK): JobState.RAISED,
    (JobState.ACCEPTED, Move.CANCEL): JobState.CANCELLED,
    (JobState.PLANNED, Move.PLAN): JobState.PLANNED,
    (JobState.PLANNED, Move.FINISH): JobState.DONE,
    (JobState.PLANNED, Move.GIVE_BACK): JobState.GIVEN_BACK,
    (JobState.PLANNED, Move.ASK): JobState.RAISED,
    (JobState.PLANNED, Move.CANCEL): JobState.CANCELLED,
    (JobState.GIVEN_BACK, Move.ASK): JobState.RAISED,
    (JobState.GIVEN_BACK, Move.CANCEL): JobState.CANCELLED,
}

_OURS = frozenset({Role.SUPPORT, Role.OPERATOR})
_BOTH = _OURS | {Role.INSTALLER}
WHO: dict[Move, frozenset[Role]] = {
    Move.RAISE: _OURS,
    Move.ACCEPT: frozenset({Role.INSTALLER}),
    Move.PLAN: _BOTH,
    Move.FINISH: _BOTH,
    Move.GIVE_BACK: frozenset({Role.INSTALLER}),
    Move.ASK: _OURS,
    Move.CANCEL: _OURS,
}


class NoSuchMove(BridgeError):
    """The job is in a state from which this move does not lead on."""

    def __init__(self, state: JobState, move: Move) -> None:
        super().__init__(f"a job that is {state} cannot be {move}")
        self.state, self.move = state, move


def state_after(state: JobState, move: Move) -> JobState:
    """Raises NoSuchMove."""
    try:
        return TABLE[state, move]
    except KeyError:
        raise NoSuchMove(state, move) from None


def moves_of(role: Role, state: JobState) -> frozenset[Move]:
    """What somebody of this role may do with a job in this state."""
    return frozenset(move for (before, move) in TABLE if before is state and role in WHO[move])
