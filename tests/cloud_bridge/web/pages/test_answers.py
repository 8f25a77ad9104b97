"""Is support's answer announced to its driver on every page, including open ones, until they have read it?"""

import re
from collections.abc import Callable
from typing import NamedTuple

import pytest

from cloud_bridge.durations import DAY_MS
from cloud_bridge.store.access import Role
from tests.cloud_bridge.people import Visitor, entrust, text_of, unit_of
from tests.cloud_bridge.running import Bridge, sample

LINE = "Support answered you at 00:00: read it"
HX = {"HX-Request": "true"}


class Cast(NamedTuple):
    driver: Visitor
    support: Visitor


@pytest.fixture
def cast(bridge: Bridge) -> Cast:
    """Dora has sent a message about home-1."""
    unit_of(bridge, "dora")
    driver = Visitor(bridge, "dora")
    driver.post("/charge-points/home-1/support", text="It hums.")
    return Cast(driver, Visitor(bridge, "sue", Role.SUPPORT))


def badge(visitor: Visitor, path: str = "/account") -> str:
    """Return the count in the navigation, whose visible and spoken forms must agree."""
    html = visitor.get(path)
    seen, said = re.search(r'class="badge"[^>]*>(\d*)<', html), re.search(r'id="news" hidden>([^<]*)<', html)
    assert seen and said and said[1] == (f"{seen[1]} new" if seen[1] else "")
    return seen[1]


def mark(visitor: Visitor) -> str:
    """Return the mark of the dashboard's contents: a live page gets a new dashboard when it differs."""
    found = re.search(r'data-live="[^"]*seen=([^"]+)"', visitor.get("/charge-points/home-1"))
    assert found
    return found[1]


def answer(cast: Cast, text: str = "Try the isolator.") -> None:
    assert cast.support.post("/support/1", text=text).status_code == 200


def newest(visitor: Visitor) -> tuple[str, str]:
    """Return what an open conversation shows: its newest message, and the status below."""
    found = re.search(r'data-after="(\d+)" data-progress="([^"]*)"', visitor.get("/support/1"))
    assert found
    return found[1], found[2]


def test_every_page_counts_what_is_new_for_whoever_looks(cast: Cast) -> None:
    assert (badge(cast.driver), badge(cast.support)) == ("", "1"), "one waits for support"
    answer(cast)
    assert (badge(cast.driver), badge(cast.support)) == ("1", "")
    answer(cast, "And call us.")
    assert [badge(cast.driver, path) for path in ("/account", "/support", "/status", "/")] == ["2"] * 4
    assert "New answer" in cast.driver.read("/support")
    assert badge(cast.driver, "/support/1") == "", "it is read now"
    assert badge(cast.driver) == ""
    assert "New answer" not in cast.driver.read("/support")


def test_only_its_person_reads_an_answer_and_only_by_looking(bridge: Bridge, cast: Cast) -> None:
    answer(cast)
    cast.driver.client.head("/support/1")
    cast.driver.client.get("/support/1", headers={"Sec-Purpose": "prefetch;prerender"})
    cast.support.get("/support/1")
    assert Visitor(bridge, "ned", Role.DRIVER).client.get("/support/1").status_code == 404
    assert badge(cast.driver) == "1"
    cast.driver.get("/support/1")
    assert badge(cast.driver) == ""


def test_the_dashboard_leads_to_the_answer_and_an_open_one_follows(cast: Cast) -> None:
    before = mark(cast.driver)
    answer(cast)
    html = cast.driver.get("/")
    assert LINE in text_of(html) and '<a href="/support/1#newest">' in html and 'data-news="1"' in html
    assert mark(cast.driver) != before
    page = cast.support.get("/charge-points/home-1")
    assert '<div id="help">' in page, "of support the page counts something else"
    cast.driver.get("/support/1")
    assert LINE not in cast.driver.read("/")
    assert mark(cast.driver) == before


def test_an_open_conversation_is_sent_what_it_lacks_and_reads_it(cast: Cast) -> None:
    after, progress = newest(cast.driver)
    path = f"/support/1/news?after={after}&progress={progress}"
    assert cast.driver.client.get(path).status_code == 204
    answer(cast)
    html = cast.driver.get(path)
    assert "Try the isolator." in html and "It hums." not in html and "We have your message" not in html
    assert badge(cast.driver) == "", "who has it open has read it"
    after, progress = newest(cast.driver)
    assert cast.driver.client.get(f"/support/1/news?after={after}&progress={progress}").status_code == 204
    seen_by_support = cast.support.get("/support/1/news?after=0")
    assert "It hums." in seen_by_support and "What the charger told us" in seen_by_support


@pytest.mark.parametrize("query", ["", "after=-1", f"after={2**63}", "after=x", f"after=0&progress={'x' * 61}"])
def test_nobody_else_is_sent_it_and_no_other_question_is_answered(bridge: Bridge, cast: Cast, query: str) -> None:
    assert cast.driver.client.get(f"/support/1/news?{query}").status_code == 404
    ned = Visitor(bridge, "ned", Role.DRIVER)
    assert ned.client.get("/support/1/news?after=0").status_code == 404
    assert bridge.stranger().get("/support/1/news?after=0", headers=HX).status_code == 401


def test_the_driver_sees_how_far_their_installers_job_is_and_not_what_is_in_it(bridge: Bridge, cast: Cast) -> None:
    installer = Visitor(bridge, "ingo", Role.INSTALLER)
    entrust(bridge, "home-1", "ingo")
    marks = [mark(cast.driver)]
    path = cast.support.post("/charge-points/home-1/jobs", reason="It may be the antenna").url.path
    after, progress = newest(cast.driver)
    steps: dict[str, Callable[[], object]] = {
        "Your installer has been asked on Thu 1 Jan.": lambda: None,
        "Your installer has accepted and plans a visit.": lambda: installer.post(f"{path}/accept", path),
        "Done on Thu 1 Jan.": lambda: installer.post(f"{path}/close", path, outcome="A mast"),
    }
    for words, step in steps.items():
        step()
        for page in ("/", "/support/1"):
            said = cast.driver.read(page)
            assert words in said and "antenna" not in said and "mast" not in said
        marks.append(mark(cast.driver))
    assert len(set(marks)) == 4, "an open dashboard follows each step"
    assert "Done on" in cast.driver.get(f"/support/1/news?after={after}&progress={progress}")
    bridge.clock.advance(7 * DAY_MS)
    assert "Done on" not in cast.driver.read("/")


def test_a_new_owner_sees_no_job_of_before(bridge: Bridge, cast: Cast) -> None:
    entrust_to = Visitor(bridge, "ingo", Role.INSTALLER)
    entrust(bridge, "home-1", entrust_to.name)
    cast.support.post("/charge-points/home-1/jobs", reason="The antenna")
    cast.driver.post("/account/units/home-1/release", "/account/units/home-1")
    assert "Your installer was asked" not in cast.driver.read("/support/1"), "it is not theirs any more"


def test_a_red_light_leads_to_a_message_whose_facts_are_read_before(bridge: Bridge) -> None:
    unit = unit_of(bridge, "dora")
    driver, support = Visitor(bridge, "dora"), Visitor(bridge, "sue", Role.SUPPORT)
    unit.publish("cp/home-1/event", b'{"n":1,"b":1,"k":"fault_raised","d":{"fault":"rcd_dc"}}')
    unit.publish("cp/home-1/heartbeat", sample("heartbeat-fault").replace(b'"rcd_ac"', b'"rcd_dc","new_one"'))
    bridge.clock.advance(1)
    html = driver.get("/")
    assert '<a class="button" href="/charge-points/home-1/support">Ask for help</a>' in html
    before = driver.read("/charge-points/home-1/support")
    facts = "Faults Earth leakage (DC), since Thu 1 Jan, 00:00; A fault that we do not know (new_one)"
    assert facts in before and "rcd_dc" not in before
    assert "My charger shows a red light: Earth leakage (DC), A fault that we do not know (new_one)." in before
    driver.post("/charge-points/home-1/support", text="My charger shows a red light.")
    assert facts in support.read("/support/1")


@pytest.mark.parametrize("silent", [False, True])
def test_who_can_be_asked_is_who_is_really_there(bridge: Bridge, silent: bool) -> None:
    """Support by message is always available; installer, operator and manufacturer only if known."""
    unit = unit_of(bridge, "dora")
    driver = Visitor(bridge, "dora")
    unit.publish("cp/home-1/heartbeat", sample("heartbeat-charging" if silent else "heartbeat-fault"))
    if silent:
        bridge.clock.advance(31 * 60_000)
    pages = ("/", "/charge-points/home-1/support")
    for page in pages:
        said = driver.read(page)
        assert "installer" not in said and "anufacturer" not in said and "Contact us" not in said
        assert re.search(r"Ask for help|Get help", said)
    settings = bridge.app_state.settings
    object.__setattr__(settings, "help", "0800 000 000, any time")
    entrust_to = Visitor(bridge, "ingo", Role.INSTALLER)
    entrust(bridge, "home-1", entrust_to.name)
    for page in pages:
        said = driver.read(page)
        assert (
            "Contact us 0800 000 000, any time" in said and "Your installer ingo" in said and "anufacturer" not in said
        )
