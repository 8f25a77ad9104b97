"""A record of the units that something was sent to recently, so that it is not repeated too soon. Pure: times are
passed in."""

from collections import OrderedDict

KEPT = 50_000  # units; with more, some are sent it again too soon


class Lately:
    """The units of the last `within_ms`, at most `kept` of them."""

    def __init__(self, within_ms: int, kept: int = KEPT) -> None:
        self._within_ms = within_ms
        self._kept = kept
        self._sent_ms: OrderedDict[str, int] = OrderedDict()  # earliest first

    def __len__(self) -> int:
        return len(self._sent_ms)

    def has(self, unit_id: str, now_ms: int) -> bool:
        """Return whether something was sent to this unit within the last `within_ms`."""
        sent_ms = self._sent_ms.get(unit_id)
        return sent_ms is not None and now_ms - sent_ms < self._within_ms

    def add(self, unit_id: str, now_ms: int) -> None:
        """Record that something is sent to this unit now. Forgets units whose time has passed."""
        self._sent_ms[unit_id] = now_ms
        self._sent_ms.move_to_end(unit_id)
        while len(self) > self._kept or now_ms - next(iter(self._sent_ms.values())) >= self._within_ms:
            self._sent_ms.popitem(last=False)

    def clear(self) -> None:
        self._sent_ms.clear()
