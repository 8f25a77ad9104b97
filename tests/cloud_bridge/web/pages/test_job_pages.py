"""Do support, installer and driver each see a job's progress, their own actions, and why a form was refused?"""

import re
from typing import NamedTuple

import pytest

from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.store.access import Role
from cloud_bridge.store.people import find_person
from cloud_bridge.store.personal import erase, export
from cloud_bridge.store.tables import units
from tests.cloud_bridge import alerting
from tests.cloud_bridge.people import Visitor, entrust, text_of, unit_of
from tests.cloud_bridge.running import Bridge

PATH, CHARGER = "/jobs/1", "/charge-points/home-1"
HOME = {"full_name": "Dora Smith", "phone": "+44 (0)161 496 0000", "address": "4 Long Lane\r\n\r\nManchester M1 1AA"}
NOTES = "Key at number 4; dog"
VISIT = {"day": "2026-01-06", "begins": "09:00", "ends": "12:00"}
PLANNED = "Visit planned for Tue 6 Jan, 9:00 to 12:00"


class Cast(NamedTuple):
    driver: Visitor
    support: Visitor
    installer: Visitor


@pytest.fixture
def cast(bridge: Bridge) -> Cast:
    """Dora's charger, with a job of ingo's since 1 January 2026."""
    unit_of(bridge, "dora")
    driver = Visitor(bridge, "dora")
    driver.post("/account/details", **HOME, access_notes=NOTES)
    installer = Visitor(bridge, "ingo", Role.INSTALLER)
    installer.post("/account/details", full_name="Ingo Installs", phone="0161 496 0001")
    entrust(bridge, "home-1", "ingo")
    support = Visitor(bridge, "sue", Role.SUPPORT)
    assert support.post(f"{CHARGER}/jobs", reason="Weak signal in the garage").status_code == 200
    return Cast(driver, support, installer)


def move(who: Visitor, what: str, **fields: str) -> str:
    """Make a move; return the text of the next page."""
    answer = who.post(f"{PATH}/{what}", PATH, **fields)
    assert answer.status_code == 200, answer.text
    return text_of(answer.text)


def card(driver: Visitor) -> str:
    return driver.read(f"{CHARGER}/support")


def test_the_installer_has_what_they_need_and_the_driver_sees_what_they_are_told(cast: Cast) -> None:
    html = cast.installer.get(PATH)
    assert 'href="tel:+441614960000"' in html
    page = text_of(html)
    assert "Dora Smith" in page and "4 Long Lane Manchester M1 1AA" in page and NOTES in page
    assert "4 Long Lane, Manchester M1 1AA" in cast.installer.read("/jobs")
    told = card(cast.driver)
    assert "Your installer has been asked on Thu 1 Jan" in told
    assert "Ingo Installs" in told and 'href="tel:01614960001"' in cast.driver.get(f"{CHARGER}/support")
    assert "4 Long Lane Manchester M1 1AA" in told and "Weak signal" not in told.partition("Sent with your message")[0]


def test_each_state_is_told_to_each_of_them(cast: Cast) -> None:
    assert "Accepted: no visit is planned yet" in move(cast.installer, "accept")
    assert "Your installer has accepted and plans a visit" in card(cast.driver)
    assert PLANNED in move(cast.installer, "plan", **VISIT)
    assert PLANNED in card(cast.driver) and PLANNED in cast.support.read("/jobs")
    assert "9:30 to 12:00" in move(cast.support, "plan", **(VISIT | {"begins": "09:30"}))
    told = card(cast.driver)
    assert "We have asked your installer. Thu 1 Jan, 00:00 Your installer has accepted." in told
    assert "A visit was planned: Tue 6 Jan, 9:30 to 12:00." in told and "sue" not in told
    assert "Outcome: New antenna" in move(cast.installer, "close", outcome="New antenna")
    told = card(cast.driver)
    assert "Done on Thu 1 Jan" in told and "New antenna" not in told and "Correct it" not in told
    assert "Done Thu 1 Jan" not in told
    assert "New antenna" in cast.support.read(PATH)


def test_a_visit_that_was_is_not_one_to_come(bridge: Bridge, cast: Cast) -> None:
    move(cast.installer, "plan", **VISIT)
    bridge.clock.advance(6 * DAY_MS)
    assert "Visit was planned for Tue 6 Jan" in card(cast.driver)


def test_a_job_of_long_ago_is_no_card(bridge: Bridge, cast: Cast) -> None:
    move(cast.support, "cancel", why_cancelled="It works again")
    assert "Closed without a visit on Thu 1 Jan" in card(cast.driver)
    bridge.clock.advance(29 * DAY_MS)
    assert "Closed without" in Visitor(bridge, "dora").read(f"{CHARGER}/support")
    bridge.clock.advance(2 * DAY_MS)
    assert "Closed without" not in Visitor(bridge, "dora").read(f"{CHARGER}/support")


def test_a_job_that_was_given_back_goes_to_another(bridge: Bridge, cast: Cast) -> None:
    Visitor(bridge, "ivan", Role.INSTALLER)
    move(cast.installer, "plan", **VISIT)
    assert "There is nothing to do" in move(cast.installer, "give-back", why_back="No ladder")
    assert cast.installer.client.get(PATH).status_code == 404
    assert "We are looking for another installer" in card(cast.driver)
    assert "the visit of Tue 6 Jan, 9:00 to 12:00 is called off" in card(cast.driver)
    assert "No ladder" in cast.support.read(PATH) and "No ladder" not in card(cast.driver)
    page = move(cast.support, "ask", installer="ivan")
    assert "New since Thu 1 Jan" in page
    assert NOTES in Visitor(bridge, "ivan").read(PATH)


def test_after_the_end_no_installer_reads_whose_it_was(cast: Cast) -> None:
    move(cast.installer, "close", outcome="New antenna")
    for path in (PATH, "/jobs"):
        page = cast.installer.read(path)
        assert not any(words in page for words in ("Dora", "Long Lane", "Key at", "496 0000"))
    assert "Dora Smith" in cast.support.read(PATH)


@pytest.mark.parametrize(
    ("what", "fields", "says"),
    [
        ("plan", {}, "Choose the day of the visit"),
        ("plan", VISIT | {"day": "soon"}, "Choose the day of the visit"),
        ("plan", VISIT | {"day": "0001-01-01"}, "Choose the day of the visit"),
        ("plan", VISIT | {"day": "9999-12-31"}, "Choose the day of the visit"),
        ("plan", VISIT | {"begins": "9 o'clock"}, "Type a time"),
        ("plan", VISIT | {"ends": "09:00"}, "must end after it begins"),
        ("plan", VISIT | {"ends": "23:00"}, "12 hours at most"),
        ("plan", VISIT | {"day": "2025-12-31"}, "This time is over"),
        ("plan", VISIT | {"day": "2027-06-01"}, "of the coming year"),
        ("plan", {"day": "2026-03-29", "begins": "01:30", "ends": "03:00"}, "The clocks leave this time out"),
        ("close", {"outcome": "  "}, "Say it in 1 to 1,000 characters"),
        ("close", {"outcome": "x" * 1001}, "Say it in 1 to 1,000 characters"),
        ("give-back", {"why_back": ""}, "Say it in 1 to 1,000 characters"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(
    cast: Cast, what: str, fields: dict[str, str], says: str
) -> None:
    answer = cast.installer.post(f"{PATH}/{what}", PATH, **fields)
    assert answer.status_code == 422
    wrong = re.search(r' aria-invalid="true" autofocus aria-describedby="problem-(\w+)"', answer.text)
    assert wrong is not None
    told = re.search(rf'<p class="problem" id="problem-{wrong[1]}">(.*?)</p>', answer.text)
    assert told is not None and says in told[1]
    assert all(value in answer.text.replace("&#39;", "'") for value in fields.values())
    assert "New since" in cast.installer.read(PATH)


def test_every_field_that_is_wrong_is_told_and_the_first_has_the_focus(cast: Cast) -> None:
    answer = cast.installer.post(f"{PATH}/plan", PATH, day="", begins="nine", ends="noon")
    assert answer.status_code == 422
    assert re.findall(r'<p class="problem" id="problem-(\w+)">', answer.text) == ["day", "begins", "ends"]
    assert re.findall(r' aria-invalid="true"( autofocus)? ', answer.text) == [" autofocus", "", ""]


def test_a_job_that_cannot_be_raised_keeps_the_reason_that_was_typed(bridge: Bridge, cast: Cast) -> None:
    bridge.add_unit("garage-2")
    path = "/charge-points/garage-2/jobs"
    for fields, field in (
        ({"reason": "A weak signal", "installer": "nobody"}, "installer"),
        ({"reason": ""}, "reason"),
    ):
        answer = cast.support.post(path, **fields)
        assert answer.status_code == 422
        assert f'id="problem-{field}"' in answer.text and f">{fields['reason']}</textarea>" in answer.text


def test_who_comes_late_reads_that_it_has_changed_and_keeps_their_words(cast: Cast) -> None:
    form = cast.installer.get(PATH).split('name="form" value="')[1][:64]
    move(cast.support, "cancel", why_cancelled="It works again")
    elsewhere = cast.support.get("/account").split('name="form" value="')[1][:64]
    late = {"form": elsewhere, "moves": "0", "outcome": "I was there"}
    answer = cast.support.client.post(f"{PATH}/close", data=late)
    assert answer.status_code == 409
    assert "This job has changed meanwhile" in answer.text and "Cancelled on Thu 1 Jan" in answer.text
    assert '<p class="problem" role="alert" tabindex="-1" autofocus>' in answer.text
    gone = cast.installer.client.post(f"{PATH}/accept", data={"form": form, "moves": "0"})
    assert gone.status_code == 404, "it is not theirs any more"


def test_two_plan_at_once_and_the_second_keeps_what_was_typed(cast: Cast) -> None:
    form = cast.support.get(PATH).split('name="form" value="')[1][:64]
    move(cast.installer, "plan", **VISIT)
    answer = cast.support.client.post(f"{PATH}/plan", data={"form": form, "moves": "0"} | VISIT | {"ends": "13:15"})
    assert answer.status_code == 409
    assert "changed meanwhile" in answer.text and PLANNED in answer.text and 'value="13:15"' in answer.text


def test_nobody_makes_anothers_move(bridge: Bridge, cast: Cast) -> None:
    for who, moves in ((cast.support, ("accept", "give-back")), (cast.installer, ("cancel", "ask"))):
        for what in moves:
            fields = {"why_back": "x", "why_cancelled": "x", "installer": "ingo"}
            assert who.post(f"{PATH}/{what}", PATH, **fields).status_code == 404
    for what in ("accept", "plan", "arrive", "measure", "fit", "close", "give-back", "cancel", "ask"):
        fields = {"moves": "0", "outcome": "x", "why_back": "x", "why_cancelled": "x", "installer": "ingo", **VISIT}
        assert cast.driver.post(f"{PATH}/{what}", "/account", **fields).status_code in (404, 422)
    assert "New since" in cast.support.read(PATH)


def test_the_driver_corrects_what_the_installer_is_told(cast: Cast) -> None:
    path = f"{PATH}/customer"
    assert "4 Long Lane" in cast.driver.get(path)
    assert cast.driver.post(path, address="7 Short Street", full_name="Dora", phone="").url.path == f"{CHARGER}/support"
    page = cast.installer.read(PATH)
    assert "7 Short Street" in page and "Long Lane" not in page
    assert "4 Long Lane" in cast.driver.get("/account/details"), "it is of this job"
    assert cast.support.post(path, address="8 Short Street").url.path == PATH
    assert "8 Short Street" in card(cast.driver)
    assert cast.installer.client.get(path).status_code == 404
    move(cast.installer, "close", outcome="x")
    assert cast.driver.client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("phone", "call me"),
        ("phone", "12"),
        ("full_name", "x" * 101),
        ("address", "x\n" * 9),
        ("access_notes", "y" * 501),
    ],
)
def test_details_that_cannot_be_taken(cast: Cast, field: str, typed: str) -> None:
    for path in (f"{PATH}/customer", "/account/details"):
        fields = {"full_name": "Dora Smith", "address": "4 Long Lane"} | {field: typed}
        answer = cast.driver.post(path, **fields)
        assert answer.status_code == 422
        assert f'id="problem-{field}"' in answer.text and typed.split("\n")[0] in answer.text
        assert "4 Long Lane" in answer.text or field == "address"
    assert "4 Long Lane Manchester" in cast.installer.read(PATH)


def test_an_erased_driver_vanishes_from_the_job_and_their_export_has_it(bridge: Bridge, cast: Cast) -> None:
    with bridge.app_state.database.writing() as connection:
        dora = find_person(connection, "dora")
        kept = export(connection, dora)
        assert kept["job_customers"][0]["access_notes"] == NOTES
        assert [row["move"] for row in kept["job_events"]] == ["raised"]
        erase(connection, dora)
    page = cast.support.read(PATH)
    assert not any(words in page for words in ("Dora", "Long Lane", "Key at", "496 0000", "Weak signal in"))
    assert "Raised" in page


def test_a_sold_house_shows_nothing_of_its_former_owner(bridge: Bridge, cast: Cast) -> None:
    move(cast.installer, "plan", **VISIT)
    cast.driver.post("/account/units/home-1/release", "/account/units/home-1")
    bridge.add_person("nina", "correct horse", Role.DRIVER)
    with bridge.app_state.database.writing() as connection:
        nina = find_person(connection, "nina")
        connection.execute(units.update().values(owner_id=nina.id))
    assert "Visit planned" not in card(Visitor(bridge, "nina"))
    for who in (cast.support, cast.installer):
        for path in (PATH, "/jobs"):
            assert not any(words in who.read(path) for words in ("Dora", "Long Lane", "Key at"))


def test_the_nearest_visit_is_first_and_new_jobs_come_next(bridge: Bridge, cast: Cast) -> None:
    for unit_id in ("garage-2", "garage-3", "garage-4"):
        bridge.add_unit(unit_id)
        entrust(bridge, unit_id, "ingo")
        bridge.clock.advance(HOUR_MS)
        cast.support.post(f"/charge-points/{unit_id}/jobs", reason="x")
    for number, day in ((4, "2026-01-05"), (2, "2026-01-07")):
        cast.installer.post(f"/jobs/{number}/plan", f"/jobs/{number}", **(VISIT | {"day": day}))
    cast.installer.post("/jobs/1/accept", "/jobs/1")
    page = cast.installer.read("/jobs")
    order = sorted(("garage-4", "garage-2", "garage-3", "home-1"), key=page.index)
    assert order == ["garage-4", "garage-2", "garage-3", "home-1"]


def test_installer_and_driver_are_alerted_without_an_address(
    bridge: Bridge, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = alerting.webhooks(monkeypatch)
    Visitor(bridge, "ivan", Role.INSTALLER)
    for visitor, about in ((cast.installer, AlertKind.NEW_JOB), (cast.driver, AlertKind.VISIT)):
        hook = {"about": about.value, "via": "webhook", "target": alerting.HOOK}
        assert visitor.post("/account/notifications", **hook).status_code == 200
        assert visitor.post("/account/notifications", **(hook | {"about": "incident"})).status_code == 422
    wrong = {"about": "new_job", "via": "webhook", "target": alerting.HOOK}
    assert cast.driver.post("/account/notifications", **wrong).status_code == 422

    def told() -> list[str]:
        alerting.look(bridge)
        words = [one["words"] for one in sorted(sent, key=lambda one: one["id"])]
        sent.clear()
        return words

    assert told() == ["There is a new job for you, at home-1. Your jobs say where, and why."]
    move(cast.installer, "plan", **VISIT)
    move(cast.installer, "plan", **(VISIT | {"ends": "13:00"}))
    assert told() == ["Your installer's visit for home-1 is planned for Tue 6 Jan, 9:00 to 13:00."]
    move(cast.installer, "give-back", why_back="No ladder")
    assert told() == ["Your installer's visit for home-1 is called off. Its page for help says how it goes on."]
    move(cast.support, "ask", installer="ivan")
    assert told() == [], "it is not ingo's"
    move(cast.support, "ask", installer="ingo")
    assert len(told()) == 1
