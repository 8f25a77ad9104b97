"""`python -m hil_tests.web.five_tasks`: the five most frequent tasks, counted in actions and timed, on a phone and a desk.

An action is one tap or one typed text. A task starts on the first page after the login and ends when its result is visible.
The seconds are the product's share, without reading or thinking. Exit code 1 if a task takes more than MOST_ACTIONS.
test_five_tasks.py asserts the actions, but not the seconds, which depend on the machine.
"""

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, Page, expect, sync_playwright

from hil_tests.demo.browser import Browser as Sender
from hil_tests.fixtures.background import Background
from hil_tests.fixtures.mqtt_unit import MqttUnit
from hil_tests.web.cloud_fixture import CHROMIUM, PATIENCE_MS, WebCloudFixture
from hil_tests.web.visitor import LOOKS

MOST_ACTIONS = 3
SITE = ZoneInfo("Europe/London")
AHEAD_H, LASTS_H = 2, 3  # hours from now until charging starts, and its duration: on the bar of tonight's plan
WAITS = {"s": "B1", "a": 0, "w": 0, "l": 0, "y": "schedule"}
CHARGES = {"s": "C2", "a": 32, "w": 7360, "l": 32, "y": "installer", "i": ["override"]}


class Home(NamedTuple):
    """A driver whose vehicle waits for its hours, and an installer with a finished job that is still open."""

    unit_id: str
    driver: str
    installer: str
    charger: MqttUnit
    charges_s: int  # when charging starts, in seconds since 1970

    def report(self, **state: object) -> None:
        self.charger.report("heartbeat", t=int(time.time()), m="smart", q=19, o="23415", e=125_000, f=[], **state)


class Hand:
    """A person's actions on a page, counted."""

    def __init__(self, page: Page) -> None:
        self.page, self.actions = page, 0

    def taps(self, name: str) -> None:
        """Click a link or a button, after scrolling to it if necessary."""
        self.actions += 1
        link, button = (self.page.get_by_role(role, name=name, exact=True) for role in ("link", "button"))
        link.or_(button).first.click()

    def opens(self, unit_id: str) -> None:
        """Open the entry of this charger in a list."""
        self.actions += 1
        self.page.get_by_role("main").get_by_role("link", name=unit_id).first.click()

    def types(self, label: str, text: str) -> None:
        self.actions += 1
        self.page.get_by_label(label).fill(text)

    def sees(self, words: str) -> None:
        expect(self.page.get_by_role("main")).to_contain_text(words, timeout=PATIENCE_MS)


def is_my_charger_well(hand: Hand, home: Home) -> None:
    for words in ("Last contacted", "Working", "Vehicle connected, waiting"):
        hand.sees(words)


def tonights_plan(hand: Hand, home: Home) -> None:
    expect(hand.page.locator("svg.plan")).to_be_visible(timeout=PATIENCE_MS)
    hand.sees(_clock(home.charges_s))


def charge_now(hand: Hand, home: Home) -> None:
    hand.taps("Charge now")
    home.charger.report("result", id=home.charger.next_command()["id"], ok=True)
    home.report(**CHARGES)
    hand.sees("Charges now, as you asked")


def ask_for_help(hand: Hand, home: Home) -> None:
    hand.taps("Ask for help")
    hand.types("message", "It drops out each evening.")
    hand.taps("Send")
    hand.sees("We have your message")


def close_a_job(hand: Hand, home: Home) -> None:
    hand.taps("Jobs")
    hand.opens(home.unit_id)
    hand.taps("Close the job")
    hand.sees("Outcome: ")


Task = Callable[[Hand, Home], None]
TASKS: dict[str, tuple[str, Task]] = {  # role and function, in the order of execution
    "is my charger well": ("driver", is_my_charger_well),
    "tonight's plan": ("driver", tonights_plan),
    "charge now": ("driver", charge_now),
    "ask for help": ("driver", ask_for_help),
    "close a job": ("installer", close_a_job),
}


class Done(NamedTuple):
    """The result of a task."""

    look: str
    task: str
    actions: int
    seconds: float


def move_in(place: WebCloudFixture, look: str) -> Home:
    """Return a new home for this look. `place` must have sue of support."""
    home = _home(place, look)
    home.charger.subscribe_to_commands()
    home.charger.report("event", t=int(time.time()), k="schedule", d={"to": _avoided(home.charges_s)})
    home.report(**WAITS, u=home.charges_s)
    background = Background()
    try:
        background.run(_do_the_job(place, home))
    finally:
        background.close()
    return home


def do_all(browser: Browser, place: WebCloudFixture, look: str) -> list[Done]:
    """Do each task once, each in a new browser on the first page."""
    home = move_in(place, look)
    done = []
    for task, (who, do) in TASKS.items():
        page = browser.new_context(**LOOKS[look]).new_page()
        place.log_in(page, home.driver if who == "driver" else home.installer)
        hand, began_s = Hand(page), time.monotonic()
        do(hand, home)
        done.append(Done(look, task, hand.actions, time.monotonic() - began_s))
        page.context.close()
    return done


def _home(place: WebCloudFixture, look: str) -> Home:
    unit_id, driver, installer = f"CK-five-{look}", f"fay-{look}", f"finn-{look}"
    place.person(driver, "driver")
    place.person(installer, "installer")
    charger = place.charger(unit_id, driver)
    place.command("unit", "assign", unit_id, installer)
    now_s = int(time.time())
    return Home(unit_id, driver, installer, charger, now_s - now_s % 3600 + AHEAD_H * 3600)


def _avoided(charges_s: int) -> str:
    """Return the schedule of the hours in which the unit does not charge, in its own syntax."""
    begins, ends = (_clock(charges_s + hours * 3600) for hours in (0, LASTS_H))
    if begins > ends > "00:00":
        return f"mon-sun {ends}-{begins}"
    spans = [f"00:00-{begins}" if begins > "00:00" else "", f"{ends}-24:00" if ends > "00:00" else ""]
    return " ".join(["mon-sun", *filter(None, spans)])


def _clock(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, SITE):%H:%M}"


async def _do_the_job(place: WebCloudFixture, home: Home) -> None:
    async with Sender(place.address) as sue:
        await sue.log_in("sue", place.logins["sue"])
        await sue.send_form(f"/charge-points/{home.unit_id}/jobs", reason="Weak signal.")
    async with Sender(place.address) as installer:
        await installer.log_in(home.installer, place.logins[home.installer])
        found = re.search(r'href="(/jobs/\d+)', await installer.read("/jobs"))
        if found is None:
            raise LookupError("the installer's page does not show the job")
        job = found[1]
        for number, step in enumerate(("accept", "arrive", "measure", "fit")):
            await installer.send_form(f"{job}/{step}", job, moves=str(number))


def main() -> int:
    argparse.ArgumentParser(prog="python -m hil_tests.web.five_tasks", description=__doc__).parse_args()
    done: list[Done] = []
    with tempfile.TemporaryDirectory(prefix="chargekeeper-five-") as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        place = WebCloudFixture(Path(folder))
        try:
            place.person("sue", "support")
            for look in LOOKS:
                done += do_all(browser, place, look)
        finally:
            browser.close()
            place.stop()
    print("| task | on a | actions | seconds |\n| --- | --- | --- | --- |")
    for one in done:
        print(f"| {one.task} | {one.look} | {one.actions} of {MOST_ACTIONS} | {one.seconds:.1f} |")
    return 1 if any(one.actions > MOST_ACTIONS for one in done) else 0


if __name__ == "__main__":
    sys.exit(main())
