"""To which units something was sent lately, so that it is not sent again at once. Pure: times are handed in."""

from collections import OrderedDict

KEPT = 50_000  # units; of more, some are sent it again sooner


class Lately:
    """The units of the last `within_ms`, and no more than `kept`."""

    def __init__(self, within_ms: int, kept: int = KEPT) -> None:
        self._within_ms = within_ms
        self._kept = kept
        self._sent_ms: OrderedDict[str, int] = OrderedDict()  # the earliest first

    def __len__(self) -> int:
        return len(self._sent_ms)

    def has(self, unit_id: str, now_ms: int) -> bool:
        """Whether it was sent to this unit within that time."""
        sent_ms = self._sent_ms.get(unit_id)
        return sent_ms is not None and now_ms - sent_ms < self._within_ms

    def add(self, unit_id: str, now_ms: int) -> None:
        """It is sent now."""
        self._sent_ms[unit_id] = now_ms
        self._sent_ms.move_to_end(unit_id)
        while len(self) > self._kept or now_ms - next(iter(self._sent_ms.values())) >= self._within_ms:
            self._sent_ms.popitem(last=False)

    def clear(self) -> None:
        self._sent_ms.clear()
