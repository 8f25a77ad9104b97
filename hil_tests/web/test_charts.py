"""Does Chromium draw the contents of a page's tables, on one time axis, and nothing where there is no data?"""

import time
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from hil_tests.web.cloud_fixture import DAY_MS, WebCloudFixture
from hil_tests.web.visitor import LOOKS

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
# For each chart: which columns of its plot contain the colour of lines and bars, as a row of 1 and 0. Edges are blended with
# the background, so a similar colour counts.
COLUMNS = """() => {
  const made = document.createElement("canvas").getContext("2d");
  made.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--brand");
  made.fillRect(0, 0, 1, 1);
  const brand = made.getImageData(0, 0, 1, 1).data;
  return [...document.querySelectorAll(".plot canvas")].map((canvas) => {
    const over = canvas.parentElement.querySelector(".u-over").getBoundingClientRect();
    const edge = canvas.getBoundingClientRect();
    const [x, y, width, height] = [over.left - edge.left, over.top - edge.top, over.width, over.height].map(
      (pixels) => Math.round(pixels * devicePixelRatio));
    const { data } = canvas.getContext("2d").getImageData(x, y, width, height);
    const near = (at) => [0, 1, 2].every((part) => Math.abs(data[at + part] - brand[part]) < 24) && data[at + 3] > 200;
    return { x, width, found: [...Array(width).keys()].map((column) =>
      [...Array(height).keys()].some((row) => near(4 * (row * width + column))) ? 1 : 0) };
  });
}"""


class Drawn(NamedTuple):
    """A chart of the page."""

    x: int
    width: int
    found: list[int]

    def share(self, from_share: float, to_share: float) -> float:
        """Return the share of columns with a drawing between these parts of the width, 0 to 1."""
        part = self.found[round(from_share * self.width) : round(to_share * self.width)]
        return sum(part) / len(part)


def drawn(page: Page) -> list[Drawn]:
    expect(page.locator(".plot canvas").first).to_be_visible()
    charts: list[dict[str, Any]] = page.evaluate(COLUMNS)
    return [Drawn(chart["x"], chart["width"], chart["found"]) for chart in charts]


def store_signal(place: WebCloudFixture, unit_id: str, since_ms: int, at_ms: list[int]) -> None:
    rows = ",".join(f"({at // HOUR_MS}, '{unit_id}', {at}, 17, '23415')" for at in at_ms)
    place.store(
        f"INSERT OR IGNORE INTO signal (chunk, unit_id, received_ms, csq, operator) VALUES {rows}",
        f"UPDATE units SET first_contact_ms = {since_ms}, owned_from_ms = {since_ms} WHERE id = '{unit_id}'",
        f"UPDATE ownerships SET from_ms = {since_ms} WHERE unit_id = '{unit_id}'",
    )


@pytest.fixture(scope="module", params=LOOKS)
def page_of(request: pytest.FixtureRequest, browser: Browser, place: WebCloudFixture) -> Any:
    """Return a function that adds a charger for a new driver, and returns a page of the driver."""
    pages = []

    def made(unit_id: str) -> Page:
        unit_id, name = f"{unit_id}-{request.param}", f"of-{unit_id}-{request.param}"
        place.person(name, "driver")
        place.charger(unit_id, name).report("heartbeat", s="A1", m="smart", q=17, o="23415", a=0, w=0, e=1, f=[])
        pages.append(browser.new_context(**LOOKS[request.param]).new_page())
        place.log_in(pages[-1], name)
        return pages[-1]

    yield made, request.param
    for page in pages:
        page.context.close()


def test_twenty_minutes_are_a_line(page_of: Any, place: WebCloudFixture) -> None:
    made, look = page_of
    page = made("CK-new")
    now_ms = int(time.time() * 1000)
    since_ms = now_ms - 20 * MINUTE_MS
    store_signal(place, f"CK-new-{look}", since_ms, list(range(since_ms, now_ms, MINUTE_MS)))
    page.goto(f"{place.address}/charge-points/CK-new-{look}/history?days=30")
    reach, signal = drawn(page)
    assert (reach.x, reach.width) == (signal.x, signal.width), "one time axis"
    assert signal.share(0.7, 0.98) == 1.0, signal.found
    assert signal.share(0, 0.6) == 0.0, signal.found


def test_no_line_over_a_silence_and_its_columns_below_it(page_of: Any, place: WebCloudFixture) -> None:
    """A silence of 40 minutes: an earlier version only interrupted the line for longer ones."""
    made, look = page_of
    page = made("CK-gap")
    now_ms = int(time.time() * 1000)
    begin_ms, end_ms = now_ms - 12 * HOUR_MS, now_ms - 12 * HOUR_MS + 40 * MINUTE_MS
    readings = [
        at_ms for at_ms in range(now_ms - DAY_MS, now_ms, 5 * MINUTE_MS) if at_ms <= begin_ms or at_ms >= end_ms
    ]
    store_signal(place, f"CK-gap-{look}", now_ms - 2 * DAY_MS, readings)
    last_ms = max(at_ms for at_ms in readings if at_ms <= begin_ms)
    place.store(f"INSERT INTO contact_gaps (unit_id, from_ms, to_ms) VALUES ('CK-gap-{look}', {last_ms}, {end_ms})")
    page.goto(f"{place.address}/charge-points/CK-gap-{look}/history?days=1")
    reach, signal = drawn(page)
    assert (reach.x, reach.width) == (signal.x, signal.width), "one time axis"
    assert signal.share(0.505, 0.522) == 0.0, signal.found  # 12 h of 24, and the 40 minutes after
    assert signal.share(0.05, 0.49) == signal.share(0.54, 0.95) == 1.0, signal.found


def test_power_of_the_running_session_is_on_the_same_axis_and_has_its_pause(
    page_of: Any, place: WebCloudFixture
) -> None:
    made, look = page_of
    page = made("CK-power")
    now_ms = int(time.time() * 1000)
    store_signal(place, f"CK-power-{look}", now_ms - 2 * DAY_MS, list(range(now_ms - DAY_MS, now_ms, 5 * MINUTE_MS)))
    plugged = [ago for ago in range(12 * 60, 0, -5) if not 5 * 60 < ago < 6 * 60]  # minutes
    rows = ",".join(
        f"({at_ms // (3 * HOUR_MS)}, 'CK-power-{look}', {at_ms}, 1, 7200, {90_000 - ago * 120})"
        for ago in plugged
        for at_ms in [now_ms - ago * MINUTE_MS]
    )
    before_ms = now_ms - 12 * HOUR_MS - MINUTE_MS
    before = f"({before_ms // (3 * HOUR_MS)}, 'CK-power-{look}', {before_ms}, 0, 0, 3600)"
    place.store(f"DELETE FROM power WHERE unit_id = 'CK-power-{look}'", f"INSERT INTO power VALUES {before},{rows}")
    page.goto(f"{place.address}/charge-points/CK-power-{look}/history?days=1")
    expect(page.get_by_text("85.8 kWh since")).to_be_visible()
    reach, signal, power, energy = drawn(page)
    assert len({(one.x, one.width) for one in (reach, signal, power, energy)}) == 1, "one time axis"
    assert power.share(0.02, 0.48) == 0.0, power.found
    assert power.share(0.51, 0.74) == power.share(0.80, 0.98) == 1.0, power.found
    assert power.share(0.755, 0.785) == 0.0, (
        power.found
    )  # 18 h to 19 h of 24, without the five minutes for which the reading before counts


def test_axes_have_units_and_tables_stay_without_script(browser: Browser, place: WebCloudFixture) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    place.log_in(page, "dora")
    page.goto(f"{place.address}/charge-points/CK-0001/history?days=7")
    charts = page.locator("[data-chart]")
    assert [chart.get_attribute("data-unit") for chart in charts.all()][:2] == ["%", "CSQ, 0 to 31"]
    assert len({chart.get_attribute("data-axis") for chart in charts.all()}) == 1
    page.get_by_text("Signal as a table").click()
    expect(page.get_by_role("columnheader", name="Mean")).to_be_visible()
    page.context.close()
