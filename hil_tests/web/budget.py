"""`python -m hil_tests.web.budget`: the cost of a first visit on a slow phone, against limits.

It measures the whole visit and the first view, which is the page and what the browser waits for before it paints. Chromium's
tools slow down the network and the processor, as Lighthouse does for a mid-range phone on slow 4G. Bytes are those on the
network, headers and bodies, without the live stream.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, sync_playwright

from hil_tests.web.cloud_fixture import CHROMIUM, WebCloudFixture

SLOW_4G = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1.6e6 / 8,
    "uploadThroughput": 0.75e6 / 8,
}  # ms, bytes/s
SLOWER = 4  # the processor is slowed down by this factor
FIRST_PAINT_MS = 1800  # Lighthouse's "good" for the first contentful paint
FIRST_VIEW_BYTES = 14_000  # one round trip: TCP's initial window of ten segments (RFC 6928)
# path: maximum bytes and requests of a first visit
LIMITS = {
    "/": (30_000, 12),
    "/charge-points/CK-0001/charging": (30_000, 12),
    "/charge-points/CK-0001/history": (50_000, 12),
    "/support": (15_000, 12),
}
BLOCKING = """performance.getEntriesByType("resource").filter((one) => one.renderBlockingStatus === "blocking")
  .map((one) => one.name)"""
# A promise instead of `wait_for_function`, which evaluates text in the page again and again; the pages' CSP forbids that.
FIRST_PAINT = """new Promise((painted) => new PerformanceObserver((list) => {
  for (const entry of list.getEntriesByName("first-contentful-paint")) painted(entry.startTime);
}).observe({ type: "paint", buffered: true }))"""


class Visit(NamedTuple):
    sizes: dict[str, int]  # by address, in bytes
    first: list[str]  # addresses of the first view
    first_paint_ms: float

    @property
    def bytes(self) -> int:
        return sum(self.sizes.values())

    @property
    def first_bytes(self) -> int:
        return sum(self.sizes[url] for url in self.first)


def visit(browser: Browser, state: Any, url: str, slow: bool = False) -> Visit:
    """Load the page as a user who is logged in and has nothing cached."""
    context = browser.new_context(storage_state=state, service_workers="block")
    page = context.new_page()
    tools = context.new_cdp_session(page)
    urls: dict[str, str] = {}
    sizes: dict[str, int] = {}
    tools.on("Network.requestWillBeSent", lambda event: urls.update({event["requestId"]: event["request"]["url"]}))
    tools.on(
        "Network.loadingFinished",
        lambda event: sizes.update({urls[event["requestId"]]: int(event["encodedDataLength"])}),
    )
    tools.send("Network.enable")
    if slow:
        tools.send("Network.emulateNetworkConditions", SLOW_4G)
        tools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(url, wait_until="load")
    first_paint_ms = float(page.evaluate(FIRST_PAINT))
    first = [page.url, *page.evaluate(BLOCKING)]
    context.close()
    return Visit(sizes, first, first_paint_ms)


def logged_in(browser: Browser, place: WebCloudFixture, name: str) -> Any:
    """Return the storage state of a browser after a login."""
    page = browser.new_context().new_page()
    place.log_in(page, name)
    state = page.context.storage_state()
    page.context.close()
    return state


def main() -> int:
    argparse.ArgumentParser(prog="python -m hil_tests.web.budget", description=__doc__).parse_args()
    over = 0
    with tempfile.TemporaryDirectory(prefix="chargekeeper-budget-") as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        place = WebCloudFixture(Path(folder))
        try:
            place.person("dora", "driver")
            charger = place.charger("CK-0001", "dora")
            charger.report("heartbeat", s="C2", m="smart", q=17, o="23415", a=32, w=7360, e=128200, f=[])
            place.two_weeks_of_signal("CK-0001")
            state = logged_in(browser, place, "dora")
            visit(browser, state, f"{place.address}/", slow=True)  # warm-up: the first page of a new browser is slower
            for path, (most_bytes, most_requests) in LIMITS.items():
                seen = visit(browser, state, f"{place.address}{path}", slow=True)
                fits = seen.bytes <= most_bytes and len(seen.sizes) <= most_requests
                fits = fits and seen.first_bytes <= FIRST_VIEW_BYTES and seen.first_paint_ms <= FIRST_PAINT_MS
                over += not fits
                print(
                    f"{path:34} {seen.bytes:6,} bytes of {most_bytes:,}  {len(seen.sizes):2} requests of {most_requests}  "
                    f"first view {seen.first_bytes:6,} of {FIRST_VIEW_BYTES:,}  "
                    f"first paint {seen.first_paint_ms:5,.0f} ms of {FIRST_PAINT_MS:,}{'' if fits else '  OVER'}"
                )
        finally:
            browser.close()
            place.stop()
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
