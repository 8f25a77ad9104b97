"""Does a driver get a month's report with only their own data, as page, CSV, PDF and through the API?"""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pypdf
import pytest
from sqlalchemy import insert, update

from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.store.access import Role
from cloud_bridge.store.claims import release
from cloud_bridge.store.record import record
from cloud_bridge.store.tables import contact_gaps, duplicate_identities, sessions
from tests.cloud_bridge.people import PASSWORD, Visitor, entrust, give
from tests.cloud_bridge.recording import inbound
from tests.cloud_bridge.running import Bridge

LONDON, BERLIN = "Europe/London", "Europe/Berlin"
REPORT = "/charge-points/home-1/report"


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


class Home:
    """Dora's charger home-1, hers since 20 September 2026. Today is 10 November."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        bridge.clock.at_ms = ms("2026-09-20T00:00")
        self.code = bridge.add_unit("home-1").claim_code
        bridge.add_person("dora", PASSWORD, Role.DRIVER)
        give(bridge, self.code, "dora")
        bridge.clock.at_ms = ms("2026-11-10T12:00")
        self.number = 0

    def charge(self, began: str, hours: float, energy_wh: int, **other: Any) -> None:
        """Report a session at its end; `began` is UTC."""
        self.number += 1
        began_ms = ms(began)
        ended_ms = began_ms + int(hours * HOUR_MS)
        told: dict[str, Any] = {
            "b": 1,
            "n": self.number,
            "i": self.number,
            "s": (ended_ms - began_ms) // 1000,
            "e": energy_wh,
        }
        told |= {"t0": began_ms // 1000, "t1": ended_ms // 1000, "y": "unplugged"} | other
        payload = json.dumps({key: value for key, value in told.items() if value is not None})
        with self.bridge.app_state.database.writing() as connection:
            record(connection, [inbound("home-1", ended_ms + 1000, "session", payload.encode())])

    def site(self, visitor: Visitor, zone: str, **rates: str) -> None:
        visitor.post("/account/units/home-1", time_zone=zone, **rates)

    def rows(self, visitor: Visitor, month: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(visitor.get(f"{REPORT}/{month}.csv"))))


@pytest.fixture
def home(bridge: Bridge) -> Home:
    return Home(bridge)


@pytest.fixture
def dora(home: Home) -> Visitor:
    return Visitor(home.bridge, "dora")


NIGHT = {"rate": "28", "off_peak_rate": "8", "off_peak_from": "00:30", "off_peak_to": "05:30"}


def test_a_month_says_the_same_as_page_csv_pdf_and_interface(home: Home, dora: Visitor) -> None:
    home.site(dora, LONDON, **NIGHT)
    home.charge("2026-10-03T23:30", 10, 10_000)  # 00:30 to 10:30 in summer time: half of it off-peak
    home.charge("2026-10-05T12:00", 1, 7_400)
    said = dora.read(f"{REPORT}?month=2026-10")
    for words in (
        *("October 2026", "home-1, for dora", "Europe/London", "17.400 kWh £3.87", "8p per kWh from 00:30 to 05:30"),
        *("Off-peak 5.000 kWh, £0.40", "Other times 12.400 kWh, £3.47", "Not known 17.400 kWh, £3.87"),
        *("Sun 4 Oct, 00:30 to Sun 4 Oct, 10:30", "10.000 kWh 5.000 off-peak £1.80", "not certified for billing"),
    ):
        assert words in said, words
    rows = home.rows(dora, "2026-10")
    assert [(row["began"], row["kwh"], row["off_peak_kwh"], row["cost"]) for row in rows] == [
        ("2026-10-04T00:30:00+01:00", "10.000", "5.000", "1.80"),
        ("2026-10-05T13:00:00+01:00", "7.400", "0.000", "2.07"),
    ]
    answer = dora.client.get(f"{REPORT}/2026-10.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'attachment; filename="home-1-2026-10.pdf"'
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages)
    assert "GBP 3.87" in text and "17.400 kWh" in text
    told = dora.client.get("/api/charge-points/home-1/reports/2026-10").json()
    assert (told["total"]["energy_wh"], told["total"]["cost"], told["currency"]) == (17_400, 3.87, "GBP")
    assert [(one["began"], one["off_peak_wh"], one["cost"]) for one in told["sessions"]] == [
        ("2026-10-03T23:30:00.000Z", 5000, 1.8),
        ("2026-10-05T12:00:00.000Z", 0, 2.07),
    ]
    assert told["notes"] and (told["made_for"], told["from"]) == ("dora", "2026-09-30T23:00:00.000Z")


def test_the_page_opens_with_the_last_month_that_is_over_and_offers_those_of_the_driver(
    home: Home, dora: Visitor
) -> None:
    home.charge("2026-09-25T12:00", 1, 1000)
    page = dora.get(REPORT)
    assert '<option value="2026-10" selected>October 2026</option>' in page
    assert [month for month in ("2026-11", "2026-10", "2026-09", "2026-08") if f'value="{month}"' in page] == [
        *("2026-11", "2026-10", "2026-09"),
    ]


def test_a_session_belongs_to_the_month_in_which_it_began_on_the_clock_of_the_site(home: Home, dora: Visitor) -> None:
    home.site(dora, BERLIN)
    home.charge("2026-09-30T21:59", 10, 1000)  # 23:59 in Berlin
    home.charge("2026-09-30T22:00", 10, 2000)
    home.charge("2026-10-31T22:59", 10, 3000)  # 23:59; an hour later is November
    home.charge("2026-10-31T23:00", 10, 4000)
    assert [row["kwh"] for row in home.rows(dora, "2026-10")] == ["2.000", "3.000"]
    assert home.rows(dora, "2026-10")[1]["ended"] == "2026-11-01T09:59:00+01:00"
    assert "as a whole" in dora.read(f"{REPORT}?month=2026-10")


@pytest.mark.parametrize(("zone", "first", "second"), [(LONDON, "BST", "GMT"), (BERLIN, "CEST", "CET")])
def test_the_hour_that_comes_twice_is_told_apart(home: Home, dora: Visitor, zone: str, first: str, second: str) -> None:
    """On 25 October, the clocks go back at 01:00 UTC."""
    home.site(dora, zone, **NIGHT | {"off_peak_from": "01:00", "off_peak_to": "03:00"})
    home.charge("2026-10-25T00:30", 1, 1000)
    said = dora.read(f"{REPORT}?month=2026-10")
    hour = "01:30" if zone == LONDON else "02:30"
    assert f"Sun 25 Oct, {hour} {first} to Sun 25 Oct, {hour} {second}" in said
    assert "1.000 kWh 1.000 off-peak" in said


def test_a_month_without_sessions_says_so_everywhere(home: Home, dora: Visitor) -> None:
    said = dora.read(f"{REPORT}?month=2026-10")
    assert "No session began in this time." in said and "0.000 kWh" in said and "No price is set" in said
    assert home.rows(dora, "2026-10") == []
    assert dora.client.get(f"{REPORT}/2026-10.pdf").content.startswith(b"%PDF-")
    assert dora.client.get("/api/charge-points/home-1/reports/2026-10").json()["sessions"] == []


@pytest.mark.parametrize(
    ("month", "words"),
    [
        ("2026-08", "before your time with this charger"),
        ("2026-12", "no report of December 2026 yet"),
        ("2026-13", "written as 2026-10"),
        ("october", "written as 2026-10"),
    ],
)
def test_a_month_of_which_there_is_no_report_has_plain_words(dora: Visitor, month: str, words: str) -> None:
    for address in (f"{REPORT}?month={month}", f"{REPORT}/{month}.csv", f"{REPORT}/{month}.pdf"):
        answer = dora.client.get(address)
        assert answer.status_code == 404 and words in answer.text, address
    answer = dora.client.get(f"/api/charge-points/home-1/reports/{month}")
    assert answer.status_code == (404 if month[:5] == "2026-" and month != "2026-13" else 422)
    assert answer.json()["detail"]


def test_the_present_month_is_there_and_says_that_it_is_not_over(home: Home, dora: Visitor) -> None:
    home.charge("2026-11-02T12:00", 1, 1000)
    said = dora.read(f"{REPORT}?month=2026-11")
    assert "1.000 kWh" in said and "The month is not over: these are its sessions up to Tue 10 Nov 2026" in said


def test_after_a_change_of_hands_in_the_month_each_sees_their_own(home: Home, dora: Visitor) -> None:
    """The session of the 14th began in dora's time, and is hers although it is reported in ben's."""
    home.charge("2026-10-03T12:00", 1, 1111)
    with home.bridge.app_state.database.writing() as connection:
        assert release(connection, "home-1", now_ms=ms("2026-10-14T00:00"))
    home.bridge.add_person("ben", PASSWORD, Role.DRIVER)
    home.bridge.clock.at_ms = ms("2026-10-15T00:00")
    give(home.bridge, home.code, "ben")
    home.charge("2026-10-13T20:00", 72, 2222)
    home.charge("2026-10-20T12:00", 1, 3333)
    home.bridge.clock.at_ms = ms("2026-11-10T12:00")
    ben = Visitor(home.bridge, "ben")
    assert [row["kwh"] for row in home.rows(ben, "2026-10")] == ["3.333"]
    said = ben.read(f"{REPORT}?month=2026-10")
    assert "The report begins on 15 October 2026, when ben" in said
    assert "1.111" not in said and "2.222" not in said
    assert ben.client.get(f"{REPORT}?month=2026-09").status_code == 404
    assert dora.client.get(f"{REPORT}?month=2026-10").status_code == 404, "it is not hers any more"


def test_silences_and_sessions_that_are_missing_are_told(home: Home, dora: Visitor) -> None:
    home.charge("2026-10-03T12:00", 1, 1000)
    home.number += 2
    home.charge("2026-10-05T12:00", 1, 1000)
    gap = {"unit_id": "home-1", "from_ms": ms("2026-10-06T00:00"), "to_ms": ms("2026-10-07T00:00")}
    with home.bridge.app_state.database.writing() as connection:
        connection.execute(insert(contact_gaps), gap)
    said = dora.read(f"{REPORT}?month=2026-10")
    assert "2 sessions that the charger has counted did not reach us" in said
    assert "was not in contact twice, together 3 days" in said
    assert "has not been in contact since Mon 5 Oct, 14:00" in said


def test_that_a_second_charge_point_has_its_identity_is_told_while_it_lasts(home: Home, dora: Visitor) -> None:
    now_ms = home.bridge.clock.now_ms()
    found = {"unit_id": "home-1", "since_ms": now_ms - HOUR_MS, "last_ms": now_ms - 1, "boot": 1, "other_boot": 9}
    with home.bridge.app_state.database.writing() as connection:
        connection.execute(insert(duplicate_identities), found)
    words = "a second charger uses this one"
    assert words in dora.read(f"{REPORT}?month=2026-11") and words not in dora.read(f"{REPORT}?month=2026-10")
    home.bridge.clock.advance(2 * DAY_MS)
    assert words not in dora.read(f"{REPORT}?month=2026-11")


def test_a_session_without_its_times_stands_under_the_time_at_which_it_came(home: Home, dora: Visitor) -> None:
    home.site(dora, LONDON, **NIGHT)
    home.charge("2026-10-03T12:00", 2, 1000, t0=None, t1=None)
    said = dora.read(f"{REPORT}?month=2026-10")
    assert "About Sat 3 Oct, 13:00 to Sat 3 Oct, 15:00" in said and "did not know the time" in said
    assert "Times not known 1.000 kWh, cost not known" in said


# --- vehicles ---------------------------------------------------------------------------------------------------------


def seen_charging(home: Home, name: str) -> None:
    """Set the vehicle that was seen charging, by its account, in every session."""
    with home.bridge.app_state.database.writing() as connection:
        connection.execute(update(sessions).values(vehicle=name))


def test_the_driver_says_which_vehicle_it_was_and_that_counts(home: Home, dora: Visitor) -> None:
    home.charge("2026-10-03T12:00", 1, 1000)
    home.charge("2026-10-04T12:00", 1, 2000)
    seen_charging(home, "Bluebell")
    form = f"{REPORT}/sessions/2"
    page = dora.read(form)
    assert "Sun 4 Oct, 13:00: 2.000 kWh. The account of Bluebell has shown it charging." in page
    answer = dora.post(form, vehicle=" Golf, B-ÄÖ 12 E ")
    assert (answer.url.path, answer.url.params["month"]) == (REPORT, "2026-10")
    said = dora.read(f"{REPORT}?month=2026-10")
    assert "Bluebell 1.000 kWh" in said and "Golf, B-ÄÖ 12 E 2.000 kWh" in said
    assert [(row["vehicle"], row["vehicle_known_by"]) for row in home.rows(dora, "2026-10")] == [
        *(("Bluebell", "account"), ("Golf, B-ÄÖ 12 E", "driver")),
    ]
    dora.post(form, vehicle="")
    assert "Bluebell 3.000 kWh" in dora.read(f"{REPORT}?month=2026-10")


@pytest.mark.parametrize("name", ["x" * 61, "a\nb"])
def test_a_name_that_cannot_be_comes_again_with_the_reason(home: Home, dora: Visitor, name: str) -> None:
    home.charge("2026-10-03T12:00", 1, 1000)
    answer = dora.post(f"{REPORT}/sessions/1", vehicle=name)
    assert answer.status_code == 422 and 'aria-invalid="true"' in answer.text
    assert "Not known 1.000 kWh" in dora.read(f"{REPORT}?month=2026-10")


def test_only_the_household_sees_and_says_which_vehicle_it_was(home: Home, dora: Visitor) -> None:
    home.charge("2026-10-03T12:00", 1, 1000)
    seen_charging(home, "Bluebell")
    home.bridge.add_person("eve", PASSWORD, Role.DRIVER)
    home.bridge.add_person("ingo", PASSWORD, Role.INSTALLER)
    entrust(home.bridge, "home-1", "ingo")
    others = [Visitor(home.bridge, "sue", Role.SUPPORT), Visitor(home.bridge, "olga", Role.OPERATOR)]
    for visitor in (*others, Visitor(home.bridge, "ingo")):
        assert "1.000 kWh" in visitor.read(f"{REPORT}?month=2026-10")
        assert "Bluebell" not in visitor.get(f"{REPORT}?month=2026-10")
        assert "Bluebell" not in visitor.client.get("/api/charge-points/home-1/reports/2026-10").text
    for visitor in (*others, Visitor(home.bridge, "eve")):
        assert visitor.client.get(f"{REPORT}/sessions/1").status_code == 404
        assert visitor.post(f"{REPORT}/sessions/1", "/account", vehicle="mine").status_code == 404
    assert dora.client.get(f"{REPORT}/sessions/2").status_code == 404
    assert "Bluebell" in dora.read(REPORT + "?month=2026-10")


def test_history_leads_to_the_report(home: Home, dora: Visitor) -> None:
    home.charge("2026-11-09T12:00", 1, 1000)
    assert f'<a href="{REPORT}">Monthly report</a>' in dora.get("/charge-points/home-1/history?days=7")
    home.bridge.clock.advance(40 * DAY_MS)
    assert f'<a href="{REPORT}">Monthly report</a>' in Visitor(home.bridge, "dora").get("/charge-points/home-1/history")
