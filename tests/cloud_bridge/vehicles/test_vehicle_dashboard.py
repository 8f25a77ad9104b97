"""Does the dashboard show what is wrong with the car's account and what to do, and nothing false?"""

import re
from typing import Any

import pytest

from cloud_bridge.alerts.alarm import Alarm
from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.vehicles.linking.link_errors import Refusal
from cloud_bridge.vehicles.plan import PlanReason
from cloud_bridge.vehicles.providers.provider_errors import AUTHORISE_AGAIN, LASTING, REFUSALS, Trouble
from cloud_bridge.web.presentation.vehicle_words import AT_ONCE, LOST, REFUSED
from tests.cloud_bridge.running import DEADLINE_S, sample
from tests.cloud_bridge.vehicles.browsing import Driver
from tests.cloud_bridge.web.test_pages import text_of


def mark_in(html: str) -> str:
    found = re.search(r'[?]seen=([^"]+)"', html)
    assert found, html
    return found[1]


def test_every_lasting_trouble_and_every_refusal_has_its_words() -> None:
    assert set(LOST) == LASTING
    assert set(REFUSED) == set(Refusal)
    assert set(AT_ONCE) == set(PlanReason) - {PlanReason.TIME_LEFT}


@pytest.mark.parametrize("trouble", sorted(LASTING))
def test_lost_access_is_an_error_that_says_what_to_do(ann: Driver, trouble: Trouble) -> None:
    ann.link()
    ann.trouble(trouble)
    html = ann.client.get("/").text
    assert html.count('role="alert"') == 1
    title, _, remedy = (text.format(car="Blue", maker="Maker") for text in LOST[trouble])
    assert title in text_of(html).replace("&#39;", "'")
    assert remedy in text_of(html).replace("&#39;", "'")
    assert "You can charge all the same." in text_of(html)
    reconnect = "/account/vehicles/1/connect" in ann.post("/account/vehicles/1/refresh").headers["Location"]
    assert reconnect == (trouble in AUTHORISE_AGAIN), "no loop through the maker's page that cannot help"


def test_lost_access_stands_right_under_last_contacted(ann: Driver) -> None:
    ann.own_unit().publish("cp/home-1/heartbeat", sample("heartbeat-charging"))
    ann.link()
    before = mark_in(ann.client.get("/").text)
    ann.trouble(Trouble.CONSENT_GONE)
    html = ann.client.get("/").text
    places = [html.index(text) for text in ("Last contacted", "We have lost access to Blue", 'id="unit"')]
    assert places == sorted(places)
    assert mark_in(html) != before, "an open page hears of it"


@pytest.mark.parametrize("trouble", sorted(set(Trouble) - LASTING - {Trouble.STALE_TOKEN}))
def test_transient_trouble_is_no_error(ann: Driver, trouble: Trouble) -> None:
    ann.link()
    ann.trouble(trouble)
    html = ann.client.get("/").text
    assert 'role="alert"' not in html
    assert ("the car maker refuses an answer" in html) == (trouble in REFUSALS), "a refusal is no silence"


def test_refresh_clears_the_error_when_access_is_back(ann: Driver) -> None:
    ann.link()
    ann.trouble(Trouble.REMOTE_OFF)
    ann.maker.trouble.clear()
    assert ann.post("/account/vehicles/1/refresh", back="dashboard").headers["Location"] == "/"
    assert 'role="alert"' not in ann.client.get("/").text


def test_the_makers_own_words_are_shown_and_only_as_text(ann: Driver) -> None:
    ann.link()
    ann.trouble(Trouble.SUBSCRIPTION, "Renew <b>it</b>.")
    assert "Renew &lt;b&gt;it&lt;/b&gt;." in ann.client.get("/").text


def test_a_silent_charger_whose_car_says_that_it_charges_is_said_in_words(ann: Driver) -> None:
    ann.own_unit().publish("cp/home-1/heartbeat", sample("heartbeat-charging"))
    ann.maker.charge["charging"] = True
    ann.link()
    assert "The car says it is charging" not in ann.client.get("/").text
    ann.bridge.clock.advance(31 * MINUTE_MS)
    ann.post("/account/vehicles/1/refresh")
    said = text_of(ann.client.get("/").text)
    assert "The car says it is charging We do not hear your charger, but Blue told Maker just now" in said
    assert said.index("We have not heard") < said.index("The car says") < said.index("What to do"), (
        "on a phone's screen"
    )
    ann.bridge.clock.advance(61 * MINUTE_MS)
    assert "The car says it is charging" not in ann.client.get("/").text, "that was then"


def test_ready_by_is_a_claim_that_ends_by_itself(ann: Driver) -> None:
    unit = ann.own_unit()
    unit.subscribe("cp/home-1/command")
    ann.link()
    assert "Ready by" in ann.client.get("/account/vehicles/1").text
    wish = {"unit_id": "home-1", "time": "07:00", "target": "80", "capacity_kwh": "60", "power_kw": "7.4"}
    done = ann.post("/account/vehicles/1/ready-by", **wish)
    assert done.headers["Location"] == "/charge-points/home-1/charging"
    assert unit.heard.wait(DEADLINE_S)
    command: Any = unit.commands[-1]
    now_s = ann.bridge.clock.now_ms() // 1000
    assert command["do"] == "pause"
    assert now_s < command["exp"] < now_s + 7 * 3600, "it begins before seven"
    done = ann.post("/account/vehicles/1/ready-by", **(wish | {"target": "50"}))
    assert "Charging at once The battery is as full as you want it" in text_of(
        ann.client.get(done.headers["Location"]).text
    )
    for wrong in (
        {"unit_id": "other"},
        {"time": "25:00"},
        {"target": "nan"},
        {"power_kw": "0"},
        {"capacity_kwh": "-1"},
    ):
        assert ann.post("/account/vehicles/1/ready-by", **(wish | wrong)).status_code in (404, 422)


def test_a_plan_stands_on_the_dashboard_until_it_is_forgotten(ann: Driver) -> None:
    ann.own_unit().publish("cp/home-1/heartbeat", sample("heartbeat-charging"))
    ann.link()
    wish = {"unit_id": "home-1", "time": "07:00", "target": "80", "capacity_kwh": "60", "power_kw": "7.4"}
    before = mark_in(ann.client.get("/charge-points/home-1").text)
    ann.post("/account/vehicles/1/ready-by", **wish)
    html = ann.client.get("/charge-points/home-1").text
    assert "Ready by 07:00: we look at it in a minute." in text_of(html)
    assert mark_in(html) != before, "an open page hears of it"
    Alarm(ann.bridge.app_state.database, ann.bridge.clock, None).notice_departures()
    assert "Ready by 07:00: on track for 80 %" in text_of(ann.client.get("/charge-points/home-1").text)
    ann.post("/charge-points/home-1/ready-by/end")
    assert "Ready by 07:00" not in text_of(ann.client.get("/charge-points/home-1").text)
