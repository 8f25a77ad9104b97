"""The guided story of the panel: five steps through what the product is for. Pure.

A step is done by what is seen, not by which button was pressed; so it may also be done by hand, and a page that is
opened later shows the same.
"""

from collections.abc import Callable
from typing import NamedTuple


class Seen(NamedTuple):
    """What the steps look at."""

    charging: bool  # energy flows
    network: bool  # the mobile network is up
    mains: bool
    proven: bool  # the unit's connection: a message of it was acknowledged
    skipped_minutes: int  # in all


class Step(NamedTuple):
    """One step. `done` compares what was seen as it began with what is seen now."""

    name: str
    done: Callable[[Seen, Seen], bool]


SILENT_MINUTES = 31  # one more than until the dashboard says so

# Their titles and texts are panel.html's, their buttons panel.js's.
STEPS = (
    Step("plug-in", lambda begun, now: now.charging),
    Step("network-lost", lambda begun, now: not now.network and now.charging),
    Step("silence", lambda begun, now: now.skipped_minutes >= begun.skipped_minutes + SILENT_MINUTES),
    Step("off-and-on", lambda begun, now: not now.mains),
    Step("back", lambda begun, now: now.charging and now.network and now.proven),
)


class Story:
    """How far it is."""

    def __init__(self) -> None:
        self._at = 0
        self._begun: Seen | None = None

    def restart(self) -> None:
        """From the first step."""
        self._at, self._begun = 0, None

    def look(self, now: Seen) -> int:
        """The number of the step that is to be done, from 0; len(STEPS) once all are."""
        if self._begun is None:
            self._begun = now
        if self._at < len(STEPS) and STEPS[self._at].done(self._begun, now):
            self._at, self._begun = self._at + 1, now
        return self._at
