"""Our own CALLs to one charger: one at a time, as the standard wants it, each with a deadline. Pure; times are seconds of a
monotonic clock.

A CALL is also how a charger is asked whether it is there: whatever it answers, a refusal too, is a message of it.
"""

import secrets
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from cloud_bridge.ingest.ocpp.frames import Reply, call
from cloud_bridge.ingest.ocpp.records import Record

ANSWER_WITHIN_S = 60.0  # over GPRS
WAITING_MAX = 8

OnAnswer = Callable[[Reply | None], list[Record]]  # None: it did not answer. What of it is stored with the answer


class Outgoing(NamedTuple):
    action: str
    payload: dict[str, Any]
    on_answer: OnAnswer


class Calls:
    """Those that wait, and the one that is under way."""

    def __init__(self) -> None:
        self._waiting: deque[Outgoing] = deque()
        self._under_way: tuple[str, Outgoing, float] | None = None  # its id, and until when

    def add(self, *several: Outgoing) -> bool:
        """Together, one after the other. False: WAITING_MAX would wait then, and none was taken."""
        if len(self._waiting) + len(several) > WAITING_MAX:
            return False
        self._waiting.extend(several)
        return True

    def next(self, now_s: float) -> str | None:
        """The frame to send now; None while one is under way, or none waits."""
        if self._under_way is not None or not self._waiting:
            return None
        one, message_id = self._waiting.popleft(), secrets.token_hex(8)
        self._under_way = message_id, one, now_s + ANSWER_WITHIN_S
        return call(message_id, one.action, one.payload)

    def has_asked(self, reply: Reply) -> bool:
        """Whether it answers the one that is under way."""
        return self._under_way is not None and reply.message_id == self._under_way[0]

    def answered(self, reply: Reply) -> list[Record]:
        """What of it is stored; nothing where nobody has asked, or it came too late."""
        if self._under_way is None or not self.has_asked(reply):
            return []
        _, one, _ = self._under_way
        self._under_way = None
        return one.on_answer(reply)

    def look(self, now_s: float) -> None:
        """Give up the one whose time is over."""
        if self._under_way is None or now_s <= self._under_way[2]:
            return
        _, one, _ = self._under_way
        self._under_way = None
        one.on_answer(None)

    def end(self) -> None:
        """The connection is over: nothing that waits is answered any more."""
        left = [*([] if self._under_way is None else [self._under_way[1]]), *self._waiting]
        self._under_way = None
        self._waiting.clear()
        for one in left:
            one.on_answer(None)
