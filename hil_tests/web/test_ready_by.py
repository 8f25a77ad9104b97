"""Is a driver told in time, on the dashboard and by a letter, that the vehicle will not be ready?"""

import sqlite3
import time
from contextlib import closing
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, expect

from hil_tests.web.cloud_fixture import PATIENCE_MS, WebCloudFixture
from hil_tests.web.letters import Letters

LETTER_WITHIN_S = 60.0
IDLE = {"s": "B2", "m": "smart", "q": 18, "o": "23415", "a": 32, "w": 0, "e": 124000, "y": "installer", "f": []}
LEAVES_IN = timedelta(hours=3, minutes=40)


def wait_until_looked_at(place: WebCloudFixture, since_ms: int) -> None:
    """Wait until the bridge has judged the plan. A bridge that is stopped before that has stored nothing."""
    give_up_s = time.monotonic() + PATIENCE_MS / 1000
    query = "SELECT judged_ms >= ? FROM ready_plans WHERE unit_id = 'CK-wren'"
    while True:
        with closing(sqlite3.connect(place.folder / "chargekeeper.db", timeout=10)) as store:
            ((is_looked_at,),) = store.execute(query, (since_ms,))
        if is_looked_at:
            return
        assert time.monotonic() < give_up_s, "the bridge has not judged the plan"
        time.sleep(0.1)


def test_a_vehicle_that_takes_nothing_is_told_of(browser: Browser, place: WebCloudFixture, letters: Letters) -> None:
    """Each start of the bridge begins by judging the plans."""
    place.person("wren", "driver")
    charger = place.charger("CK-wren", "wren")
    charger.report("heartbeat", **IDLE)
    now_ms = int(place.now_s() * 1000)
    place.store(
        "UPDATE people SET email = 'wren@example.org' WHERE name = 'wren'",
        "INSERT INTO vehicles (person_id, provider, car_id, vin, name, created_ms, state, since_ms, due_ms, seen_ms, "
        f"battery_percent) SELECT id, 'tesla', '1', '5YJ', 'Bluebell', 0, 'linked', 0, {1 << 50}, {now_ms}, 60 "
        "FROM people WHERE name = 'wren'",
    )
    page = browser.new_context().new_page()
    place.log_in(page, "wren")
    page.get_by_role("link", name="Account").click()
    page.get_by_role("link", name="Vehicle Details").click()
    page.get_by_role("link", name="Bluebell").click()
    leaves = datetime.now(ZoneInfo("Europe/London")) + LEAVES_IN
    page.locator('[name="time"]').fill(f"{leaves:%H:%M}")
    page.get_by_role("button", name="Set").click()
    expect(page.get_by_text("so that we can tell you in time if the car does not charge")).to_be_visible()
    page.goto(f"{place.address}/charge-points/CK-wren")
    departure = page.get_by_role("region", name="Next departure")
    expect(departure).to_contain_text(f"Ready by {leaves:%H:%M}")

    for minutes in (25, 6, 6):  # idle for long enough, not ready for long enough, and notified
        began_ms = int(place.now_s() * 1000)
        place.minutes_pass(minutes)
        wait_until_looked_at(place, began_ms)
        charger.report("heartbeat", **IDLE)
    expect(departure).to_contain_text("Your vehicle will not be ready by")
    expect(departure).to_contain_text("The vehicle is plugged in but takes nothing. Unplug it")
    letter = letters.next(LETTER_WITHIN_S)
    while "CK-wren" not in letter:  # skip letters about other chargers
        letter = letters.next(LETTER_WITHIN_S)
    assert "Your vehicle will not be ready by" in letter
    page.context.close()
