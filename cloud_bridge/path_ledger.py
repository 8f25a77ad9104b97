"""The ledger of a process beside a NATS cluster: it counts nothing itself, and knows what the store has (paths.py)."""

from collections.abc import Iterable, Mapping

from cloud_bridge.contact import Gap, Listened, UptimeLedger, gap_between
from cloud_bridge.paths import EVERY, OCPP, OCPP_NAME, deaf

GIVEN_UP_MS = 7 * 24 * 60 * 60 * 1000


class PathLedger(UptimeLedger):
    """`paths` are the numbers and names of the nodes, or of the doors for OCPP. Used on any thread: what is known is replaced
    as a whole."""

    def __init__(
        self, gaps: Iterable[Gap], known: Mapping[int, Listened], paths: Mapping[int, str], start_ms: int
    ) -> None:
        super().__init__(gaps, None, start_ms, 0, EVERY)
        self.paths = paths
        self._known: dict[int, Listened] = {}
        self.heard(known)

    def heard(self, rows: Mapping[int, Listened]) -> None:
        """What the store has of these paths now."""
        self._known = {**self._known, **{number: row for number, row in rows.items() if number >= EVERY}}
        self.others_listened_ms = {number: row.total_ms for number, row in self._known.items() if number != EVERY}
        self.last_ok_ms = max((self._known[one].until_ms for one in self.paths if one in self._known), default=None)

    def learn(self, gaps: Iterable[Gap], others: Mapping[int, Listened], now_ms: int) -> None:
        """What the store knows, and that of it which this process heard of first."""
        self.heard(others)
        shown = {number: row for number, row in self._known.items() if number in self._shown(now_ms)}
        super().learn(gaps, shown, now_ms)
        self.heard({})

    def deaf(self, now_ms: int, shard: int | None = None) -> list[str]:
        """The nodes on which we are not listening: that of the path, or all of them if it is not known."""
        shown = self._shown(now_ms)
        paths = {number: name for number, name in shown.items() if number == shard} or shown
        return deaf(self._known, paths, now_ms)

    def shard_listened_ms(self, shard: int, now_ms: int) -> int | None:
        """As the store had it last, so no more than by now. None: no such path."""
        row = self._known.get(shard)
        return None if row is None else row.total_ms

    def listened_ms(self, now_ms: int) -> int:
        """On every path at once."""
        return self.shard_listened_ms(EVERY, now_ms) or 0

    def listened_at_most_ms(self, now_ms: int) -> int:
        """The store says it when the contact is stored (store/paths.py)."""
        return self.listened_ms(now_ms)

    def open_gaps(self, now_ms: int) -> dict[int, Gap]:
        """Of the nodes that are not heard."""
        shown = [path for path in self._shown(now_ms) if path in self._known]
        found = {path: gap_between(self._known[path].until_ms, now_ms) for path in shown}
        return {path: gap for path, gap in found.items() if gap is not None}

    def _shown(self, now_ms: int) -> Mapping[int, str]:
        """Those that are in use: the doors for OCPP are, unless none of them was heard for GIVEN_UP_MS."""
        doors = self._known.get(OCPP)
        is_given_up = doors is None or now_ms - doors.until_ms > GIVEN_UP_MS
        return self.paths if is_given_up else {**self.paths, OCPP: OCPP_NAME}
