"""Settle a session soon after it has ended: find its two meter readings and the vehicle that was charged.

A unit reports the energy of a session, and its meter with each heartbeat. Heartbeats are kept for two days
(store/upkeep.py), and monthly reports need the readings for years. So the readings are looked up while they are stored:
one from shortly before the session and one from shortly after it, whose difference is the reported energy. If no two
fit, none are stored.

The vehicle is the only one of the owner's whose account showed it charging during the session. An account does not tell
where the vehicle charges, and is polled every ten minutes while it does, so the driver may correct this
(web/pages/driver).
"""

from collections.abc import Sequence
from typing import NamedTuple

from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.store.database import Database
from cloud_bridge.store.idle_vehicles import owners_power
from cloud_bridge.store.unsettled import AT_ONCE, Charge, Settled, Unsettled, charges_of, settle, unsettled_sessions
from cloud_bridge.support.running_session import PowerReading, power_readings

SETTLE_EVERY_S = 300.0
NEAR_MS = 21 * MINUTE_MS  # from start or end of the session; an idle unit sends a heartbeat every 19 minutes
CLOCKS_MS = 2 * MINUTE_MS  # allowance for the difference of the unit's clock and ours, and for a message's delay
SETTLED_AFTER_MS = NEAR_MS + MINUTE_MS  # after receipt of the record: the next heartbeat has come by then
ROUNDED_WH = 1


class Meter(NamedTuple):
    """The meter readings at the start and the end of a session, in Wh."""

    began_wh: int
    ended_wh: int


def meter_of(one: Unsettled, readings: Sequence[PowerReading]) -> Meter | None:
    """Return the two readings whose difference is the session's energy, or None. `readings` are sorted oldest first."""
    if one.energy_wh is None:
        return None
    before = [r.total_wh for r in readings if -NEAR_MS <= r.at_ms - one.began_ms <= CLOCKS_MS]
    after = [r.total_wh for r in readings if -CLOCKS_MS <= r.at_ms - one.ended_ms <= NEAR_MS]
    for began_wh in reversed(before):
        for ended_wh in after:
            if began_wh is None or ended_wh is None:
                continue
            if abs(ended_wh - began_wh - one.energy_wh) <= ROUNDED_WH:
                return Meter(began_wh, ended_wh)
    return None


def vehicle_of(one: Unsettled, charges: Sequence[Charge]) -> str | None:
    """Return the name of the only vehicle that was seen charging during the session, or None."""
    names = [charge.name for charge in charges if charge.from_ms <= one.ended_ms and charge.until_ms >= one.began_ms]
    return names[0] if len(names) == 1 else None


def settle_sessions(database: Database, now_ms: int) -> int:
    """Settle all sessions that are ready for it, in transactions of AT_ONCE. Return their number. Raises
    SQLAlchemyError."""
    done = 0
    while True:
        with database.reading() as connection:
            some = unsettled_sessions(connection, now_ms - SETTLED_AFTER_MS)
            found = []
            for one in some.readable:
                rows = owners_power(connection, one.unit_id, one.began_ms - NEAR_MS, one.ended_ms + NEAR_MS)
                charges = [] if one.owner_id is None else charges_of(connection, one.owner_id)
                began_wh, ended_wh = meter_of(one, power_readings(rows)) or (None, None)
                found.append(Settled(one.id, began_wh, ended_wh, vehicle_of(one, charges)))
        with database.writing() as connection:
            settle(connection, [*found, *(Settled(session_id) for session_id in some.unreadable)])
        done += len(some.readable) + len(some.unreadable)
        if len(some.readable) + len(some.unreadable) < AT_ONCE:
            return done
