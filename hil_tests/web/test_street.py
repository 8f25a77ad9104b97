"""Are the mission's pages accessible: screen reader, forced colours, enlarged, without scripts, with the keyboard alone?

All tests use one street (street.py), in which each home shows a different state.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from hil_tests.fixtures.mqtt_unit import MqttUnit
from hil_tests.web.forced_colours import lost_in_forced_colours
from hil_tests.web.keyboard import tab_to
from hil_tests.web.residents import Residents
from hil_tests.web.street import HOMES, Street, street
from hil_tests.web.trees import FOLDER, difference, trees
from hil_tests.web.visitor import LOOKS, ZOOMED

HISTORY = f"/charge-points/{HOMES['dora']}/history"
JOB = "/jobs/1"
COLOURED = {
    "dora": ("/", f"/charge-points/{HOMES['dora']}/charging", HISTORY),
    "sam": ("/", "/support/1"),
    "rita": ("/",),
    "carl": ("/", "/account"),
    "ingo": ("/jobs", JOB),
    "sue": ("/support", "/support/1", f"/charge-points/{HOMES['sam']}/jobs"),
    "olga": ("/fleet", "/status"),
}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with street(tmp_path_factory.mktemp("the street")) as here:
        here.settle()
        yield here


@pytest.fixture(scope="module")
def residents(browser: Browser, here: Street) -> Iterator[Residents]:
    residents = Residents(browser, here.place)
    yield residents
    residents.leave()


def test_the_accessibility_trees_are_those_that_are_kept(residents: Residents, here: Street) -> None:
    found = dict(trees(residents, here))
    changed = [line for name, tree in found.items() for line in difference(name, tree)]
    assert not changed, "\n".join(["", *changed, "Meant? python -m hil_tests.web.trees"])
    assert set(found) == {path.stem for path in FOLDER.glob("*.txt")}


@pytest.mark.parametrize("name", COLOURED)
def test_nothing_is_lost_in_forced_colours(residents: Residents, name: str) -> None:
    """On a phone and on a desk: can controls, states and the focus be seen without the page's own colours?"""
    with residents.page_of(name) as page:
        for path in COLOURED[name]:
            page.goto(path)
            for look, settings in LOOKS.items():
                page.set_viewport_size(settings["viewport"])
                lost = lost_in_forced_colours(page)
                assert not lost, "\n".join([f"{path} on a {look}", *lost])


def test_the_steps_of_a_job_are_told_apart_in_forced_colours(residents: Residents) -> None:
    """Can done, next and later steps be told apart?"""
    with residents.page_of("sue") as page:
        page.goto(f"/charge-points/{HOMES['hana']}/jobs")
        page.get_by_role("button", name="Raise it").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(HOMES["hana"])
        job = urlsplit(page.url).path
    with residents.page_of("ingo") as page:
        page.goto(job)
        for step in ("Accept the job", "I have arrived"):
            page.get_by_role("button", name=step).click()
        expect(page.get_by_role("button", name="Measure: keep as before")).to_be_visible()
        lost = lost_in_forced_colours(page)
        assert not lost, "\n".join(["", *lost])


def test_the_plan_is_seen_in_forced_colours(residents: Residents) -> None:
    """In a theme of the system, hours with charging have another colour than hours without."""
    with residents.page_of("hana") as page:
        page.emulate_media(forced_colors="active")
        page.goto("/")
        track, charge = (
            page.locator(f".plan .{part}").first.evaluate("part => getComputedStyle(part).fill")
            for part in ("track", "charge")
        )
        assert track != charge


def test_a_job_is_not_cut_off_at_400_per_cent(residents: Residents) -> None:
    with residents.page_of("ingo") as page:
        page.set_viewport_size(ZOOMED)
        page.goto(JOB)
        expect(page.locator(".plot canvas").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_history_is_read_without_scripts(residents: Residents) -> None:
    """Do tables contain all that the charts show, and is another time span a link?"""
    with residents.page_of("dora", scripts=False) as page:
        page.goto(HISTORY)
        page.get_by_role("link", name="30 days").click()
        expect(page.get_by_role("link", name="30 days")).to_have_attribute("aria-current", "page")
        for table, column in (("Reach", "Reached"), ("Signal", "Mean"), ("Energy", "Energy")):
            figure = page.get_by_role("figure").filter(has_text=f"{table} as a table")
            figure.get_by_text(f"{table} as a table").click()
            expect(figure.get_by_role("columnheader", name=column)).to_be_visible()


def test_a_job_is_done_without_scripts(residents: Residents) -> None:
    """Are the verdict, the evidence and the form that closes the job there?"""
    with residents.page_of("ingo", scripts=False) as page:
        page.goto(JOB)
        page.get_by_role("button", name="Refresh").click()
        expect(page.locator(".verdict-now")).to_contain_text("Good: 19 CSQ, needs more than 14")
        page.get_by_text("Signal as a table").click()
        expect(page.get_by_role("columnheader", name="Mean")).to_be_visible()
        page.get_by_role("link", name="Done: close the job").click()
        expect(page.get_by_label("What was done")).to_have_value("Signal boost fitted: CSQ 11 before, CSQ 19 after.")
        expect(page.get_by_role("button", name="Close the job", exact=True)).to_be_visible()


def test_charge_now_and_a_limit_with_the_keyboard_alone(residents: Residents, here: Street) -> None:
    charger = here.charger(HOMES["lou"])
    charger.subscribe_to_commands()
    with residents.page_of("lou") as page:
        page.goto(f"/charge-points/{HOMES['lou']}/charging")
        tab_to(page, page.get_by_role("button", name="Charge now", exact=True))
        page.keyboard.press("Enter")
        assert _accepted(page, charger)["on"] is True
        amps = page.get_by_label("At most")
        tab_to(page, amps)
        page.keyboard.press("ArrowUp")
        expect(amps).to_have_value("13")
        tab_to(page, page.get_by_role("button", name="Limit it"))
        page.keyboard.press("Space")
        assert _accepted(page, charger)["amps"] == 13


def _accepted(page: Page, charger: MqttUnit) -> dict[str, object]:
    """Return the command that the charger received. The charger accepts it, and the page shows that."""
    main = page.get_by_role("main")
    expect(main).to_contain_text("Waiting for your charger")
    command = charger.next_command()
    charger.report("result", id=command["id"], ok=True)
    expect(main).to_contain_text("Your charger has accepted it")
    return command


def test_a_lost_car_account_is_back_with_the_keyboard_alone(residents: Residents, here: Street) -> None:
    """Through Account, Vehicle Details, the vehicle, Connect your Vehicle, Continue, and the car maker's consent."""
    here.accounts["carl"].lose_access()
    with residents.page_of("carl") as page:
        page.goto("/")
        tab_to(page, page.get_by_role("button", name="Refresh"))
        page.keyboard.press("Enter")
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text("Connect your Vehicle")
        for way in ("Account", "Vehicle Details", "Leaf", "Connect your Vehicle"):
            tab_to(page, page.get_by_role("link", name=re.compile(f"^{way}")))
            page.keyboard.press("Enter")
            expect(heading).to_have_text(way)
        tab_to(page, page.get_by_role("button", name="Continue"))
        page.keyboard.press("Space")
        allow = page.get_by_role("button", name="Allow", exact=True)
        expect(allow).to_be_visible()
        tab_to(page, allow)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Your vehicle is connected")).to_be_visible()
