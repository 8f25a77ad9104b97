"""Are meter readings and vehicle found for a session if possible, and nothing shown if they do not fit?"""

import json
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.settling import SETTLED_AFTER_MS, Meter, meter_of, settle_sessions, vehicle_of
from cloud_bridge.store.claims import claim
from cloud_bridge.store.database import Database
from cloud_bridge.store.people import Role, add_person, find_person
from cloud_bridge.store.record import record
from cloud_bridge.store.tables import sessions
from cloud_bridge.store.units import add_unit
from cloud_bridge.store.unsettled import AT_ONCE, Charge, Unsettled
from cloud_bridge.store.vehicle_tables import vehicles
from cloud_bridge.store.vehicles import set_reading
from cloud_bridge.support.running_session import PowerReading
from tests.cloud_bridge.recording import inbound
from tests.cloud_bridge.running import START_MS

BEGAN_MS, ENDED_MS = START_MS + HOUR_MS, START_MS + 3 * HOUR_MS
SESSION = Unsettled(1, "cp-1", 1, BEGAN_MS, ENDED_MS, 7000)


def reading(at_ms: int, total_wh: int | None) -> PowerReading:
    return PowerReading(at_ms, False, 0, total_wh)


@pytest.mark.parametrize(
    ("readings", "found"),
    [
        ([reading(BEGAN_MS - 60_000, 100_000), reading(ENDED_MS + 60_000, 107_000)], Meter(100_000, 107_000)),
        ([reading(BEGAN_MS - 60_000, 100_000), reading(ENDED_MS + 60_000, 107_001)], Meter(100_000, 107_001)),
        ([reading(BEGAN_MS - 60_000, 100_000), reading(ENDED_MS + 60_000, 107_500)], None),  # includes another session
        ([reading(BEGAN_MS - HOUR_MS, 100_000), reading(ENDED_MS + 60_000, 107_000)], None),  # long before it
        ([reading(BEGAN_MS - 60_000, None), reading(ENDED_MS + 60_000, 107_000)], None),
        ([reading(BEGAN_MS - 60_000, 100_000)], None),
        ([], None),
        (  # the clocks of the two differ by a minute, and the first reading after it is that of its end
            [reading(BEGAN_MS + 60_000, 100_000), reading(ENDED_MS - 60_000, 106_990), reading(ENDED_MS, 107_000)],
            Meter(100_000, 107_000),
        ),
        ([reading(BEGAN_MS - 60_000, 107_000), reading(ENDED_MS + 60_000, 100_000)], None),  # the meter was changed
    ],
)
def test_two_readings_of_the_meter_fit_the_session_or_nothing_is_said(
    readings: list[PowerReading], found: Meter | None
) -> None:
    assert meter_of(SESSION, readings) == found


def test_a_session_without_energy_has_no_meter() -> None:
    assert meter_of(SESSION._replace(energy_wh=None), [reading(BEGAN_MS, 1), reading(ENDED_MS, 1)]) is None


@pytest.mark.parametrize(
    ("charges", "name"),
    [
        ([Charge("Zoe", BEGAN_MS + 1, BEGAN_MS + 1)], "Zoe"),
        ([Charge("Zoe", BEGAN_MS - HOUR_MS, BEGAN_MS - 1)], None),
        ([Charge("Zoe", ENDED_MS + 1, ENDED_MS + HOUR_MS)], None),
        ([Charge("Zoe", BEGAN_MS, ENDED_MS), Charge("ID.3", ENDED_MS, ENDED_MS)], None),
        ([Charge("Zoe", BEGAN_MS - DAY_MS, ENDED_MS + DAY_MS), Charge("ID.3", 0, 1)], "Zoe"),
        ([], None),
    ],
)
def test_the_vehicle_is_the_only_one_that_was_seen_charging(charges: list[Charge], name: str | None) -> None:
    assert vehicle_of(SESSION, charges) == name


# --- in the store -----------------------------------------------------------------------------------------------------


def say(database: Database, at_ms: int, kind: str, unit_id: str = "cp-3", **said: Any) -> None:
    with database.writing() as connection:
        record(connection, [inbound(unit_id, at_ms, kind, json.dumps(said).encode())])


def charge(database: Database, number: int, began_ms: int, unit_id: str = "cp-3") -> None:
    """Store a session of two hours with 7 kWh, reported at its end, with meter readings five minutes before and after."""
    ended_ms, meter_wh = began_ms + 2 * HOUR_MS, 100_000 + number * 7000
    say(database, began_ms - 5 * MINUTE_MS, "heartbeat", unit_id, s="A1", w=0, e=meter_wh)
    said = {"t0": began_ms // 1000, "t1": ended_ms // 1000, "s": 7200, "e": 7000, "i": number}
    say(database, ended_ms, "session", unit_id, b=1, n=number, **said)
    say(database, ended_ms + 5 * MINUTE_MS, "heartbeat", unit_id, s="A1", w=0, e=meter_wh + 7000)


@pytest.fixture
def home(database: Database) -> Database:
    """Ann's charger cp-3, and her vehicle."""
    with database.writing() as connection:
        code = add_unit(connection, "cp-3", START_MS).claim_code
        add_person(connection, "ann", "a hash", Role.DRIVER, START_MS)
        ann = find_person(connection, "ann")
        claim(connection, ann, code, START_MS)
        row = {"person_id": ann.id, "provider": "tesla", "car_id": "1", "vin": "5YJ", "name": "Bluebell"}
        connection.execute(insert(vehicles), row | {"created_ms": 0, "state": "linked", "since_ms": 0})
    return database


def seen(database: Database, at_ms: int, charging: bool | None) -> None:
    with database.writing() as connection:
        set_reading(connection, 1, at_ms, {} if charging is None else {"charging": charging})


def found(database: Database) -> list[tuple[Any, ...]]:
    columns = (sessions.c.meter_began_wh, sessions.c.meter_ended_wh, sessions.c.vehicle, sessions.c.unsettled)
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(sessions.c.id))]


def test_a_session_is_settled_once_what_follows_it_has_come(home: Database) -> None:
    seen(home, BEGAN_MS + HOUR_MS, True)
    charge(home, 1, BEGAN_MS)
    assert settle_sessions(home, ENDED_MS + MINUTE_MS) == 0
    assert found(home) == [(None, None, None, True)]
    assert settle_sessions(home, ENDED_MS + SETTLED_AFTER_MS) == 1
    assert found(home) == [(107_000, 114_000, "Bluebell", False)]
    assert settle_sessions(home, ENDED_MS + DAY_MS) == 0


def test_a_vehicle_that_charged_before_and_after_it_is_not_the_sessions(home: Database) -> None:
    seen(home, BEGAN_MS - HOUR_MS, True)
    seen(home, BEGAN_MS - 2 * MINUTE_MS, False)
    charge(home, 1, BEGAN_MS)
    settle_sessions(home, ENDED_MS + DAY_MS)
    charge(home, 2, BEGAN_MS + DAY_MS)
    seen(home, BEGAN_MS + 2 * DAY_MS, True)
    settle_sessions(home, ENDED_MS + 3 * DAY_MS)
    assert [row[2] for row in found(home)] == [None, None]


def test_a_charge_goes_on_from_reading_to_reading_and_a_silence_ends_it(home: Database) -> None:
    spans = []
    for at_ms, charging in (
        (10, True),
        (20, True),
        (30, None),
        (40, True),
        (50, False),
        (60, True),
        (60 + DAY_MS, True),
    ):
        seen(home, START_MS + at_ms, charging)
        with home.reading() as connection:
            row = connection.execute(select(vehicles.c.charging_from_ms, vehicles.c.charging_until_ms)).one()
        spans.append((row[0] - START_MS, row[1] - START_MS))
    assert spans == [
        *((10, 10), (10, 20), (10, 20), (10, 40), (10, 40), (60, 60)),
        (60 + DAY_MS, 60 + DAY_MS),
    ]


def test_the_vehicle_of_somebody_else_is_never_named(home: Database) -> None:
    """cp-1 has no owner, and ann has had cp-3 since START_MS."""
    seen(home, BEGAN_MS + HOUR_MS, True)
    charge(home, 1, BEGAN_MS, "cp-1")
    charge(home, 2, BEGAN_MS - DAY_MS)
    settle_sessions(home, ENDED_MS + DAY_MS)
    assert [row[2] for row in found(home)] == [None, None]


def test_more_than_fit_in_one_transaction_and_rows_that_say_nothing_all_come_to_an_end(home: Database) -> None:
    with home.writing() as connection:
        some = [inbound("cp-3", ENDED_MS + n, "session", b'{"e":1,"n":%d,"b":1}' % n) for n in range(AT_ONCE + 5)]
        record(connection, some)
        connection.execute(update(sessions).where(sessions.c.id < 4).values(energy_wh=-5))
    assert settle_sessions(home, ENDED_MS + DAY_MS) == AT_ONCE + 5
    assert settle_sessions(home, ENDED_MS + DAY_MS) == 0
    assert not any(row[3] for row in found(home))
