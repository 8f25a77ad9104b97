"""Does one bad row break a page? Hostile values in every column, on every page and every answer, for every role."""

import csv
import io
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from cloud_bridge.durations import DAY_MS
from cloud_bridge.store.access import Role
from cloud_bridge.store.claims import claim
from cloud_bridge.store.people import find_person
from cloud_bridge.store.tables import conversations
from tests.cloud_bridge import alerting
from tests.cloud_bridge.hostile_rows import GOOD, TEXTS, YEAR_0_MS, YEAR_5000_MS, fill, spread, variations
from tests.cloud_bridge.people import PASSWORD, Visitor, entrust, give
from tests.cloud_bridge.running import START_MS, TOKEN, Bridge, Unit, running_bridge
from tests.cloud_bridge.web.test_store_away import routes_of

MANY = "cp-many"  # has all hostile rows of the tables of which a page shows many rows
LISTED = (
    "events",
    "sessions",
    "results",
    "signal",
    "signal_5min",
    "contact_gaps",
    "transitions",
    "messages",
    "job_events",
)
# Tables of which one row for each unit is shown. If a unit's contact cannot be shown, its other rows may be hidden too.
SINGLE = (("contacts",), ("heartbeats", "commands", "duplicate_identities", "jobs"))
PEOPLE = {"dora": Role.DRIVER, "ingo": Role.INSTALLER, "sue": Role.SUPPORT, "olga": Role.OPERATOR}


@pytest.fixture
def hostile(bridge: Bridge) -> Bridge:
    """Dora's charge points, at which ingo works; cp-many has all rows of LISTED."""
    for name, role in PEOPLE.items():
        bridge.add_person(name, PASSWORD, role)
    return bridge


def charge_point(bridge: Bridge, unit_id: str) -> None:
    code = bridge.add_unit(unit_id).claim_code
    with bridge.app_state.database.writing() as connection:
        claim(connection, find_person(connection, "dora"), code, START_MS - DAY_MS)  # before all rows
    entrust(bridge, unit_id, "ingo")


def conversation(bridge: Bridge, unit_id: str) -> int:
    with bridge.app_state.database.writing() as connection:
        dora = find_person(connection, "dora").id
        row = {"person_id": dora, "unit_id": unit_id, "opened_ms": START_MS, "newest_ms": START_MS, "waiting": True}
        made: int = connection.execute(conversations.insert().returning(conversations.c.id), row).scalar_one()
        return made


def clients(bridge: Bridge) -> Iterator[tuple[str, TestClient]]:
    for name in PEOPLE:
        client = TestClient(bridge.client.app, raise_server_exceptions=False)
        client.cookies = Visitor(bridge, name).client.cookies
        yield name, client
    yield (
        "token",
        TestClient(bridge.client.app, headers={"Authorization": f"Bearer {TOKEN}"}, raise_server_exceptions=False),
    )


def addresses(bridge: Bridge, places: dict[str, Any]) -> list[str]:
    """Return the path of every GET route with these values in its places."""
    found = []
    for method, path in routes_of(bridge.client.app, places):
        if method != "GET":
            continue
        found.append(path)
        if path.endswith("/signal"):
            found.append(f"{path}?resolution=raw")
        if path.endswith(("/history", ".csv")):
            found += [f"{path}?days=1", f"{path}?days=30"]
    return found + [f"/fleet?by={by}" for by in ("silence", "network", "site", "never", "duplicate")]


def broken(bridge: Bridge, places: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [
        (name, path, status)
        for name, client in clients(bridge)
        for path in addresses(bridge, places)
        if (status := client.get(path).status_code) >= 500
    ]


def test_lists_with_bad_rows_are_shown(hostile: Bridge) -> None:
    """All at once: each page reads its own tables, and the failing path shows which."""
    charge_point(hostile, MANY)
    about = conversation(hostile, MANY)
    assert fill(hostile.app_state.database, "jobs", spread("jobs", MANY, {}, [GOOD["jobs"]])) == 1
    hangs_on = {"messages": {"conversation_id": about}, "job_events": {"job_id": 1}}
    for name in LISTED:
        more = hangs_on.get(name, {})
        rows = [*variations(name), GOOD[name]]
        assert fill(hostile.app_state.database, name, spread(name, MANY, more, rows)) > 1, name
    assert broken(hostile, {"unit_id": MANY, "conversation_id": about, "job_id": 1}) == []
    alerting.look(hostile)


def test_jobs_of_bad_customers_are_shown(hostile: Bridge) -> None:
    charge_point(hostile, MANY)
    database, rows = hostile.app_state.database, list(variations("job_customers"))
    with database.reading() as connection:
        dora, ingo = (find_person(connection, name).id for name in ("dora", "ingo"))
    assert fill(database, "jobs", spread("jobs", MANY, {"installer_id": ingo}, [GOOD["jobs"]] * len(rows))) == len(rows)
    taken = [row | {"job_id": number, "person_id": dora} for number, row in enumerate(rows, 1)]
    assert fill(database, "job_customers", taken) > 1
    for name in ("ingo", "sue"):
        visitor = Visitor(hostile, name)
        assert visitor.client.get("/jobs").status_code == 200
        for number in range(1, len(rows) + 1, 7):
            assert visitor.client.get(f"/jobs/{number}").status_code == 200
    assert Visitor(hostile, "dora").client.get(f"/charge-points/{MANY}/support").status_code == 200


def test_jobs_of_bad_photos_are_shown(hostile: Bridge) -> None:
    charge_point(hostile, MANY)
    database, rows = hostile.app_state.database, list(variations("job_photos"))
    with database.reading() as connection:
        ingo = find_person(connection, "ingo").id
    assert fill(database, "jobs", spread("jobs", MANY, {"installer_id": ingo}, [GOOD["jobs"]] * len(rows))) == len(rows)
    assert fill(database, "job_photos", [row | {"job_id": number} for number, row in enumerate(rows, 1)]) > 1
    for name in ("ingo", "sue"):
        client = Visitor(hostile, name).client
        for number in range(1, len(rows) + 1, 5):
            assert client.get(f"/jobs/{number}").status_code == 200
            for size in ("small", "whole"):
                assert client.get(f"/jobs/{number}/photos/{number}/{size}").status_code in (200, 404)


def bad_and_good(bridge: Bridge, name: str, bad: dict[str, Any], more: dict[str, Any] | None = None) -> None:
    """Add two rows to cp-many: one with these values, and a good one."""
    charge_point(bridge, MANY)
    assert fill(bridge.app_state.database, name, spread(name, MANY, more or {}, [GOOD[name] | bad, GOOD[name]])) == 2


CANNOT = "1 record cannot be shown"


def test_the_history_counts_a_bad_session_and_shows_the_good_one(hostile: Bridge) -> None:
    bad_and_good(hostile, "sessions", {"started_s": YEAR_5000_MS // 1000})
    dora = Visitor(hostile, "dora")
    page = dora.read(f"/charge-points/{MANY}/history")
    assert CANNOT in page
    assert "good row" in page
    lines = list(csv.reader(io.StringIO(dora.get(f"/charge-points/{MANY}/history/sessions.csv"))))
    assert [line[-1] for line in lines] == ["ended_because", "good row", "1 not shown: the stored content is not valid"]
    answer = hostile.client.get(f"/api/charge-points/{MANY}/sessions").json()
    assert [one["reason"] for one in answer["sessions"]] == ["good row"]
    assert answer["unreadable"] == 1


@pytest.mark.parametrize("payload", ["[]", "no JSON", '{"t":1}', '{"k":"network","d":[1]}'])
def test_history_and_job_count_a_bad_event_and_show_the_good_one(hostile: Bridge, payload: str) -> None:
    bad_and_good(hostile, "events", {"payload": payload})
    for visitor, path in ((Visitor(hostile, "dora"), "history"), (Visitor(hostile, "sue"), "jobs")):
        page = visitor.read(f"/charge-points/{MANY}/{path}")
        assert CANNOT in page
        assert "Good row" in page


@pytest.mark.parametrize(("payload", "shown", "unreadable"), [("[]", 1, 1), ('{"n":NaN}', 1, 1), ('{"t":1}', 2, 0)])
def test_the_interface_counts_what_is_no_json_object(
    hostile: Bridge, payload: str, shown: int, unreadable: int
) -> None:
    """It returns what the charge point wrote, also if it would not be accepted today."""
    bad_and_good(hostile, "events", {"payload": payload})
    answer = hostile.client.get(f"/api/charge-points/{MANY}/events").json()
    assert (len(answer["events"]), answer["unreadable"]) == (shown, unreadable)


@pytest.mark.parametrize("bad", [{"csq": 99}, {"csq": -1}])
def test_the_signal_counts_a_bad_reading_and_shows_the_good_one(hostile: Bridge, bad: dict[str, Any]) -> None:
    bad_and_good(hostile, "signal", bad)
    dora = Visitor(hostile, "dora")
    assert CANNOT in dora.read(f"/charge-points/{MANY}/history")
    assert "1 not shown" in dora.get(f"/charge-points/{MANY}/history/signal.csv")
    answer = hostile.client.get(f"/api/charge-points/{MANY}/signal?resolution=raw").json()
    assert ([one["csq"] for one in answer["points"]], answer["unreadable"]) == ([21], 1)


@pytest.mark.parametrize("bad", [{"samples": 0}, {"total": 2**62}, {"highest": 99}])
def test_the_signal_counts_a_bad_average(hostile: Bridge, bad: dict[str, Any]) -> None:
    bad_and_good(hostile, "signal_5min", bad)
    assert CANNOT in Visitor(hostile, "dora").read(f"/charge-points/{MANY}/history")
    answer = hostile.client.get(f"/api/charge-points/{MANY}/signal").json()
    assert (len(answer["points"]), answer["unreadable"]) == (1, 1)


@pytest.mark.parametrize("facts", ["no JSON", "7", "[1]", '[["a"]]', "[" * 100_000])
def test_a_message_is_shown_without_facts_that_cannot_be(hostile: Bridge, facts: str) -> None:
    charge_point(hostile, MANY)
    about = conversation(hostile, MANY)
    rows = [GOOD["messages"] | {"facts": facts}, GOOD["messages"] | {"sent_ms": -1}]
    assert fill(hostile.app_state.database, "messages", spread("messages", MANY, {"conversation_id": about}, rows)) == 2
    page = Visitor(hostile, "dora").read(f"/support/{about}")
    assert CANNOT in page
    assert "good row" in page
    assert "What was stored with this message cannot be shown" in page


def test_a_bad_job_is_counted_and_its_page_says_so(hostile: Bridge) -> None:
    with hostile.app_state.database.reading() as connection:
        ingo = find_person(connection, "ingo").id
    bad_and_good(hostile, "jobs", {"raised_ms": YEAR_0_MS}, {"installer_id": ingo})
    visitor = Visitor(hostile, "ingo")
    assert CANNOT in visitor.read("/jobs")
    answer = visitor.client.get("/jobs/1")
    assert (answer.status_code, "This cannot be shown" in answer.text) == (404, True)
    assert "good row" in visitor.get("/jobs/2")


@pytest.mark.parametrize("payload", ["no JSON", "[]", '{"f":[1]}', '{"t":95617584000}'])
def test_the_dashboard_says_that_a_heartbeat_cannot_be_shown(hostile: Bridge, payload: str) -> None:
    charge_point(hostile, MANY)
    rows = [GOOD["heartbeats"] | {"payload": payload}]
    assert fill(hostile.app_state.database, "heartbeats", spread("heartbeats", MANY, {}, rows)) == 1
    assert fill(hostile.app_state.database, "contacts", spread("contacts", MANY, {}, [GOOD["contacts"]])) == 1
    assert "Its last message cannot be shown" in Visitor(hostile, "dora").read(f"/charge-points/{MANY}")
    assert hostile.read(MANY)["state"] is None


@pytest.mark.parametrize("payload", ["no JSON", '{"amps":"many"}', '{"amps":6,"exp":95617584000}'])
def test_a_command_that_cannot_be_shown_says_so(hostile: Bridge, payload: str) -> None:
    charge_point(hostile, MANY)
    row = GOOD["commands"] | {"payload": payload}
    assert fill(hostile.app_state.database, "commands", spread("commands", MANY, {"id": "c"}, [row])) == 1
    assert "Your last choice cannot be shown" in Visitor(hostile, "dora").read(f"/charge-points/{MANY}/charging")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_a_cell_of_csv_is_no_formula(hostile: Bridge, start: str) -> None:
    """https://owasp.org/www-community/attacks/CSV_Injection"""
    bad_and_good(hostile, "sessions", {"reason": f"{start}1+1"})
    text = Visitor(hostile, "dora").get(f"/charge-points/{MANY}/history/sessions.csv")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[1][-1] == f"'{start}1+1"


@pytest.mark.parametrize("stored", ["[]", "no JSON", "7"])
def test_a_bad_record_does_not_stop_the_next_one(hostile: Bridge, stored: str) -> None:
    """A record with the numbers of a stored one is compared with it."""
    new = hostile.add_unit("home-1")
    row = GOOD["events"] | {"unit_id": "home-1", "sequence": 5, "payload": stored}
    assert fill(hostile.app_state.database, "events", [row]) == 1
    unit = Unit(hostile, "home-1", new.secret).connect()
    unit.publish("cp/home-1/event", b'{"n":5,"b":1,"k":"boot","d":{"v":"1.2.3"}}')
    hostile.until(lambda: hostile.read("home-1")["firmware"] == "1.2.3", "stored beside it")
    assert hostile.app_state.recorder.rejected == 0


def test_what_a_charge_point_sends_breaks_no_page(hostile: Bridge) -> None:
    new = hostile.add_unit(MANY)
    give(hostile, new.claim_code, "dora")
    unit = Unit(hostile, MANY, new.secret).connect()
    payloads = [text.encode() for text in TEXTS if isinstance(text, str) and 0 < len(text) < 1000]
    for kind in ("event", "session", "result", "heartbeat"):
        for payload in payloads:
            unit.publish(f"cp/{MANY}/{kind}", payload)
    assert hostile.counter("contacts") == 4 * len(payloads)
    assert broken(hostile, {"unit_id": MANY}) == []


def test_a_bridge_starts_with_bad_rows(tmp_path: Path) -> None:
    with running_bridge(tmp_path) as bridge:
        for name, role in PEOPLE.items():
            bridge.add_person(name, PASSWORD, role)
        for number, row in enumerate(variations("contacts")):
            charge_point(bridge, f"cp-{number}")
            fill(bridge.app_state.database, "contacts", spread("contacts", f"cp-{number}", {}, [row]))
    with running_bridge(tmp_path) as bridge:
        assert bridge.client.get("/api/charge-points").status_code == 200
        assert Visitor(bridge, "olga").client.get("/fleet").status_code == 200


@pytest.mark.parametrize(
    "after",
    [
        ["9" * 30, "x"],
        ["-" + "9" * 19, "x"],
        ["9" * 5000, "x"],
        ["x", "x"],
        ["1"],
        ["1e9", "x"],
        ["", ""],
        ["\u0663", "x"],
    ],
)
@pytest.mark.parametrize("by", ["silence", "network", "site", "never"])
def test_an_odd_place_in_the_fleet_is_not_there(hostile: Bridge, by: str, after: list[str]) -> None:
    answer = Visitor(hostile, "olga").client.get("/fleet", params={"by": by, "after": after})
    assert answer.status_code in (200, 404)


def test_a_job_for_an_unknown_installer_is_refused(hostile: Bridge) -> None:
    give(hostile, hostile.add_unit("home-1").claim_code, "dora")
    sue = Visitor(hostile, "sue")
    answer = sue.post("/charge-points/home-1/jobs", reason="Weak signal.", installer="nobody")
    assert (answer.status_code, "there is none of that name" in answer.text) == (422, True)


@pytest.mark.parametrize("names", SINGLE, ids=" ".join)
def test_a_charge_point_with_a_bad_row_is_shown(hostile: Bridge, names: tuple[str, ...]) -> None:
    """One charge point for each hostile value, in a row of each of these tables."""
    database = hostile.app_state.database
    with database.reading() as connection:
        ingo = find_person(connection, "ingo").id
    looks = [("dora", "/"), ("ingo", "/jobs"), ("olga", "/fleet"), ("token", "/api/charge-points")]
    for number, rows in enumerate(zip_longest(*(variations(name) for name in names))):
        unit_id = f"cp-{number}"
        charge_point(hostile, unit_id)
        for name, row in zip(names, rows, strict=True):
            more = {"installer_id": ingo} if name == "jobs" else {"id": f"c-{number}"} if name == "commands" else {}
            fill(database, name, spread(name, unit_id, more, [row]) if row else [])
        looks += [("dora", f"/charge-points/{unit_id}"), ("token", f"/api/charge-points/{unit_id}")]
        looks += [("dora", f"/charge-points/{unit_id}/charging")] if "commands" in names else []
    looks += [("ingo", f"/jobs/{number}") for number in range(1, 100)] if "jobs" in names else []
    client_of = dict(clients(hostile))
    assert [look for who, path in looks if (look := (who, path, client_of[who].get(path).status_code))[2] >= 500] == []
