"""Can a driver on a phone open last month's report from the history, name the vehicle of a session, and download it?"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pypdf
import pytest
from playwright.sync_api import Browser, expect

from hil_tests.web.cloud_fixture import DAY_MS, WebCloudFixture
from hil_tests.web.visitor import Visitor

CHARGER, DRIVER = "CK-month", "mona"
GOLF = "Golf, B-ÄÖ 12 E"


@pytest.fixture
def last_month(place: WebCloudFixture) -> datetime:
    """The time of the only session of mona's charger in that month."""
    place.person(DRIVER, "driver")
    charger = place.charger(CHARGER, DRIVER)
    began = datetime.fromtimestamp(place.now_s(), UTC).replace(day=1, hour=12, minute=0) - timedelta(days=10)
    long_ago_ms = int(began.timestamp()) * 1000 - 60 * DAY_MS
    place.store(
        f"UPDATE units SET created_ms = {long_ago_ms}, owned_from_ms = {long_ago_ms}, first_contact_ms = {long_ago_ms}"
        f" WHERE id = '{CHARGER}'",
        f"UPDATE ownerships SET from_ms = {long_ago_ms} WHERE unit_id = '{CHARGER}'",
    )
    began_s = int(began.timestamp())
    charger.report("session", t0=began_s, t1=began_s + 3600, s=3600, e=7000, y="unplugged", i=1)
    return began


def test_from_the_history_to_a_pdf_with_the_vehicle(
    browser: Browser, place: WebCloudFixture, last_month: datetime, tmp_path: Path
) -> None:
    mona = Visitor(browser, place, DRIVER, "phone")
    mona.goes_to(f"/charge-points/{CHARGER}/history")
    mona.comes_to("History")
    mona.clicks("Monthly report")
    mona.comes_to("Monthly report")
    mona.sees(f"{last_month:%B %Y}")
    mona.sees("7.000 kWh")
    mona.page.get_by_role("link", name="Change vehicle of").click()
    mona.comes_to("Which vehicle?")
    mona.fills(vehicle=GOLF)
    mona.clicks("Save")
    mona.comes_to("Monthly report")
    mona.sees(GOLF)
    with mona.page.expect_download() as download:
        mona.clicks("As PDF")
    report = tmp_path / "report.pdf"
    download.value.save_as(report)
    assert download.value.suggested_filename == f"{CHARGER}-{last_month:%Y-%m}.pdf"
    assert GOLF in pypdf.PdfReader(report).pages[0].extract_text()
    mona.page.get_by_role("combobox", name="Month").select_option(index=0)
    mona.clicks("Show")
    mona.sees("The month is not over")
    expect(mona.page.get_by_text("No session began in this time.")).to_be_visible()
    mona.leaves()
