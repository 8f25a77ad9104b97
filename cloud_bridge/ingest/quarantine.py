"""Ids that are no units of ours but said something: shown to the operator, bounded, never stored."""

from collections import OrderedDict
from typing import NamedTuple

KEPT = 500


class Stranger(NamedTuple):
    first_ms: int
    last_ms: int
    messages: int


class Quarantine:
    """The newest KEPT strangers, by id."""

    def __init__(self) -> None:
        self.strangers: OrderedDict[str, Stranger] = OrderedDict()

    def saw(self, unit_id: str, now_ms: int) -> None:
        known = self.strangers.get(unit_id)
        self.strangers[unit_id] = (
            Stranger(now_ms, now_ms, 1) if known is None else Stranger(known.first_ms, now_ms, known.messages + 1)
        )
        self.strangers.move_to_end(unit_id)
        if len(self.strangers) > KEPT:
            self.strangers.popitem(last=False)
