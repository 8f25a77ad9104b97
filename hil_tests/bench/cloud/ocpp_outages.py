"""Outages of the cloud in virtual time, as OCPP chargers see them.

Is a charger shown as silent although it sent whenever it could, or as in contact although it was not? For how long is a
half-open connection shown as connected? One process with a broker beside the OCPP listener, and a cluster with two
listeners behind a proxy. The outages are kills, restarts, a port that receives nothing while the rest runs, and a
database that is away.
"""

import random
from enum import Enum

from cloud_bridge.contact import (
    OUTAGE_AFTER_MS,
    SILENT_AFTER_MS,
    Contact,
    Listened,
    StoredContact,
    UptimeLedger,
    judge,
    on_clock_of_now,
)
from cloud_bridge.ingest.ocpp.beats import GONE_AFTER_S, LOOK_EVERY_S, Beats
from cloud_bridge.ingest.ocpp.line import Do, Line
from cloud_bridge.ingest.ways_in import MQTT, OCPP, WaysIn
from cloud_bridge.paths import OCPP as DOORS
from cloud_bridge.paths import heard_at_doors

OUTAGES = 200
SHORTEST_MS, LONGEST_MS = 1000, 60 * 60 * 1000
HEARTBEAT_MS = 300_000
CANARY_MS = 5000
CHARGERS = 5
SEED = 20261127
STEP_MS = 1000
HALF_OPEN_S = 30 * 60


class Outage(Enum):
    """The kind of an outage of the cloud."""

    KILLED = "killed"
    RESTARTED = "restarted"
    DEAF_PORT = "deaf port"
    NO_DATABASE = "database away"


class _Tally:
    """The counts of all verdicts."""

    def __init__(self) -> None:
        self.looks = self.silences = self.contacts = 0

    def look(self, stored: StoredContact | None, spoke_ms: int, listened_ms: int, now_ms: int) -> None:
        """Judge one charger. `spoke_ms` is when the cloud really received its last message."""
        self.looks += 1
        last = None if stored is None else on_clock_of_now(stored, listened_ms, now_ms)
        self.silences += judge(last, now_ms).contact is Contact.SILENT
        self.contacts += last is not None and not last.is_estimated and last.at_ms > spoke_ms


def ocpp_outages() -> bool:
    """Run 200 outages of each form of the product, and a half-open connection. Return True if all hold."""
    held = True
    for title, live in (("one process", _one_process), ("two doors", _two_doors)):
        tally = live(random.Random(SEED))
        print(
            f"{title}: {OUTAGES} outages of ours, 1 s to 60 min, {CHARGERS} chargers, {tally.looks:,} looks: ", end=""
        )
        print(f"{tally.silences} false silence, {tally.contacts} false contact (seed {SEED})")
        held = held and tally.silences == tally.contacts == 0
    return _half_open() and held


def _one_process(dice: random.Random) -> _Tally:
    """Simulate the OCPP listener beside a broker, with a canary through each."""
    tally, ledger, ways = _Tally(), UptimeLedger(), WaysIn()
    ways.expect(OCPP)
    last: list[StoredContact | None] = [None] * CHARGERS
    spoke_ms = [0] * CHARGERS
    next_ms = [dice.randrange(HEARTBEAT_MS) for _ in last]
    now_ms = canary_ms = 0
    for _ in range(OUTAGES):
        outage = dice.choice(list(Outage))
        up_until_ms = now_ms + dice.randrange(60_000, 40 * 60_000)
        down_until_ms = up_until_ms + dice.randrange(SHORTEST_MS, LONGEST_MS)
        while now_ms < down_until_ms:
            now_ms += STEP_MS
            is_up = now_ms < up_until_ms
            if now_ms >= canary_ms:
                canary_ms = now_ms + CANARY_MS
                marks = [MQTT, OCPP] if is_up else [MQTT] if outage is Outage.DEAF_PORT else []
                for way in marks:
                    until_ms = ways.came(way, now_ms)
                    if until_ms is not None and now_ms - until_ms <= OUTAGE_AFTER_MS:
                        ledger.heartbeat_ok(until_ms)
            for number in range(CHARGERS):
                if now_ms >= next_ms[number]:
                    next_ms[number] = now_ms + HEARTBEAT_MS
                    if is_up:
                        last[number] = StoredContact(now_ms, ledger.listened_at_most_ms(now_ms), now_ms)
                        spoke_ms[number] = now_ms
                tally.look(last[number], spoke_ms[number], ledger.listened_ms(now_ms), now_ms)
    return tally


def _two_doors(dice: random.Random) -> _Tally:
    """Simulate two listeners. A charger whose listener is gone connects to the other. A charger that the proxy sends to
    a deaf listener is not received. The database is away for both."""
    tally, path = _Tally(), Listened(0, 0, 0)
    beats, counts, marks_ms = Beats(), {"a": 0, "b": 0}, {"a": 0, "b": 0}
    last: list[StoredContact | None] = [None] * CHARGERS
    spoke_ms = [0] * CHARGERS
    next_ms = [dice.randrange(HEARTBEAT_MS) for _ in last]
    now_ms = 0
    for _ in range(OUTAGES):
        outage = dice.choice(list(Outage))
        up_until_ms = now_ms + dice.randrange(60_000, 40 * 60_000)
        down_until_ms = up_until_ms + dice.randrange(SHORTEST_MS, LONGEST_MS)
        while now_ms < down_until_ms:
            now_ms += STEP_MS
            is_up = now_ms < up_until_ms
            lives = is_up or outage is Outage.DEAF_PORT
            has_store = is_up or outage is not Outage.NO_DATABASE
            if has_store and now_ms % int(LOOK_EVERY_S * 1000) == 0:
                counts["a"] += 1
                if lives:
                    counts["b"] += 1
                    marks_ms.setdefault("b", now_ms)  # its heartbeat brings it back
                standing = {name: beat for name, beat in counts.items() if name != "a" and name in marks_ms}
                for name in beats.gone(standing, now_ms / 1000):
                    marks_ms.pop(name)
            if has_store and now_ms % CANARY_MS == 0:
                marks_ms["a"] = now_ms
                if is_up and "b" in marks_ms:
                    marks_ms["b"] = now_ms
                path = heard_at_doors(path, list(marks_ms.values()), now_ms, now_ms).rows.get(DOORS, path)
            for number in range(CHARGERS):
                if now_ms >= next_ms[number]:
                    next_ms[number] = now_ms + HEARTBEAT_MS
                    at_deaf_door = not is_up and outage is Outage.DEAF_PORT and number % 2 == 0
                    if has_store and not at_deaf_door:
                        by_then_ms = path.total_ms + min(now_ms - path.until_ms, 2 * OUTAGE_AFTER_MS)
                        last[number] = StoredContact(now_ms, by_then_ms, now_ms, DOORS)
                        spoke_ms[number] = now_ms
                tally.look(last[number], spoke_ms[number], path.total_ms, now_ms)
    return tally


def _half_open() -> bool:
    """Simulate a charger whose supply was cut, so that no close arrives."""
    worst_s = 0.0
    for answers_pings in (True, False):
        line, now_s, cut_s = Line(0.0), 0.0, 1800.0
        while line.look(now_s) is not Do.CLOSE:
            if now_s < cut_s and now_s % 60 == 0:
                line.frame(now_s)
            if now_s < cut_s and now_s % 300 == 0 and answers_pings:
                line.sign(now_s, is_pong=True)
            now_s += 1
        worst_s = max(worst_s, now_s - cut_s)
    still_ms = int(HALF_OPEN_S * 1000)
    verdict = judge(on_clock_of_now(StoredContact(0, 0, 0), still_ms + 1, still_ms + 1), still_ms + 1).contact
    print(
        f"half-open: shown as connected for {worst_s:.0f} s at most, and {verdict} after {SILENT_AFTER_MS // 60_000} min;",
        end="",
    )
    print(f" a door that was killed leaves its chargers connected for {GONE_AFTER_S + 2 * LOOK_EVERY_S:.0f} s")
    return worst_s < HALF_OPEN_S and verdict is Contact.SILENT
