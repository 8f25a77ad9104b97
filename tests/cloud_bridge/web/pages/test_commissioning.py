"""Can an installer commission a charger by phone, only beside it, and do installer and owner get the charger's record?"""

import json
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from cloud_bridge.store.access import Role
from tests.cloud_bridge.people import Visitor, entrust, text_of, unit_of
from tests.cloud_bridge.running import Bridge, Unit, sample
from tests.wire_schema import complaints

PAGE, PDF = "/jobs/1/commissioning", "/jobs/1/commissioning/record.pdf"
STEPS = {"amps": "32", "earth": "TN-C-S", "polarity": "right", "rcd_ms": "24", "csq": "21", "boost": "none"}
COMMISSIONED = sample("event-commissioned")


@pytest.fixture
def unit(bridge: Bridge) -> Unit:
    unit = unit_of(bridge, "dora")
    unit.subscribe("cp/home-1/command")
    unit.publish("cp/home-1/heartbeat", sample("heartbeat-uncommissioned"))
    return unit


@pytest.fixture
def installer(bridge: Bridge, unit: Unit) -> Visitor:
    """An installer with a job at home-1."""
    installer = Visitor(bridge, "ingo", Role.INSTALLER)
    entrust(bridge, "home-1", "ingo")
    assert Visitor(bridge, "sue", Role.SUPPORT).post("/charge-points/home-1/jobs", reason="New").status_code == 200
    return installer


def heard(unit: Unit) -> dict[str, Any]:
    (command,) = unit.commands
    return dict(command)


def words_of(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())


def test_everybody_who_sees_it_is_told_that_it_is_not_commissioned_and_what_to_do(
    bridge: Bridge, installer: Visitor
) -> None:
    for said in (Visitor(bridge, "dora").read("/"), installer.read("/jobs/1")):
        assert "It is not commissioned yet" in said and "6 A at most" in said and "violet blinks" in said
    assert "Commission the charger" in installer.read("/jobs/1")
    assert "It is not commissioned yet" in installer.read(PAGE) and 'value="21"' in installer.get(PAGE)


def test_the_steps_become_an_order_that_the_charger_answers_and_its_record(
    bridge: Bridge, installer: Visitor, unit: Unit
) -> None:
    assert "Waiting for your charger" in text_of(installer.post(PAGE, **STEPS).text)
    command = heard(unit)
    assert complaints("command", command) == []
    assert (command["amps"], command["by"], command["polarity"], command["do"]) == (32, "ingo", True, "commission")
    unit.publish("cp/home-1/result", f'{{"n":9,"b":2,"id":"{command["id"]}","ok":true}}'.encode())
    unit.publish("cp/home-1/event", COMMISSIONED)
    said = installer.read(PAGE)
    assert "The charger has accepted it" in said and "Trips after 24 ms, allowed are 300 ms" in said
    assert "Jo Spark" in said and "Commissioned for 32 A" in installer.read("/jobs/1")


def test_its_refusal_says_what_to_do(installer: Visitor, unit: Unit) -> None:
    installer.post(PAGE, **STEPS)
    why = "nobody is at the charger: press its button first"
    unit.publish(
        "cp/home-1/result", json.dumps({"n": 9, "b": 2, "id": heard(unit)["id"], "ok": False, "y": why}).encode()
    )
    assert "has refused it: nobody is there: press its button, and send this again" in installer.read(PAGE)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"amps": "81"}, "Type the rating of the circuit, 6 to 80 A."),
        ({"amps": "-6"}, "Type the rating of the circuit, 6 to 80 A."),
        ({"earth": "IT"}, "Choose the earthing arrangement."),
        ({"polarity": "wrong"}, "cannot be commissioned while live and neutral are exchanged"),
        ({"rcd_ms": "301"}, "The RCD must trip within 300 ms. Correct that first."),
        ({"rcd_ms": "fast"}, "Type the trip time that your tester shows"),
        ({"csq": "14"}, "The CSQ must be greater than 14. Fit a signal boost and measure again, or order one."),
        ({"csq": ""}, "The CSQ must be greater than 14."),
        ({"csq": "40"}, "Type the CSQ, 0 to 31"),
        ({"boost": ""}, "Choose what was done about the signal."),
    ],
)
def test_what_must_be_put_right_first_stands_beside_its_field_and_nothing_is_sent(
    installer: Visitor, unit: Unit, typed: dict[str, str], said: str
) -> None:
    answer = installer.post(PAGE, **STEPS | typed)
    assert (
        answer.status_code == 422 and said in text_of(answer.text) and 'value="24"' in answer.text or "rcd_ms" in typed
    )
    assert unit.commands == []


def test_a_weak_signal_with_a_boost_on_order_is_taken(installer: Visitor, unit: Unit) -> None:
    installer.post(PAGE, **STEPS | {"csq": "", "boost": "ordered"})
    assert (heard(unit)["csq"], heard(unit)["boost"]) == (99, "ordered")


def test_only_the_installer_of_an_open_job_orders_it(bridge: Bridge, installer: Visitor, unit: Unit) -> None:
    strange = Visitor(bridge, "ivo", Role.INSTALLER)
    for visitor, form_on in (
        (strange, "/account/details"),
        (Visitor(bridge, "dora"), "/account/details"),
        (Visitor(bridge, "sue"), "/jobs/1"),
    ):
        assert visitor.post(PAGE, form_on, **STEPS).status_code in (403, 404), visitor.name
    installer.post("/jobs/1/accept", "/jobs/1")
    installer.post("/jobs/1/arrive", "/jobs/1")
    assert installer.post("/jobs/1/close", "/jobs/1", outcome="Done").status_code == 200
    assert installer.client.get(PAGE).status_code == 404
    assert installer.post(PAGE, "/account/details", **STEPS).status_code == 404
    assert unit.commands == []


def test_installer_and_owner_keep_the_record_as_pdf_and_nobody_else_sees_it(
    bridge: Bridge, installer: Visitor, unit: Unit
) -> None:
    driver = Visitor(bridge, "dora")
    assert installer.client.get(PDF).status_code == 404
    assert driver.client.get("/charge-points/home-1/commissioning.pdf").status_code == 404
    bridge.clock.at_ms = 1_767_240_007_000
    unit.publish("cp/home-1/event", COMMISSIONED)
    for visitor, path in ((installer, PDF), (driver, "/charge-points/home-1/commissioning.pdf")):
        answer = visitor.client.get(path)
        assert answer.headers["Content-Type"] == "application/pdf"
        assert "commissioning-home-1.pdf" in answer.headers["Content-Disposition"]
        said = words_of(answer.content)
        for words in ("Commissioning record", "home-1", "32 A", "TN-C-S (PME)", "Jo Spark", "CSQ 21", "1 Jan 2026"):
            assert words in said, (words, said)
    assert "Jo Spark" in driver.read("/account/units/home-1")
    strange = Visitor(bridge, "ivo", Role.INSTALLER)
    assert strange.client.get(PDF).status_code == 404
    assert strange.client.get("/charge-points/home-1/commissioning.pdf").status_code == 404


def test_a_later_record_takes_the_place_of_the_one_before_and_what_cannot_be_is_no_record(
    bridge: Bridge, installer: Visitor, unit: Unit
) -> None:
    unit.publish("cp/home-1/event", COMMISSIONED)
    event = json.loads(COMMISSIONED)
    for number, wrong in enumerate(({"amps": 900}, {"earth": "x"}, {"by": 7}, {"via": "letter"}, {"rcd_ms": True}, {})):
        event |= {"n": 20 + number, "d": json.loads(COMMISSIONED)["d"] | wrong if wrong else {}}
        unit.publish("cp/home-1/event", json.dumps(event).encode())
    assert "Commissioned for 32 A" in installer.read("/jobs/1")
    event |= {"n": 40, "d": json.loads(COMMISSIONED)["d"] | {"amps": 16}}
    unit.publish("cp/home-1/event", json.dumps(event).encode())
    assert "Commissioned for 16 A" in installer.read("/jobs/1")


def test_programs_read_it_too(bridge: Bridge, unit: Unit) -> None:
    path = "/api/charge-points/home-1/commissioning"
    assert bridge.client.get(path).status_code == 404
    bridge.clock.at_ms = 1_767_240_030_000
    unit.publish("cp/home-1/event", COMMISSIONED)
    said = bridge.client.get(path).json()
    assert (said["amps"], said["earthing"], said["rcd_ms"], said["csq"], said["boost"]) == (
        32,
        "TN-C-S",
        24,
        21,
        "none",
    )
    assert (said["by"], said["via"], said["at"]) == ("Jo Spark", "cloud", "2026-01-01T04:00:07.000Z")
