"""Is the schedule in force the latest that the unit has accepted, by our command or on its console?"""

import json
from typing import Any

import pytest

from cloud_bridge.store.commands import NewCommand, add_command
from cloud_bridge.store.people import find_person
from cloud_bridge.store.schedules import schedule_in_force, schedules, sessions_charged_now
from cloud_bridge.store.units import Unit as StoredUnit
from cloud_bridge.store.units import visible_unit
from tests.cloud_bridge.people import unit_of
from tests.cloud_bridge.running import START_MS, Bridge


class House:
    """Dora's charger, which gets its hours from the cloud and on its console."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge, self.unit = bridge, unit_of(bridge, "dora")
        self._number = 0

    def commanded(self, hours: str, boot: int, number: int, ok: bool = True) -> None:
        self._number += 1
        name = f"c-{self._number}"
        payload = json.dumps({"id": name, "do": "schedule", "hours": hours})
        with self.bridge.app_state.database.writing() as connection:
            person_id = find_person(connection, "dora").id
            command = NewCommand(name, "home-1", person_id, START_MS, START_MS, "schedule", payload)
            add_command(connection, command)
        self._publish("result", n=number, b=boot, id=name, ok=ok, **{} if ok else {"y": "bad hours"})

    def on_console(self, hours: Any, boot: int, number: int) -> None:
        self._publish("event", n=number, b=boot, k="schedule", d={"to": hours})

    def charged_now(self, session: Any, number: int) -> None:
        self._publish("event", n=number, b=1, k="override", d={"session": session})

    def _publish(self, kind: str, **message: Any) -> None:
        self.unit.publish(f"cp/home-1/{kind}", json.dumps(message).encode())
        self.bridge.clock.advance(1000)

    @property
    def stored(self) -> StoredUnit:
        with self.bridge.app_state.database.reading() as connection:
            unit = visible_unit(connection, find_person(connection, "dora"), "home-1")
        assert unit is not None
        return unit

    def in_force(self) -> str | None:
        with self.bridge.app_state.database.reading() as connection:
            return schedule_in_force(connection, self.stored.period)


@pytest.fixture
def house(bridge: Bridge) -> House:
    return House(bridge)


def test_nothing_is_in_force_before_the_unit_has_told_of_any(house: House) -> None:
    assert house.in_force() is None
    house.commanded("default", 1, 1, ok=False)
    assert house.in_force() is None


def test_the_console_counts_as_a_command_does(house: House) -> None:
    house.commanded("default", 1, 5)
    house.on_console("off", 1, 6)
    assert house.in_force() == "off"
    house.commanded("mon-sun 05:30-23:30", 1, 7)
    assert house.in_force() == "mon-sun 05:30-23:30"


def test_a_record_that_comes_late_is_older_by_the_unit_s_own_count(house: House) -> None:
    house.commanded("default", 4, 9)
    house.on_console("off", 4, 3)
    assert house.in_force() == "default"
    house.on_console("mon 08:00-09:00", 1, 1)  # of another board, whose count starts again
    assert house.in_force() == "mon 08:00-09:00"
    with house.bridge.app_state.database.reading() as connection:
        found = [one.hours for one in schedules(connection, house.stored.period)]
    assert found == ["off", "default", "mon 08:00-09:00"]


def test_what_is_no_text_is_none(house: House) -> None:
    house.on_console(7, 1, 1)
    assert house.in_force() is None


def test_sessions_in_which_the_hours_were_set_aside(house: House) -> None:
    for number, session in enumerate((7, 9, "x", None)):
        house.charged_now(session, number)
    with house.bridge.app_state.database.reading() as connection:
        assert sessions_charged_now(connection, house.stored.period, 0) == {7, 9}
        assert sessions_charged_now(connection, house.stored.period, START_MS + 10**9) == set()
