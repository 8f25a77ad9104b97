"""A month of history for the demo's unit: signal, two silences, sessions, and the events that explain them.

The history is what the cloud would have if the unit had been there. It is random by a seed, so the same day gives the
same month. It is written directly into the SQLite store, and once: a unit would take a month to send it.
"""

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
BUCKET_MS = 5 * MINUTE_MS  # of signal_5min
DAYS = 30
CHARGING_W = 7_360
HOME, WEAK = "23415", "23430"  # PLMN of hil_tests/sim/modem/radio.HERE
ROAMED_DAYS_AGO = 12  # from the weak network to the other
TARIFF = (2450, 700, 30, 5 * 60 + 30)  # hundredths of a penny per kWh by day and off-peak, from 00:30 to 05:30
SILENCES = ((21, 47 * MINUTE_MS), (9, 2 * HOUR_MS + 40 * MINUTE_MS))  # days ago, length


class Month(NamedTuple):
    """Rows for the tables of the same names, without the unit's id."""

    signal_5min: list[tuple[int, str, int, int, int, int]]  # from_ms, operator, lowest, highest, total, samples
    contact_gaps: list[tuple[int, int]]
    sessions: list[dict[str, Any]]  # in the unit's format, plus `received_ms`
    events: list[dict[str, Any]]

    @property
    def energy_wh(self) -> int:
        """The energy of all sessions, which the unit's meter has counted."""
        return sum(session["e"] for session in self.sessions)


def month_before(now_ms: int, seed: int = 0) -> Month:
    """Create the month that ends an hour before `now_ms`. Pure."""
    chance = random.Random(seed)
    end_ms = now_ms - HOUR_MS
    begin_ms = now_ms - DAYS * DAY_MS
    gaps = [(now_ms - days * DAY_MS, now_ms - days * DAY_MS + length_ms) for days, length_ms in SILENCES]
    roamed_ms = now_ms - ROAMED_DAYS_AGO * DAY_MS
    signal = []
    for at_ms in range(begin_ms // BUCKET_MS * BUCKET_MS, end_ms, BUCKET_MS):
        if any(from_ms - BUCKET_MS < at_ms < to_ms for from_ms, to_ms in gaps):
            continue
        operator, usual = (WEAK, 12) if at_ms < roamed_ms else (HOME, 21)
        csq = usual + chance.choice((-1, 0, 0, 0, 1))
        signal.append((at_ms, operator, csq - 1, csq + 1, csq * 5, 5))
    sessions = [session for days in range(DAYS, 0, -1) for session in _session(now_ms - days * DAY_MS, chance, end_ms)]
    events = sorted([*_events(now_ms, roamed_ms)], key=lambda event: int(event["received_ms"]))
    return Month(signal, gaps, sessions, events)


def _session(day_ms: int, chance: random.Random, end_ms: int) -> list[dict[str, Any]]:
    """Return the session of the following night, if any: on most evenings the car is plugged in, and off-peak hours
    begin at 00:30."""
    if chance.random() < 0.25:
        return []
    midnight_ms = (day_ms // DAY_MS + 1) * DAY_MS
    start_ms = midnight_ms - chance.randint(4 * 60, 6 * 60) * MINUTE_MS
    stop_ms = midnight_ms + chance.randint(7 * 60, 8 * 60) * MINUTE_MS
    if stop_ms > end_ms:
        return []
    charged_s = chance.randint(60 * 60, 4 * 60 * 60)
    return [
        {
            "received_ms": stop_ms,
            "t": stop_ms // 1000,
            "t0": start_ms // 1000,
            "t1": stop_ms // 1000,
            "s": charged_s,
            "e": CHARGING_W * charged_s // 3600,
            "y": "unplugged",
        }
    ]


def _events(now_ms: int, roamed_ms: int) -> list[dict[str, Any]]:
    def event(at_ms: int, kind: str, **details: Any) -> dict[str, Any]:
        return {"received_ms": at_ms, "t": at_ms // 1000, "k": kind, "d": details}

    (short_days, short_ms), (long_days, long_ms) = SILENCES
    short_end_ms = now_ms - short_days * DAY_MS + short_ms
    long_end_ms = now_ms - long_days * DAY_MS + long_ms
    warm_ms = now_ms - 16 * DAY_MS
    return [
        event(short_end_ms, "boot", cause="power_on", v="0.1.0"),  # a person switched it off and on
        event(warm_ms, "fault_raised", fault="supply_low"),
        event(warm_ms + 4 * MINUTE_MS, "fault_cleared", fault="supply_low", by="cause gone"),
        event(roamed_ms - MINUTE_MS, "networks", **{HOME: 21, WEAK: 12, "23410": 17}),
        event(roamed_ms, "network", do="switch", o=HOME, why=f"{WEAK} is poor; {HOME} has CSQ 21"),
        event(long_end_ms, "network", do="supply cut", why="the modem does not answer"),
    ]


def write_month(database: Path, unit_id: str, month: Month, now_ms: int) -> None:
    """Write the month into the store of a bridge, which may run. The unit's owner becomes the owner since its start.
    Raises sqlite3.Error."""
    since_ms = now_ms - DAYS * DAY_MS
    with closing(sqlite3.connect(database, timeout=10)) as store, store:
        store.executemany(
            "INSERT INTO signal_5min (chunk, unit_id, from_ms, operator, lowest, highest, total, samples)"
            f" VALUES (?2 / {DAY_MS}, ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            [(unit_id, *row) for row in month.signal_5min],
        )
        store.executemany(
            "INSERT INTO contact_gaps (unit_id, from_ms, to_ms) VALUES (?, ?, ?)",
            [(unit_id, *gap) for gap in month.contact_gaps],
        )
        store.executemany(
            "INSERT INTO sessions (unit_id, received_ms, unit_time_s, payload, started_s, ended_s, duration_s, energy_wh,"
            " reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (unit_id, at_ms, told["t"], json.dumps(told), *(told[key] for key in ("t0", "t1", "s", "e", "y")))
                for at_ms, told in map(_received, month.sessions)
            ],
        )
        store.executemany(
            "INSERT INTO events (unit_id, received_ms, unit_time_s, payload, kind) VALUES (?, ?, ?, ?, ?)",
            [(unit_id, at_ms, told["t"], json.dumps(told), told["k"]) for at_ms, told in map(_received, month.events)],
        )
        store.execute(
            "UPDATE units SET created_ms = ?1, claimed_ms = ?1, first_owned_ms = ?1, owned_from_ms = ?1, first_contact_ms = ?1"
            " WHERE id = ?2",
            (since_ms, unit_id),
        )
        store.execute(
            "INSERT INTO tariffs (unit_id, rate, off_peak_rate, off_peak_from, off_peak_to) VALUES (?, ?, ?, ?, ?)",
            (unit_id, *TARIFF),
        )
        store.execute("UPDATE ownerships SET from_ms = ? WHERE unit_id = ?", (since_ms, unit_id))


def _received(record: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Return when a record was received, and the unit's message."""
    told = dict(record)
    return told.pop("received_ms"), told
