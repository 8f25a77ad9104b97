"""Ids that are no units of ours but said something: shown to the operator, bounded, never stored."""

from collections import OrderedDict
from typing import NamedTuple

KEPT = 500


class UnknownClient(NamedTuple):
    first_ms: int
    last_ms: int
    messages: int


class UnknownClients:
    """The newest KEPT strangers, by id."""

    def __init__(self) -> None:
        self.clients: OrderedDict[str, UnknownClient] = OrderedDict()

    def saw(self, unit_id: str, now_ms: int) -> None:
        known = self.clients.get(unit_id)
        self.clients[unit_id] = (
            UnknownClient(now_ms, now_ms, 1)
            if known is None
            else UnknownClient(known.first_ms, now_ms, known.messages + 1)
        )
        self.clients.move_to_end(unit_id)
        if len(self.clients) > KEPT:
            self.clients.popitem(last=False)
