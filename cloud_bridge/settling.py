"""What a session leaves open, found soon after it has ended: the meter before it and after it, and which vehicle was charged.

A unit tells the energy of a session, and its meter with each heartbeat; these are kept for two days (store/upkeep.py), and a
monthly report is wanted for years. So the two readings are found while they are there: one from shortly before the session and
one from shortly after it, whose difference is the energy that the unit has told. Where no two are that, nothing is said.

The vehicle is the one that its account has shown charging in that time, if it is the only one of the owner's. An account does
not say where it charges, and is asked every ten minutes while it does: the driver may know better (web/pages/driver).
"""

from collections.abc import Sequence
from typing import NamedTuple

from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.store.database import Database
from cloud_bridge.store.idle_vehicles import owners_power
from cloud_bridge.store.unsettled import AT_ONCE, Charge, Settled, Unsettled, charges_of, settle, unsettled_sessions
from cloud_bridge.support.running_session import PowerReading, power_readings

SETTLE_EVERY_S = 300.0
NEAR_MS = 21 * MINUTE_MS  # of an end of the session: a heartbeat of an idle unit comes each 19 minutes
CLOCKS_MS = 2 * MINUTE_MS  # by how much the unit's clock and ours may differ, and what a message takes
SETTLED_AFTER_MS = NEAR_MS + MINUTE_MS  # of its record's receipt: the heartbeat after it has come by then
ROUNDED_WH = 1


class Meter(NamedTuple):
    """In Wh, at the two ends of a session."""

    began_wh: int
    ended_wh: int


def meter_of(one: Unsettled, readings: Sequence[PowerReading]) -> Meter | None:
    """Of readings that come oldest first. None: no two of them fit the session."""
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
    """The name of the only one that was seen charging in the session."""
    names = [charge.name for charge in charges if charge.from_ms <= one.ended_ms and charge.until_ms >= one.began_ms]
    return names[0] if len(names) == 1 else None


def settle_sessions(database: Database, now_ms: int) -> int:
    """All that can be by now, some in each transaction. Returns how many. Raises SQLAlchemyError."""
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
