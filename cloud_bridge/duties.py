"""What the bridge does again and again beside its requests. Whatever a duty raises, it goes on, and how long ago it last
succeeded is in /healthz, /metrics and `python -m cloud_bridge doctor`.
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
LATE_AFTER_S = 60.0  # on top of them, for a busy machine
STORE_DUTY = "store"  # a look whether the store can be read, where nothing else would notice

# Errors of a database, a file or a peer, which pass: a line in the log. All others are ours, and come with their trace.
EXPECTED = (SQLAlchemyError, BridgeError, OSError, EOFError, TimeoutError)

_log = logging.getLogger(__name__)


class DutyState(NamedTuple):
    """`age_s` is the time since the last success, or since the start of the duty while there is none."""

    name: str
    every_s: float
    age_s: float
    failures: int  # since the start of the process
    is_late: bool


@dataclass(slots=True)
class _Duty:
    every_s: float
    succeeded_s: float  # or when it began
    failures: int = 0
    reason: str | None = None  # of the last failure; None after a success


class Duties:
    """Those of this process. Used on one event loop; `states` from any thread."""

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._duties: dict[str, _Duty] = {}
        self._groups: list[Duties] = []
        self._conditions: list[Callable[[], str | None]] = []

    @contextmanager
    def group(self) -> Iterator["Duties"]:
        """Duties that are among these until the end of the block."""
        group = Duties(self._monotonic_s)
        self._groups = [*self._groups, group]
        try:
            yield group
        finally:
            self._groups = [one for one in self._groups if one is not group]

    def require(self, condition: Callable[[], str | None]) -> None:
        """This process is not ready while `condition` returns why. It is asked on any thread."""
        self._conditions = [*self._conditions, condition]

    @property
    def unmet(self) -> str | None:
        """Why it is not ready, by the first of these conditions; None: it is."""
        return next((reason for condition in self._conditions if (reason := condition()) is not None), None)

    async def every(self, seconds: float, name: str, turn: Callable[[], Awaitable[object]]) -> NoReturn:
        """Run `turn` for ever, with a pause of so many seconds after each one."""
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
        """By name."""
        now_s = self._monotonic_s()
        own = [_state(name, duty, now_s) for name, duty in list(self._duties.items())]
        return sorted(chain(own, *(group.states() for group in self._groups)))

    def reason(self, name: str) -> str | None:
        """Why the last turn of a duty failed; None after a success, and where there is no such duty."""
        duty = self._duties.get(name)
        return None if duty is None else duty.reason

    def _failed(self, name: str, duty: _Duty, error: Exception) -> None:
        duty.failures += 1
        reason = f"{type(error).__name__}: {error}"
        if reason != duty.reason:  # else the same line again at every turn
            trace = None if isinstance(error, EXPECTED) else error
            _log.warning("the duty %s failed and goes on: %s", name, reason.splitlines()[0], exc_info=trace)
        duty.reason = reason


def _state(name: str, duty: _Duty, now_s: float) -> DutyState:
    age_s = now_s - duty.succeeded_s
    is_late = age_s > LATE_AFTER_TURNS * duty.every_s + LATE_AFTER_S
    return DutyState(name, duty.every_s, age_s, duty.failures, is_late)
