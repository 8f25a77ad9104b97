"""Does a driver with a car and without a charger have a first page with the car's state and its time?"""

import re

import pytest

from cloud_bridge.durations import DAY_MS, MINUTE_MS
from cloud_bridge.store.access import Role
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import Bridge, sample
from tests.cloud_bridge.vehicles.acting import BLUE, RED
from tests.cloud_bridge.vehicles.browsing import Driver
from tests.cloud_bridge.web.test_pages import text_of


def tabs(html: str) -> list[tuple[str, str]]:
    """Return the tabs of the navigation: address and name."""
    main = html[html.index('<nav class="tabs"') : html.index("</nav>")]
    return re.findall(r'<a href="([^"]*)"[^>]*><svg.*?</svg>([^<]*)', main, re.DOTALL)


def said(ann: Driver, path: str = "/") -> str:
    return text_of(ann.client.get(path).text)


def test_the_account_s_age_is_at_the_top_and_the_car_in_words_below(ann: Driver) -> None:
    ann.link()
    text = said(ann)
    assert "Last heard from your car account Just now Maker" in text
    assert "Plugged in, not charging Blue · Connected 50 %" in text
    assert "Have a charger? Claim it" in text
    assert text.index("Last heard") < text.index("Plugged in, not charging")


def test_both_ages_go_on_by_themselves(ann: Driver) -> None:
    ann.link()
    ann.bridge.clock.advance(7 * MINUTE_MS)
    html = ann.client.get("/").text
    assert html.count(f'data-age-ms="{7 * MINUTE_MS}">7 minutes ago') == 2, "of the account, and of what the car told"


def test_what_is_old_is_told_as_what_was(ann: Driver) -> None:
    ann.maker.charge["charging"] = True
    ann.link()
    assert "Charging Blue" in said(ann)
    ann.bridge.clock.advance(60 * MINUTE_MS)
    assert "Was charging" not in said(ann)
    ann.bridge.clock.advance(1)
    text = said(ann)
    assert "Late" in text and "Was charging Blue" in text
    assert "This is the last it told, on" in text


def test_a_car_that_sleeps_is_heard_of_through_its_account_and_its_state_is_what_was(ann: Driver) -> None:
    ann.link()
    ann.bridge.clock.advance(3 * 60 * MINUTE_MS)
    ann.trouble(Trouble.ASLEEP)
    text = said(ann)
    assert "Last heard from your car account Just now" in text
    assert "Was plugged in, not charging" in text and "Last seen 3 hours ago" in text


def test_a_failure_is_no_answer_and_the_age_goes_on(ann: Driver) -> None:
    ann.link()
    ann.bridge.clock.advance(20 * MINUTE_MS)
    ann.trouble(Trouble.OUTAGE)
    text = said(ann)
    assert "Last heard from your car account 20 minutes ago" in text
    assert "No answer" in text and "Was plugged in" in text


def test_a_clock_that_was_wrong_makes_no_account_fresh(ann: Driver) -> None:
    ann.link()
    ann.bridge.clock.advance(-DAY_MS)
    assert "We cannot tell" in said(ann)
    ann.post("/account/vehicles/1/refresh")
    assert "We cannot tell" not in said(ann)


def test_lost_access_is_an_error_with_both_ways_back(ann: Driver) -> None:
    ann.link()
    ann.trouble(Trouble.CONSENT_GONE)
    html = ann.client.get("/").text
    text = text_of(html)
    assert text.index("Last heard") < text.index("We have lost access to Blue") < text.index("Was plugged in")
    problem = html[html.index('role="alert"') :]
    problem = problem[: problem.index("</section>")]
    assert 'action="/account/vehicles/1/refresh"' in problem and 'href="/account/vehicles/1"' in problem
    assert "Access lost" in text
    refreshed = ann.post("/account/vehicles/1/refresh", back="dashboard")
    assert refreshed.headers["Location"] == "/account/vehicles/1/connect"
    assert "Connect your Vehicle" in said(ann, "/account/vehicles/1")
    assert ">Continue</button>" in ann.client.get("/account/vehicles/1/connect").text
    ann.maker.trouble.clear()
    assert ann.post("/account/vehicles/1/refresh", back="vehicles").headers["Location"] == "/vehicles"
    assert "Access lost" not in said(ann)


def test_several_cars_are_told_apart(ann: Driver) -> None:
    ann.maker.garage = [BLUE, RED]
    choice = ann.come_back(state=ann.leave(), code="c").headers["Location"]
    ann.post(choice, car=["car-1", "car-2"])
    html = ann.client.get("/").text
    assert "Blue · Maker" in text_of(html) and "Red · Maker" in text_of(html)
    assert html.count("<h1>") == 1


def test_the_tabs_are_those_of_what_there_is(ann: Driver) -> None:
    rest = [("/support", "Support"), ("/account", "Account")]
    charger, vehicles = ("/", "Charger"), ("/vehicles", "Vehicles")
    assert tabs(ann.client.get("/").text) == [charger, *rest]
    assert "Where would you like to begin?" in said(ann)
    assert all(f'href="{way}"' in ann.client.get("/").text for way in ("/account/units", "/account/vehicles/connect"))
    assert ann.client.get("/vehicles", follow_redirects=False).headers["Location"] == "/"
    ann.link()
    assert tabs(ann.client.get("/").text) == [("/", "Vehicles"), *rest]
    assert tabs(ann.client.get("/nowhere").text) == [("/", "Vehicles"), *rest], "on the page of a mistake too"
    ann.own_unit().publish("cp/home-1/heartbeat", sample("heartbeat-charging"))
    for path, current in (("/", "Charger"), ("/vehicles", "Vehicles"), ("/account", "Account")):
        html = ann.client.get(path).text
        assert tabs(html) == [charger, vehicles, *rest]
        marked = re.search(r'aria-current="page"><svg.*?</svg>(\w+)', html, re.DOTALL)
        assert marked and marked[1] == current
    assert "Have a charger?" not in said(ann, "/vehicles")
    assert "Last contacted" in said(ann) and "Last heard from your car account" in said(ann, "/vehicles")


@pytest.mark.parametrize("role", [Role.INSTALLER, Role.SUPPORT])
def test_others_have_no_such_tab(bridge: Bridge, role: Role) -> None:
    visitor = Visitor(bridge, "ida", role)
    assert "Vehicles" not in [name for _, name in tabs(visitor.get("/support"))]
