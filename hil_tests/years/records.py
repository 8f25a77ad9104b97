"""Checks of stored records: each acknowledged record is stored once, under its own number, and shown only to its owner."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from hil_tests.years.circumstances import Circumstances
from hil_tests.years.faults import BOARD, CLOUD, FLASH, HOUR, NETWORK, SUPPLY, TIME
from hil_tests.years.mission import ONCE, OWNERS

OPENING_TOLD_S = 60
TOLD_WITHIN_S = 2 * HOUR  # for a record, once nothing is wrong
ADDED_LATER = ("t", "t0", "t1")  # absent while the unit does not know the time
KINDS = ("event", "session", "result")


class Records:
    """`_openings` of the enclosure: when, and the number of starts by then if the flash refused the record."""

    def __init__(self, watch: Circumstances) -> None:
        self._watch, self._world = watch, watch.world
        self._openings: list[tuple[float, int | None]] = []
        # By kind, boot and number: when the record first arrived, and its content.
        self._first: dict[tuple[str, Any, Any], tuple[float, str]] = {}

    def opened(self) -> None:
        """Expect a record of an opening of the enclosure, if the unit is well at this time.

        If the flash refuses the record, it is only in memory and lasts until the next start of the unit.
        """
        watch, now_s = self._watch, self._world.loop.time()
        if not self._world.processor.running or watch.well_for_s(SUPPLY, BOARD) <= OPENING_TOLD_S:
            return
        if watch.well_for_s(FLASH) > OPENING_TOLD_S:
            self._openings.append((now_s, None))
        elif watch.lasting[FLASH] > 0:
            self._openings.append((now_s, len(self._world.processor.resets)))

    def published(self, kind: str, said: dict[str, Any]) -> None:
        """Check a record that arrives. It may be a repeated delivery."""
        if kind not in KINDS:
            return
        essence = json.dumps({key: value for key, value in said.items() if key not in ADDED_LATER}, sort_keys=True)
        key = kind, said.get("b"), said.get("n")
        _, before = self._first.setdefault(key, (self._world.loop.time(), essence))
        if before != essence:
            self._watch.break_(ONCE, f"two {kind}s have the same number: {before} and {essence}")

    def look(self) -> None:
        """Check what the present owner is shown."""
        world, watch = self._world, self._watch
        if world.owners.present is None or world.bridge.database_away:
            return
        since_s = world.owners.since_s
        for said in world.owners.shown():
            kind = "session" if "e" in said else "event"
            heard_s, _ = self._first.get((kind, said.get("b"), said.get("n")), (since_s, ""))
            began_s = said.get("t0", said.get("t"))
            is_early = began_s is not None and began_s < world.time.epoch_s + since_s - 1
            if heard_s < since_s or (is_early and TIME not in watch.touched_s and not watch.lasting[TIME]):
                watch.break_(OWNERS, f"the owner since {since_s} s is shown an earlier record: {said}")
                return

    # At the end.

    def end(self) -> None:
        for kind in KINDS:
            self._stored(kind)
        events = self._world.bridge.rows("events", self._world.unit_id)
        told = sum(said.get("k") == "tamper" and said["d"].get("open") is True for said in events)
        due = len(list(self._due()))
        if told < due and self._watch.well_for_s(NETWORK, CLOUD, SUPPLY, FLASH) > TOLD_WITHIN_S:
            self._watch.break_(
                ONCE, f"the enclosure was opened at least {due} times, but the database has {told} of them"
            )
        if self._world.bridge.counters.identity_returns:
            self._watch.break_(ONCE, "the bridge took one unit for two")

    def _due(self) -> Iterator[float]:
        starts = len(self._world.processor.resets)
        for at_s, starts_then in self._openings:
            if at_s < self._world.loop.time() - TOLD_WITHIN_S and starts_then in (None, starts):
                yield at_s

    def _stored(self, kind: str) -> None:
        world = self._world
        acknowledged = Counter(
            (said.get("b"), said.get("n"))
            for unit, of, payload in world.broker.acknowledged
            if of == kind
            for said in [json.loads(payload)]
        )
        rows = Counter((said.get("b"), said.get("n")) for said in world.bridge.rows(f"{kind}s", world.unit_id))
        missing, twice = set(acknowledged) - set(rows), [key for key, count in rows.items() if count > 1]
        if missing:
            self._watch.break_(ONCE, f"{len(missing)} acknowledged {kind}s are not stored: {sorted(missing)[:3]}")
        if twice:
            self._watch.break_(ONCE, f"{len(twice)} {kind}s are stored twice")
