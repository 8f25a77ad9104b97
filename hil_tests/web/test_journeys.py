"""Does every path of the app lead to the right page, by clicks alone, on a phone and on a desk?"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from hil_tests.fixtures.mqtt_unit import MqttUnit
from hil_tests.web.cloud_fixture import WebCloudFixture
from hil_tests.web.letters import Letters
from hil_tests.web.visitor import LOOKS, Visitor

LETTER_WITHIN_S = 60
REPORT = Path(__file__).parents[2] / "tests" / "samples" / "reports" / "after.html"  # written by the installer's tool


@dataclass
class Cast:
    """A separate home for each size, with its people."""

    unit_id: str
    driver: str
    installer: str
    charger: MqttUnit
    visit: Callable[[str], Visitor]


@pytest.fixture(scope="module", params=LOOKS)
def cast(request: pytest.FixtureRequest, browser: Browser, place: WebCloudFixture) -> Iterator[Cast]:
    look = request.param
    unit_id, driver, installer = f"CK-{look}", f"dan-{look}", f"ivy-{look}"
    place.person(driver, "driver")
    place.person(installer, "installer")
    charger = place.charger(unit_id, driver)
    place.command("unit", "assign", unit_id, installer)
    place.two_weeks_of_signal(unit_id)
    charger.report("heartbeat", s="B2", m="smart", q=17, o="23415", a=32, w=0, e=128200, f=[])
    guests: list[Visitor] = []

    def visit(name: str) -> Visitor:
        guests.append(Visitor(browser, place, name, look))
        return guests[-1]

    yield Cast(unit_id, driver, installer, charger, visit)
    for guest in guests:
        guest.leaves()


def test_history(cast: Cast) -> None:
    driver = cast.visit(cast.driver)
    driver.comes_to("Vehicle connected and full, or not ready yet")
    driver.clicks("History, signal and cost")
    for span in ("24 hours", "30 days", "7 days"):
        driver.clicks(span)
        driver.comes_to("History")
    expect(driver.page.locator(".plot canvas")).to_have_count(4)  # reach, signal, power and energy
    driver.page.locator(".plot").nth(1).hover(position={"x": 200, "y": 80})
    expect(driver.page.locator(".tip").nth(1)).to_contain_text("Mean")
    for table in ("Reach as a table", "Signal as a table", "Power as a table", "When it was silent"):
        driver.page.get_by_text(table).click()
    driver.comes_to("History")
    with driver.page.expect_download() as saved:
        driver.page.locator('a[href*="signal.csv"]').click()
    assert saved.value.path().read_text().startswith("at,csq,operator")


def test_smart_charging(cast: Cast) -> None:
    driver = cast.visit(cast.driver)
    cast.charger.subscribe_to_commands()
    driver.clicks("Hours, limit and tariff")
    for button, said, answer in (
        ("Charge now", "Charge now", {"ok": True}),
        ("Any time but weekday peaks", "not 08:00 to 11:00 or 16:00 to 22:00 on weekdays", {"ok": True}),
        ("Pause it", "Pause until", {"ok": False, "y": "time unknown"}),
    ):
        driver.clicks(button)
        driver.sees("Waiting for your charger")
        driver.comes_to("Smart charging")
        cast.charger.report("result", id=cast.charger.next_command()["id"], **answer)
        driver.sees("Your charger has accepted it" if answer["ok"] else "it does not know the time yet")
        driver.sees(said)
    driver.comes_to("Smart charging")


def test_a_tariff_and_own_hours_across_midnight(cast: Cast) -> None:
    driver = cast.visit(cast.driver)
    cast.charger.subscribe_to_commands()
    driver.clicks("Hours, limit and tariff")
    driver.page.locator('[name="preset"]').select_option("E.ON Next, Next Drive")
    driver.clicks("Show what it sets")
    driver.comes_to("E.ON Next, Next Drive")
    driver.sees("Every day, 00:00 to 07:00")
    driver.fills(rate="25.2")
    driver.clicks("Set hours and cost")
    _accepts(cast, driver, "mon-sun 07:00-24:00")
    driver.sees("7p per kWh from 00:00 to 07:00, 25.2p at other times")
    expect(driver.page.locator('[name="weekend_from_0"]').first).to_be_hidden()
    driver.fills(weekday_from_0="23:30", weekday_to_0="")
    driver.clicks("Charge at these times")
    driver.sees("Enter both times, such as 23:30 and 05:30")
    expect(driver.page.locator('[name="weekday_from_0"]').first).to_have_value("23:30")
    driver.comes_to("Smart charging")
    driver.fills(weekday_to_0="05:30")
    driver.clicks("Charge at these times")
    _accepts(cast, driver, "mon-sun 05:30-23:30")
    expect(driver.page.locator(".now").first).to_have_text("Every day, 23:30 to 05:30")


def _accepts(cast: Cast, driver: Visitor, hours: str) -> None:
    """The charger receives these hours and accepts them; the page shows it."""
    driver.sees("Waiting for your charger")
    command = cast.charger.next_command()
    assert command["hours"] == hours
    cast.charger.report("result", id=command["id"], ok=True)
    driver.sees("Your charger has accepted it")


def test_support_and_the_installer(cast: Cast) -> None:
    driver, support, installer = cast.visit(cast.driver), cast.visit("sue"), cast.visit(cast.installer)
    driver.clicks("Ask for help")
    driver.comes_to("Ask for help")
    driver.fills(text="It drops out each evening.")
    driver.clicks("Send")
    driver.comes_to(cast.unit_id)
    driver.sees("We have your message")

    support.clicks("Support")
    support.comes_to("Support")
    support.page.get_by_role("link", name=cast.driver).click()
    support.comes_to(f"{cast.driver}, {cast.unit_id}")
    support.sees("Signal in 7 days")
    support.fills(text="We send your installer.")
    support.clicks("Send")
    support.clicks("Raise with its installer")
    support.comes_to("Raise with the installer")
    support.clicks("Raise it")
    support.comes_to(cast.unit_id)

    driver.clicks("Support")
    driver.page.get_by_label("Conversations").get_by_role("link").first.click()
    driver.sees("We send your installer.")
    driver.goes_to(f"/charge-points/{cast.unit_id}/support")
    driver.sees("Your installer has been asked on")
    driver.page.get_by_text("What your installer is told about you").click()
    driver.clicks("Correct it")
    driver.comes_to("What the installer is told")
    driver.fills(address="4 Long Lane\nManchester M1 1AA", access_notes="Key at number 4")
    driver.clicks("Save")
    driver.comes_to("Ask for help")

    installer.clicks("Jobs")
    installer.comes_to("Jobs")
    installer.page.get_by_role("link", name=cast.unit_id).click()
    installer.comes_to(cast.unit_id)
    installer.sees("Key at number 4")
    installer.sees("Minutes of silence by the hour of the day")
    installer.clicks("Accept the job")
    installer.fills(day=(date.today() + timedelta(days=3)).isoformat(), ends="11:30")
    installer.clicks("Plan it")
    installer.sees("Visit planned for")
    driver.page.reload()
    driver.sees("9:00 to 11:30")
    installer.page.locator('[name="report"]').set_input_files(REPORT)
    installer.page.locator('[name="when"]').select_option("after")
    installer.clicks("Upload")
    expect(installer.page.locator(".verdict")).to_have_text("PASS")
    installer.clicks("I have arrived")
    installer.clicks("Measure: keep as before")
    installer.clicks("Done: close the job")
    installer.clicks("Boost fitted")
    installer.sees("Too early to say")
    installer.comes_to(cast.unit_id)
    installer.fills(outcome="An outside antenna.")
    installer.clicks("Close the job")
    installer.sees("Outcome: An outside antenna.")
    installer.clicks("Jobs")
    installer.sees("Done on")
    driver.page.reload()
    driver.sees("Done on")
    driver.comes_to("Ask for help")


def test_a_new_address_counts_once_its_letter_is_opened(cast: Cast, place: WebCloudFixture, letters: Letters) -> None:
    driver = cast.visit(cast.driver)
    driver.clicks("Account")
    driver.clicks("How to reach you")
    driver.page.get_by_role("link", name="E-mail").click()
    driver.comes_to("E-mail")
    driver.fills(address=f"{cast.driver}@example.org", password=place.logins[cast.driver])
    driver.clicks("Send the e-mail")
    driver.sees(f"We have written to {cast.driver}@example.org")
    driver.comes_to("E-mail")
    link = re.search(r"/account/email/confirm\?code=[\w-]+", letters.next(LETTER_WITHIN_S))
    assert link
    phone = cast.visit("")
    phone.goes_to(link[0])
    phone.comes_to("Confirm your address")
    phone.clicks("Yes, use it")
    phone.comes_to("Address confirmed")
    driver.goes_to("/account/email")
    driver.sees(f"E-mail goes to {cast.driver}@example.org.")
    phone.goes_to(link[0])
    phone.clicks("Yes, use it")
    phone.comes_to("This link is not valid any more")


def test_from_a_label_to_a_charger_of_ones_own(cast: Cast, place: WebCloudFixture, letters: Letters) -> None:
    """A stranger scans the label, signs up through a letter in another browser, claims the charger, and forgets the
    password."""
    name, unit_id = f"nina-{cast.unit_id}", f"{cast.unit_id}-new"
    code = place.command("unit", "add", unit_id)["claim_code"]
    phone, mail = cast.visit(""), cast.visit("")
    phone.goes_to(f"/claim?code={code}")
    phone.comes_to("Claim a charger")
    assert phone.page.url.endswith("/claim"), "the code has left the address"
    phone.clicks("Sign up")
    phone.comes_to("Sign up")
    phone.fills(address=f"{name}@example.org")
    phone.clicks("Send the e-mail")
    phone.comes_to("Look for our e-mail")
    mail.goes_to(_path_in(letters.next(LETTER_WITHIN_S)))
    mail.sees(f"Claim the charger {unit_id}")
    mail.fills(name=cast.driver, password="four words are fine")
    mail.clicks("Make my account")
    mail.sees("This name is taken")
    mail.comes_to("Your account")
    mail.fills(name=name, password="four words are fine")
    mail.clicks("Make my account")
    mail.sees("Waiting for the first message")
    mail.sees(unit_id)

    phone.goes_to("/login")
    phone.clicks("I have forgotten my password")
    phone.comes_to("Forgotten password")
    phone.fills(who=name)
    phone.clicks("Send the e-mail")
    phone.sees("If there is such an account")
    link = _path_in(letters.next(LETTER_WITHIN_S))
    phone.goes_to(link)
    phone.comes_to("New password")
    phone.fills(password="four other words are fine")
    phone.clicks("Set the password")
    phone.comes_to("Password set")
    assert "was set with an e-mail" in letters.next(LETTER_WITHIN_S)
    mail.goes_to("/account")
    mail.fills(name=name, password="four other words are fine")
    mail.clicks("Log in")
    mail.sees(f"You are logged in as {name}.")


def _path_in(letter: str) -> str:
    """Return the path of the first link with a code."""
    found = re.search(r"/[\w/-]+\?code=[\w-]+", letter)
    assert found, letter
    return found[0]


def test_a_charger_is_shared_with_a_second_person(cast: Cast, place: WebCloudFixture) -> None:
    guest_name = f"gus-{cast.driver}"
    place.person(guest_name, "driver")
    owner, guest = cast.visit(cast.driver), cast.visit("")
    owner.goes_to(f"/account/units/{cast.unit_id}/people")
    owner.comes_to("People")
    owner.clicks("Invite somebody")
    owner.comes_to("Invite somebody")
    owner.clicks("Make the link")
    owner.comes_to("Your invitation")
    guest.page.goto(owner.page.get_by_label("The link").inner_text())
    guest.comes_to("Share a charger")
    guest.clicks("Log in")
    guest.fills(name=guest_name, password=place.logins[guest_name])
    guest.clicks("Log in")
    guest.sees(cast.unit_id)
    guest.comes_to("Share a charger")
    guest.clicks("Accept")
    expect(guest.page.get_by_role("heading", name="Last contacted")).to_be_visible()
    owner.clicks("People")
    owner.sees(guest_name)
    owner.comes_to("People")
    owner.clicks(f"Remove {guest_name}")
    expect(owner.page.locator("main")).not_to_contain_text(guest_name)
    guest.comes_to("Not here")  # the open page is notified and reloads


def test_account(cast: Cast, place: WebCloudFixture) -> None:
    driver = cast.visit(cast.driver)
    driver.clicks("Account")
    driver.comes_to("Account")
    driver.clicks("How to reach you")
    driver.comes_to("How to reach you")
    driver.fills(full_name="Dan Driver", phone="020 7946 0000")
    driver.clicks("Save")
    driver.clicks("Password")
    driver.comes_to("Password")
    driver.fills(old=place.logins[cast.driver], new="four words are fine")
    driver.clicks("Change it")
    driver.clicks("Chargers")
    driver.comes_to("Chargers")
    driver.fills(code=place.command("unit", "add", f"{cast.unit_id}-2")["claim_code"])
    driver.clicks("Add it")
    driver.comes_to(f"{cast.unit_id}-2")
    driver.fills(name="The garage", rate="24.5", off_peak_rate="7")
    driver.page.get_by_label("Time zone").select_option("Europe/Dublin")
    driver.clicks("Save")
    driver.page.get_by_role("link", name="The garage").click()
    driver.comes_to("The garage")
    expect(driver.page.get_by_label("Time zone")).to_have_value("Europe/Dublin")
    driver.page.get_by_text("Moving out?").click()
    driver.clicks("Give up this charger")
    driver.comes_to("Chargers")
    driver.clicks("Account")
    driver.clicks("Notifications")
    driver.page.get_by_text("More: Webhook").click()
    driver.fills(target="https://127.0.0.1/hook")
    driver.clicks("Tell me by Webhook")
    driver.sees("This address is not on the internet. Nothing was changed.")
    driver.comes_to("Notifications")
    driver.fills(target="https://example.org/hook")
    driver.clicks("Tell me by Webhook")
    driver.sees("https://example.org/hook")
    driver.comes_to("Notifications")
    driver.page.get_by_role("button", name="Stop telling me").click()
    expect(driver.page.get_by_text("https://example.org/hook")).to_have_count(0)


def test_their_data_and_the_end_of_an_account(cast: Cast, place: WebCloudFixture) -> None:
    name = f"{cast.driver}-leaving"
    place.person(name, "driver")
    driver = cast.visit(name)
    driver.clicks("Account")
    driver.clicks("My data")
    driver.comes_to("My data")
    with driver.page.expect_download() as saved:
        driver.clicks("Download my data")
    assert name in saved.value.path().read_text()
    driver.fills(password=place.logins[name])
    driver.clicks("Delete everything")
    driver.comes_to("Log in")
    driver.fills(name=name, password=place.logins[name])
    driver.clicks("Log in")
    driver.sees("That name and password do not belong together.")
    driver.comes_to("Log in")


def test_the_operator_s_fleet(cast: Cast) -> None:
    operator = cast.visit("olga")
    operator.clicks("Fleet")
    operator.comes_to("Fleet")
    operator.fills(q=cast.unit_id)
    operator.clicks("Find")
    operator.comes_to("Fleet")
    operator.page.get_by_role("link", name=cast.unit_id).first.click()
    operator.comes_to("Vehicle connected and full, or not ready yet")
    operator.clicks("Service status")
    operator.comes_to("Service status")


def test_an_operator_s_second_factor(cast: Cast, place: WebCloudFixture) -> None:
    """Set up at the first login, requested at the next, lost, and switched off."""
    name = f"{cast.driver}-runs-it"
    place.person(name, "operator")
    operator = cast.visit("")
    operator.goes_to("/fleet")
    operator.fills(name=name, password=place.logins[name])
    operator.clicks("Log in")
    operator.comes_to("Set up a second factor")
    operator.page.get_by_text("The address of the key").click()
    operator.comes_to("Set up a second factor")
    operator.fills(code="000000")
    operator.clicks("Continue")
    operator.sees("That code is not right")
    operator.comes_to("Set up a second factor")
    place.set_up_second_factor(operator.page, name)
    operator.comes_to("Recovery codes")
    operator.clicks("I have them")
    operator.comes_to("Fleet")
    operator.clicks("Account")
    operator.clicks("Log out")
    operator.comes_to("Log in")
    operator.fills(name=name, password=place.logins[name])
    operator.clicks("Log in")
    operator.comes_to("Enter a code")
    operator.fills(code="000000")
    operator.clicks("Continue")
    operator.sees("Our clock shows")
    operator.comes_to("Enter a code")
    operator.clicks("Log in as somebody else")
    operator.comes_to("Log in")
    place.log_in(operator.page, name)
    operator.clicks("Account")
    operator.clicks("Second factor")
    operator.sees("9 recovery codes are left")
    operator.comes_to("Second factor")
    last = operator.page.locator("form", has_text="Switch it off")
    last.get_by_label("Password").fill(place.logins[name])
    last.get_by_label("Code of the app").fill(place.recovery_codes[name].pop())
    last.get_by_role("button", name="Switch it off").click()
    operator.sees("whoever learns your password cannot log in with it")
    operator.comes_to("Second factor")
