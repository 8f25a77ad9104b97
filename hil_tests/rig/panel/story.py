"""The guided story of the panel: five steps that show what the product is for. Pure.

A step ends when its result is observed, whichever button was pressed. So a person can also do it by hand, and a page
that is opened later shows the same step.
"""

from collections.abc import Callable
from typing import NamedTuple


class Seen(NamedTuple):
    """What the steps check."""

    charging: bool  # the car draws power
    network: bool  # the mobile network is up
    mains: bool
    proven: bool  # the unit's connection is proven: a message was acknowledged
    skipped_minutes: int  # in total


class Step(NamedTuple):
    """One step. `done` compares what was observed at its start with the present."""

    name: str
    done: Callable[[Seen, Seen], bool]


SILENT_MINUTES = 31  # one more than the dashboard's limit for silence

# Their titles and texts are in panel.html, their buttons in panel.js.
STEPS = (
    Step("plug-in", lambda begun, now: now.charging),
    Step("network-lost", lambda begun, now: not now.network and now.charging),
    Step("silence", lambda begun, now: now.skipped_minutes >= begun.skipped_minutes + SILENT_MINUTES),
    Step("off-and-on", lambda begun, now: not now.mains),
    Step("back", lambda begun, now: now.charging and now.network and now.proven),
)


class Story:
    """The progress of the story."""

    def __init__(self) -> None:
        self._at = 0
        self._begun: Seen | None = None

    def restart(self) -> None:
        """Start again from the first step."""
        self._at, self._begun = 0, None

    def look(self, now: Seen) -> int:
        """Return the number of the current step, from 0, or len(STEPS) after the last."""
        if self._begun is None:
            self._begun = now
        if self._at < len(STEPS) and STEPS[self._at].done(self._begun, now):
            self._at, self._begun = self._at + 1, now
        return self._at
