"""Duties: the periodic tasks of the bridge. A duty that raises an error is run again at its next turn. /healthz,
/metrics and `python -m cloud_bridge doctor` show how long ago each one last succeeded.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple, NoReturn

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.errors import BridgeError

LATE_AFTER_TURNS = 3
LATE_AFTER_S = 60.0  # added to LATE_AFTER_TURNS, for a busy machine
STORE_DUTY = "store"  # checks that the store can be read, in processes without another duty that does

# Transient errors of a database, a file or a peer: one log line. All others are bugs of ours, logged with their
# traceback.
EXPECTED = (SQLAlchemyError, BridgeError, OSError, EOFError, TimeoutError)

_log = logging.getLogger(__name__)


class DutyState(NamedTuple):
    """The state of one duty. `age_s` is the time since the last success, or since the start if there was none."""

    name: str
    every_s: float
    age_s: float
    failures: int  # since the start of the process
    is_late: bool


@dataclass(slots=True)
class _Duty:
    every_s: float
    succeeded_s: float  # monotonic time of the last success, or of the start
    failures: int = 0
    reason: str | None = None  # the last failure; None after a success


class Duties:
    """The duties of this process. Use it on one event loop; `states` may be called on any thread."""

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._duties: dict[str, _Duty] = {}
        self._groups: list[Duties] = []
        self._conditions: list[Callable[[], str | None]] = []

    @contextmanager
    def group(self) -> Iterator["Duties"]:
        """Add a group of duties, which `states` includes until the end of the block."""
        group = Duties(self._monotonic_s)
        self._groups = [*self._groups, group]
        try:
            yield group
        finally:
            self._groups = [one for one in self._groups if one is not group]

    def require(self, condition: Callable[[], str | None]) -> None:
        """Add a readiness condition: the process is not ready while it returns a reason. It is called on any thread."""
        self._conditions = [*self._conditions, condition]

    @property
    def unmet(self) -> str | None:
        """The reason of the first condition that is not met, or None if the process is ready."""
        return next((reason for condition in self._conditions if (reason := condition()) is not None), None)

    async def every(self, seconds: float, name: str, turn: Callable[[], Awaitable[object]]) -> NoReturn:
        """Run `turn` until cancelled, with a pause of `seconds` after each turn."""
        self._duties[name] = duty = _Duty(seconds, self._monotonic_s())
        while True:
            try:
                await turn()
            except Exception as error:
                self._failed(name, duty, error)
            else:
                duty.succeeded_s = self._monotonic_s()
                duty.reason = None
            await asyncio.sleep(seconds)

    def states(self) -> list[DutyState]:
        """Return the states of all duties, sorted by name."""
        now_s = self._monotonic_s()
        own = [_state(name, duty, now_s) for name, duty in list(self._duties.items())]
        return sorted(chain(own, *(group.states() for group in self._groups)))

    def reason(self, name: str) -> str | None:
        """Return why the last turn of a duty failed, or None if it succeeded or there is no such duty."""
        duty = self._duties.get(name)
        return None if duty is None else duty.reason

    def _failed(self, name: str, duty: _Duty, error: Exception) -> None:
        duty.failures += 1
        reason = f"{type(error).__name__}: {error}"
        if reason != duty.reason:  # otherwise every turn would repeat the line
            trace = None if isinstance(error, EXPECTED) else error
            _log.warning("duty %s failed, retrying: %s", name, reason.splitlines()[0], exc_info=trace)
        duty.reason = reason


def _state(name: str, duty: _Duty, now_s: float) -> DutyState:
    age_s = now_s - duty.succeeded_s
    is_late = age_s > LATE_AFTER_TURNS * duty.every_s + LATE_AFTER_S
    return DutyState(name, duty.every_s, age_s, duty.failures, is_late)
