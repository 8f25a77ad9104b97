"""The time that pages take with 100,000 units in the store, half of them silent."""

import html
import re
import sqlite3
import tempfile
import time
import urllib.request
from contextlib import closing
from pathlib import Path

from hil_tests.bench.cloud.browser import NAME, Browser
from hil_tests.bench.cloud.load import percentile
from hil_tests.bench.cloud.memory import live_state
from hil_tests.fixtures.cloud_fixture import API_TOKEN, CloudFixture

UNITS = 100_000
LOOKS = 300
NOTICED_WITHIN_S = 60.0
SWEEP_S = 6.0  # a little longer than the bridge's own
LIMIT_MS = 20.0
PAGES_ON = 20
HEARTBEAT = '{"n":1,"b":4,"s":"C2","m":"smart","q":17,"o":"23415","a":32,"w":7360,"e":124180,"f":[],"x":24}'


def fill(database: Path) -> None:
    """Add units that were all in contact within the last hour."""
    now_ms = int(time.time() * 1000)
    names = [f"cp{number:06d}" for number in range(UNITS)]
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(
            "INSERT INTO units (id, secret_hash, claim_hash, created_ms, first_contact_ms) VALUES (?, '0', ?, 0, 0)",
            [(name, name) for name in names],
        )
        connection.executemany(
            "INSERT INTO contacts (unit_id, last_contact_ms, last_kind, messages, bad_payloads, operator)"
            " VALUES (?, ?, 'heartbeat', 1, 0, '23415')",
            [(name, now_ms - number * 36) for number, name in enumerate(names)],
        )
        connection.executemany(
            "INSERT INTO heartbeats (unit_id, received_ms, payload) VALUES (?, ?, ?)",
            [(name, now_ms - number * 36, HEARTBEAT) for number, name in enumerate(names)],
        )


def pages() -> bool:
    """Measure the dashboard, the fleet list and the API's answer for one unit. Return True if the limits hold."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cloud = CloudFixture(folder)
        cloud.start()
        cloud.stop()
        fill(folder / "chargekeeper.db")
        password = cloud.command("user", "add", NAME, "--role", "support")["password"]
        cloud.start()
        try:
            browser = Browser(cloud.http_port, password)
            _until_noticed(cloud)
            held = live_state()
            for path in _paths(browser):
                times = [browser.look(path) for _ in range(LOOKS)]
                p50, p99 = percentile(times, 0.5) * 1000, percentile(times, 0.99) * 1000
                print(f"  {path:44} p50 {p50:6.1f} ms  p99 {p99:6.1f} ms, limit {LIMIT_MS:.0f} ms")
                held = held and p99 <= LIMIT_MS
        finally:
            cloud.stop()
    return held


def _until_noticed(cloud: CloudFixture) -> None:
    """Wait until the bridge has noticed at its start that half of the units are silent."""
    give_up_s = time.monotonic() + NOTICED_WITHIN_S
    before = 0
    while (silent := _silent(cloud)) == 0 or silent > before * 1.05:
        if time.monotonic() > give_up_s:
            raise TimeoutError("the silent units were never noticed")
        before = silent
        time.sleep(SWEEP_S)
    print(f"{silent:,} of {UNITS:,} units are silent")


def _silent(cloud: CloudFixture) -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{cloud.http_port}/metrics", headers={"Authorization": f"Bearer {API_TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        found = re.search(r"^chargekeeper_units_silent (\S+)$", answer.read().decode(), re.MULTILINE)
    assert found is not None
    return int(float(found[1]))


def _paths(browser: Browser) -> list[str]:
    """Return the paths: a unit, the operator's dashboard, the fleet in every order and some pages on, and an API request."""
    orders = ["/fleet", "/fleet?by=network", "/fleet?by=site", "/fleet?network=23415"]
    return [
        "/charge-points/cp050000",
        "/",
        *orders,
        *(_pages_on(browser, path) for path in orders),
        "/fleet?q=cp0777",
        "/api/charge-points/cp050000",
    ]


def _pages_on(browser: Browser, path: str) -> str:
    for _ in range(PAGES_ON):
        found = re.search(r'href="([^"]+)">Next chargers', browser.get(path))
        assert found is not None
        path = html.unescape(found[1])
    return path
