"""The uptime ledger of a process on a NATS cluster. It counts nothing itself and reads the store's counts
(paths.py)."""

from collections.abc import Iterable, Mapping

from cloud_bridge.contact import Gap, Listened, UptimeLedger, gap_between
from cloud_bridge.paths import EVERY, OCPP, OCPP_NAME, deaf

GIVEN_UP_MS = 7 * 24 * 60 * 60 * 1000  # without a canary; then OCPP counts as switched off


class PathLedger(UptimeLedger):
    """`paths` are the numbers and names of the cluster's nodes, or of the OCPP doors. Thread-safe for reading: its
    state is replaced as a whole."""

    def __init__(
        self, gaps: Iterable[Gap], known: Mapping[int, Listened], paths: Mapping[int, str], start_ms: int
    ) -> None:
        super().__init__(gaps, None, start_ms, 0, EVERY)
        self.paths = paths
        self._known: dict[int, Listened] = {}
        self.heard(known)

    def heard(self, rows: Mapping[int, Listened]) -> None:
        """Take the listening times of paths from the store."""
        self._known = {**self._known, **{number: row for number, row in rows.items() if number >= EVERY}}
        self.others_listened_ms = {number: row.total_ms for number, row in self._known.items() if number != EVERY}
        self.last_ok_ms = max((self._known[one].until_ms for one in self.paths if one in self._known), default=None)

    def learn(self, gaps: Iterable[Gap], others: Mapping[int, Listened], now_ms: int) -> None:
        """Take outages and listening times from the store, keeping newer listening times that `heard` has set
        already."""
        self.heard(others)
        shown = {number: row for number, row in self._known.items() if number in self._shown(now_ms)}
        super().learn(gaps, shown, now_ms)
        self.heard({})

    def deaf(self, now_ms: int, shard: int | None = None) -> list[str]:
        """Return the names of the nodes on which we are not listening: of the given path only, or of all paths if it is
        not in use or None."""
        shown = self._shown(now_ms)
        paths = {number: name for number, name in shown.items() if number == shard} or shown
        return deaf(self._known, paths, now_ms)

    def shard_listened_ms(self, shard: int, now_ms: int) -> int | None:
        """Return the total listening time of a path as last stored, in ms, or None if there is no such path."""
        row = self._known.get(shard)
        return None if row is None else row.total_ms

    def listened_ms(self, now_ms: int) -> int:
        """Return the time for which all paths were listening at once, in ms."""
        return self.shard_listened_ms(EVERY, now_ms) or 0

    def listened_at_most_ms(self, now_ms: int) -> int:
        """Return `listened_ms`. The upper bound is computed in the store, with the contact (store/paths.py)."""
        return self.listened_ms(now_ms)

    def open_gaps(self, now_ms: int) -> dict[int, Gap]:
        """Return the outages that have not ended, by path."""
        shown = [path for path in self._shown(now_ms) if path in self._known]
        found = {path: gap_between(self._known[path].until_ms, now_ms) for path in shown}
        return {path: gap for path, gap in found.items() if gap is not None}

    def _shown(self, now_ms: int) -> Mapping[int, str]:
        """Return the paths in use. OCPP is one of them, unless its canary has not come for GIVEN_UP_MS."""
        doors = self._known.get(OCPP)
        is_given_up = doors is None or now_ms - doors.until_ms > GIVEN_UP_MS
        return self.paths if is_given_up else {**self.paths, OCPP: OCPP_NAME}
