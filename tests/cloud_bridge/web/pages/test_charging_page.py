"""Does a command reach the charger in the right form, and does the page show the charger's own answer?"""

import json
from typing import Any

import pytest
from sqlalchemy import update

from cloud_bridge.store.access import Role
from cloud_bridge.store.commands import ANSWER_MS, NewCommand, add_command
from cloud_bridge.store.people import find_person
from cloud_bridge.store.sites import describe_site
from cloud_bridge.store.tables import heartbeats
from tests.cloud_bridge.people import Visitor, entrust, unit_of
from tests.cloud_bridge.running import DEADLINE_S, START_MS, Bridge, Unit, sample
from tests.wire_schema import complaints

PAGE = "/charge-points/home-1/charging"
HOUR_S = 3600


@pytest.fixture
def unit(bridge: Bridge) -> Unit:
    """Dora's unit, connected and subscribed."""
    unit = unit_of(bridge, "dora")
    unit.subscribe("cp/home-1/command")
    unit.publish("cp/home-1/heartbeat", sample("heartbeat-idle"))
    return unit


def heard(unit: Unit) -> dict[str, Any]:
    """Return the command that the charger received."""
    assert unit.heard.wait(DEADLINE_S)
    command: Any = unit.commands[0]
    assert complaints("command", command) == []
    return dict(command)


@pytest.fixture
def driver(bridge: Bridge, unit: Unit) -> Visitor:
    return Visitor(bridge, "dora")


def test_a_limit_reaches_the_charger_with_its_end(unit: Unit, driver: Visitor) -> None:
    said = driver.post(f"{PAGE}/limit", PAGE, amps=16, hours=2).text
    assert "At most 16 A until Thu 1 Jan, 02:00" in said
    assert "Waiting for your charger" in said
    command = heard(unit)
    assert {key: command[key] for key in ("do", "amps", "exp")} == {
        "do": "limit",
        "amps": 16,
        "exp": START_MS // 1000 + 2 * HOUR_S,
    }


def test_the_end_is_on_the_clock_of_a_unit_that_another_process_hears(
    bridge: Bridge, unit: Unit, driver: Visitor
) -> None:
    ahead = {"b": 4, "n": 9, "s": "A1", "t": START_MS // 1000 + HOUR_S}
    stored = {"payload": json.dumps(ahead, separators=(",", ":")), "received_ms": START_MS}
    with bridge.app_state.database.writing() as connection:
        connection.execute(update(heartbeats).where(heartbeats.c.unit_id == "home-1").values(stored))
    bridge.app_state.live.unit("home-1").heartbeat_ms = None  # this process has not received it
    driver.post(f"{PAGE}/limit", PAGE, amps=16, hours=2)
    assert heard(unit)["exp"] == START_MS // 1000 + 3 * HOUR_S


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ('"ok":true', "Your charger has accepted it"),
        ('"ok":false,"y":"time unknown"', "refused it: it does not know the time yet"),
        ('"ok":false,"y":"<b>odd"', "refused it: &lt;b&gt;odd"),
    ],
)
def test_the_answer_is_the_charger_s_own(bridge: Bridge, unit: Unit, driver: Visitor, answer: str, words: str) -> None:
    driver.post(f"{PAGE}/pause", PAGE, hours=1)
    unit.publish("cp/home-1/result", f'{{"n":9,"b":4,"id":"{heard(unit)["id"]}",{answer}}}'.encode())
    bridge.until(lambda: words in driver.get(PAGE), "shown")


def test_a_charger_that_does_not_answer_is_said_so(bridge: Bridge, driver: Visitor) -> None:
    driver.post(f"{PAGE}/resume", PAGE)
    bridge.clock.advance(ANSWER_MS + 1)
    assert "has not answered" in driver.get(PAGE)


def test_a_charger_without_connection_is_not_promised_anything(bridge: Bridge, unit: Unit, driver: Visitor) -> None:
    unit.disconnect()
    bridge.until(lambda: not bridge.read("home-1")["connected"], "gone")
    assert "Not sent: your charger has no connection now" in driver.post(f"{PAGE}/pause", PAGE, hours=1).text
    bridge.clock.advance(31 * 60_000)
    assert "Your charger cannot hear us now" in driver.get(PAGE)


def test_a_schedule_is_in_force_once_the_charger_has_taken_it(bridge: Bridge, unit: Unit, driver: Visitor) -> None:
    assert "We suggest any time but weekday peaks" in driver.get(PAGE)
    driver.post(f"{PAGE}/schedule", PAGE, choice="default")
    assert "Not chosen from here yet" in driver.get(PAGE)
    unit.publish("cp/home-1/result", f'{{"n":9,"b":4,"id":"{heard(unit)["id"]}","ok":true}}'.encode())
    bridge.until(lambda: "Not chosen" not in driver.get(PAGE), "in force")
    assert heard(unit)["hours"] == "default"


OWN = {"choice": "own", "weekday_from_0": "23:30", "weekday_to_0": "05:30"}


def test_a_window_across_midnight_reaches_the_charger_and_comes_back(
    bridge: Bridge, unit: Unit, driver: Visitor
) -> None:
    driver.post(f"{PAGE}/schedule", PAGE, **OWN, same="true")
    command = heard(unit)
    assert command["hours"] == "mon-sun 05:30-23:30"
    unit.publish("cp/home-1/result", f'{{"n":9,"b":4,"id":"{command["id"]}","ok":true}}'.encode())
    bridge.until(lambda: '<p class="now">Every day, 23:30 to 05:30</p>' in driver.get(PAGE), "in force")
    page = driver.get(PAGE)
    assert 'name="weekday_from_0" value="23:30"' in page and 'name="weekday_to_0" value="05:30"' in page
    assert 'name="same" value="true" checked' in page


def test_hours_with_an_error_stay_as_they_were_typed_and_nothing_is_sent(unit: Unit, driver: Visitor) -> None:
    answer = driver.post(f"{PAGE}/schedule", PAGE, **OWN, weekday_from_1="13:00")
    assert answer.status_code == 422
    assert 'name="weekday_from_0" value="23:30">' in answer.text and 'value="13:00">' in answer.text
    assert 'name="weekday_to_1" value="" aria-invalid="true"' in answer.text
    assert 'id="problem-weekday_to_1">Enter both times, such as' in answer.text
    assert 'name="same" value="true">' in answer.text and "<details open>" in answer.text
    assert unit.commands == []


def test_hours_of_an_older_version_are_told_as_what_is_in_force(bridge: Bridge, unit: Unit, driver: Visitor) -> None:
    old = {"id": "c-old", "do": "schedule", "hours": "mon-fri 08:00-11:00"}
    with bridge.app_state.database.writing() as connection:
        person_id = find_person(connection, "dora").id
        add_command(
            connection, NewCommand("c-old", "home-1", person_id, START_MS, START_MS, "schedule", json.dumps(old))
        )
    unit.publish("cp/home-1/result", b'{"n":9,"b":4,"id":"c-old","ok":true}')
    bridge.until(lambda: "Any time, but not 08:00 to 11:00 on weekdays" in driver.get(PAGE), "in force")


def test_hours_that_were_set_on_the_console_are_told(bridge: Bridge, unit: Unit, driver: Visitor) -> None:
    unit.publish("cp/home-1/event", b'{"n":8,"b":4,"k":"schedule","d":{"to":"mon-sun 05:30-23:30"}}')
    bridge.until(lambda: "Every day, 23:30 to 05:30" in driver.get(PAGE), "in force")


def test_a_charger_in_another_time_zone_says_that_it_keeps_british_time(bridge: Bridge, driver: Visitor) -> None:
    assert "British time" not in driver.get(PAGE)
    with bridge.app_state.database.writing() as connection:
        describe_site(connection, "home-1", "", "Europe/Paris")
    assert "The charger keeps British time, where it is Thu 1 Jan, 00:00" in driver.get(PAGE)


def test_charge_now_is_sent_and_taken_back(bridge: Bridge, unit: Unit, driver: Visitor) -> None:
    assert "Waiting for your charger" in driver.post(f"{PAGE}/override", PAGE, on="true").text
    command = heard(unit)
    assert {key: command[key] for key in ("do", "on")} == {"do": "override", "on": True}
    unit.publish("cp/home-1/result", f'{{"n":9,"b":4,"id":"{command["id"]}","ok":false,"y":"no vehicle"}}'.encode())
    bridge.until(lambda: "refused it: no vehicle is plugged in" in driver.get(PAGE), "answered")
    assert "Charge in your hours again" in driver.post(f"{PAGE}/override", PAGE, on="false").text


def test_who_may_only_look_gives_no_orders(bridge: Bridge, unit: Unit) -> None:
    for role in (Role.INSTALLER, Role.SUPPORT):
        visitor = Visitor(bridge, role.value, role)
        if role is Role.INSTALLER:
            entrust(bridge, "home-1", role.value)
        assert visitor.client.get("/charge-points/home-1").status_code == 200
        assert visitor.client.get(PAGE).status_code == 404
        assert visitor.post(f"{PAGE}/pause", "/account", hours=1).status_code == 404
    assert unit.commands == []


def in_force(bridge: Bridge, unit: Unit, number: int = 30, **told: Any) -> None:
    """Publish a heartbeat of a plugged-in vehicle."""
    heartbeat = {"n": number, "b": 4, "t": START_MS // 1000, "s": "B1", "m": "smart", "a": 0, "f": [], **told}
    unit.publish("cp/home-1/heartbeat", json.dumps(heartbeat).encode())
    bridge.until(lambda: bridge.read("home-1")["limited_by"] == told.get("y"), "told")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ('"ok":true,"l":32,"by":"installer","i":["override"]', "In force then: May charge at up to 32 A"),
        ('"ok":true,"l":16,"by":"cloud"', "In force then: Limited to 16 A by you."),
        ('"ok":true,"l":32,"by":"installer","r":200', "random delay of 3 min 20 s before the change takes effect"),
        ('"ok":false,"y":"no vehicle","l":0,"by":"cloud"', "no vehicle is plugged in. In force then: Paused by you."),
        ('"ok":true', "Its firmware does not tell what is in force."),
    ],
)
def test_an_answer_says_what_is_in_force_and_never_only_done(
    bridge: Bridge, unit: Unit, driver: Visitor, answer: str, words: str
) -> None:
    driver.post(f"{PAGE}/limit", PAGE, amps=16, hours=1)
    unit.publish("cp/home-1/result", f'{{"n":9,"b":4,"id":"{heard(unit)["id"]}",{answer}}}'.encode())
    bridge.until(lambda: words in driver.get(PAGE), "shown")


def test_the_dashboard_says_why_and_ends_it_without_script(bridge: Bridge, unit: Unit, driver: Visitor) -> None:
    in_force(bridge, unit, l=0, y="cloud", u=START_MS // 1000 + 3600)
    board = driver.get("/charge-points/home-1")
    assert '<h2 class="why">Paused by you until 01:00</h2>' in board
    assert 'action="/charge-points/home-1/charging/resume"' in board and "End the pause" in board
    assert "Paused by you until 01:00" in driver.get(PAGE)
    driver.post(f"{PAGE}/resume", "/charge-points/home-1")
    assert heard(unit)["do"] == "resume"


def test_a_random_delay_is_skipped(bridge: Bridge, unit: Unit, driver: Visitor) -> None:
    in_force(bridge, unit, y="installer", r=200)
    assert "Random delay: 3 min 20 s" in driver.get("/charge-points/home-1")
    driver.post(f"{PAGE}/skip-delay", "/charge-points/home-1")
    assert heard(unit)["do"] == "skip_delay"


def test_what_is_in_force_is_not_said_of_a_charger_that_is_silent(bridge: Bridge, unit: Unit, driver: Visitor) -> None:
    in_force(bridge, unit, l=0, y="schedule", u=START_MS // 1000 + 36_000)
    assert "Charges at 10:00, when your charging hours begin" in driver.get("/charge-points/home-1")
    bridge.clock.advance(31 * 60_000)
    assert "Charges at" not in driver.get("/charge-points/home-1")


def test_support_sees_what_is_in_force_and_cannot_end_it(bridge: Bridge, unit: Unit) -> None:
    in_force(bridge, unit, l=0, y="cloud", u=START_MS // 1000 + 3600)
    board = Visitor(bridge, "sue", Role.SUPPORT).get("/charge-points/home-1")
    assert "Paused by its owner until 01:00" in board and "End the pause" not in board
