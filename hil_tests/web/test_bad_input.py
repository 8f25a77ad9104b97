"""What does a person read after a wrong code, an expired session, a form sent twice, a text that is too long, or hostile
text?"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, expect

from hil_tests.web.cloud_fixture import WebCloudFixture
from hil_tests.web.visitor import LOOKS, Visitor

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
CHARGER = "/charge-points/CK-0001"


@pytest.fixture
def dora(browser: Browser, place: WebCloudFixture) -> Iterator[Visitor]:
    dora = Visitor(browser, place, "dora", "phone")
    yield dora
    dora.leaves()


def test_a_wrong_claim_code(dora: Visitor) -> None:
    dora.goes_to("/account/units")
    dora.fills(code="7K4M-2QXP-9BCD")
    dora.clicks("Add it")
    dora.sees("check it against the label")
    code = dora.page.get_by_label("Claim code")
    expect(code).to_have_value("7K4M-2QXP-9BCD")
    expect(code).to_be_focused()
    expect(code).to_have_accessible_description(re.compile("No charger has this code"))


def test_a_session_that_has_ended_leads_back_to_where_one_was(dora: Visitor, place: WebCloudFixture) -> None:
    dora.goes_to(f"{CHARGER}/support")
    dora.page.context.clear_cookies()
    dora.page.reload()
    dora.comes_to("Log in")
    dora.fills(name="dora", password=place.logins["dora"])
    dora.clicks("Log in")
    dora.comes_to("Ask for help")


def test_an_open_dashboard_whose_session_ends_asks_for_the_login(dora: Visitor, place: WebCloudFixture) -> None:
    dora.goes_to(CHARGER)
    dora.page.context.clear_cookies()
    dora.clicks("Refresh")
    dora.comes_to("Log in")


def test_a_form_that_is_sent_twice_counts_once(dora: Visitor) -> None:
    dora.goes_to(f"{CHARGER}/support")
    dora.fills(text="Sent twice by a nervous thumb.")
    dora.page.get_by_role("button", name="Send").dblclick()
    dora.page.wait_for_url("**/support/*#newest")
    expect(dora.page.get_by_text("Sent twice by a nervous thumb.")).to_have_count(1)


def test_a_message_of_a_megabyte(dora: Visitor) -> None:
    dora.goes_to(f"{CHARGER}/support")
    dora.page.locator("textarea").evaluate("box => { box.maxLength = 2e6; box.value = 'x'.repeat(1e6); }")
    dora.clicks("Send")
    dora.comes_to("That was too large")


def test_script_in_a_charger_s_name_is_only_text(dora: Visitor) -> None:
    """On every page with the name. A dialog of the script, or a request of its image, fails the visit."""
    dora.goes_to("/account/units/CK-0001")
    dora.fills(name=SCRIPT)
    dora.clicks("Save")
    for path in ("/account/units", CHARGER, f"{CHARGER}/history", f"{CHARGER}/charging", f"{CHARGER}/support"):
        dora.goes_to(path)
        expect(dora.page.get_by_text(SCRIPT).first).to_be_visible()
    dora.goes_to("/account/units/CK-0001")
    dora.fills(name="")
    dora.clicks("Save")


@pytest.mark.parametrize("look", LOOKS)
def test_a_report_with_a_hostile_name_and_one_that_is_none(
    browser: Browser, place: WebCloudFixture, look: str, tmp_path: Path
) -> None:
    support = Visitor(browser, place, "sue", look)
    support.goes_to(f"{CHARGER}/jobs")
    support.clicks("Raise it")
    support.comes_to("CK-0001")
    text = "CSQ 9 <script>alert(1)</script>"
    hostile: FilePayload = {"name": "../../etc/<b>passwd.txt", "mimeType": "text/html", "buffer": text.encode()}
    support.page.locator('[name="report"]').set_input_files(hostile)
    support.clicks("Upload")
    support.sees("not one that the signal report wrote")
    expect(support.page.get_by_text("<b>passwd.txt").first).to_be_visible()
    expect(support.page.get_by_text(text)).to_have_count(0)
    noise = tmp_path / "noise.png"
    noise.write_bytes(b"\x89PNG\r\n\0\xff")
    support.page.locator('[name="report"]').set_input_files(noise)
    support.clicks("Upload")
    support.sees("That is not a report")
    support.leaves()
