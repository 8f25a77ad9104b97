"""The queue of our CALLs to one charger: one at a time, as the standard requires, each with a deadline. Pure; times are
seconds of a monotonic clock.

A CALL also probes a charger: any answer, even a refusal, is a message from it. Our own queries have a lower priority
than people's commands, and give way to them early, because some chargers do not answer a CALL that they do not know
(em-ocpp-chargepoint-simulator 0.0.4, foxriver76/ioBroker.ocpp#19).
"""

import secrets
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from cloud_bridge.ingest.ocpp.frames import Reply, call
from cloud_bridge.ingest.ocpp.records import Record

ANSWER_WITHIN_S = 60.0  # over GPRS
YIELDS_AFTER_S = 10.0  # the deadline of our own queries while a command waits
WAITING_MAX = 8
ID_BYTES = 8  # of a CALL, by lot; the standard allows 36 characters

OnAnswer = Callable[[Reply | None], list[Record]]  # the answer, or None on a timeout; returns records to store


class Outgoing(NamedTuple):
    action: str
    payload: dict[str, Any]
    on_answer: OnAnswer
    is_own: bool = False  # a query of our own, not a person's command


class _UnderWay(NamedTuple):
    message_id: str
    one: Outgoing
    since_s: float


class Calls:
    """The waiting CALLs, and the one that is unanswered."""

    def __init__(self) -> None:
        self._ordered: deque[Outgoing] = deque()
        self._own: deque[Outgoing] = deque()
        self._under_way: _UnderWay | None = None

    def add(self, *several: Outgoing) -> bool:
        """Queue CALLs, to be sent one after the other. Return False, and queue none, if more than WAITING_MAX would
        wait."""
        if len(self._ordered) + len(self._own) + len(several) > WAITING_MAX:
            return False
        for one in several:
            (self._own if one.is_own else self._ordered).append(one)
        return True

    def next(self, now_s: float) -> str | None:
        """Return the frame to send now, or None if one is unanswered or none is waiting."""
        if self._ordered and self._under_way is not None and self._under_way.one.is_own:
            self._give_up(now_s, YIELDS_AFTER_S)
        if self._under_way is not None or not (self._ordered or self._own):
            return None
        one, message_id = (self._ordered or self._own).popleft(), secrets.token_hex(ID_BYTES)
        self._under_way = _UnderWay(message_id, one, now_s)
        return call(message_id, one.action, one.payload)

    def has_asked(self, reply: Reply) -> bool:
        """Return whether this is the answer to the unanswered CALL."""
        return self._under_way is not None and reply.message_id == self._under_way.message_id

    def answered(self, reply: Reply) -> list[Record]:
        """Process an answer and return the records to store; [] if it is unexpected or too late."""
        if self._under_way is None or not self.has_asked(reply):
            return []
        one, self._under_way = self._under_way.one, None
        return one.on_answer(reply)

    def look(self, now_s: float) -> None:
        """Give up the unanswered CALL if its deadline has passed."""
        self._give_up(now_s, ANSWER_WITHIN_S)

    def end(self) -> None:
        """Give up all CALLs: the connection has ended."""
        left = [*([] if self._under_way is None else [self._under_way.one]), *self._ordered, *self._own]
        self._under_way = None
        self._ordered.clear()
        self._own.clear()
        for one in left:
            one.on_answer(None)

    def _give_up(self, now_s: float, after_s: float) -> None:
        if self._under_way is not None and now_s - self._under_way.since_s > after_s:
            one, self._under_way = self._under_way.one, None
            one.on_answer(None)
