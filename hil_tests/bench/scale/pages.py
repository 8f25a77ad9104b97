"""The time that pages and API take with a million charge points in the store, beside a thousand.

Each is printed as wall time, and as the time with a processor free at once: the wall time less the waits of the bridge,
its PostgreSQL and the browser for a processor, but no less than the processor time they used. The second is judged,
because on a shared machine the wall time depends on other programs.
"""

import html
import os
import re
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from hil_tests.bench.cloud.browser import NAME, Browser
from hil_tests.bench.cloud.load import memory_mb, percentile
from hil_tests.bench.scale.fill import called, fill, name_of
from hil_tests.bench.scale.processor import Scheduled, server_pids
from hil_tests.fixtures.cloud_fixture import API_TOKEN, CloudFixture
from hil_tests.fixtures.postgresql import Server

FEW = 1000
LIMIT_MS = 50.0
START_WITHIN_S, MEMORY_MB = 5.0, 200.0
DATABASE = "chargekeeper"
WITHIN_S = 120.0

Look = Callable[[], object]


class Took(NamedTuple):
    """One request, in milliseconds."""

    wall: float
    own: float  # with a processor free at once
    processor: float


class Measured(NamedTuple):
    """The results for one number of units."""

    started_s: float
    memory_mb: float
    looks: dict[str, list[Took]]  # by what was requested


def pages(units: int, database: str, count: int) -> bool:
    """Measure each page `count` times on `database`, sqlite or postgresql. Return True if the limits hold."""
    many, few = _measure(units, database, count), _measure(FEW, database, count)
    held = True
    print(f"{database}, {units:,} units beside {FEW:,}; limit p99 {LIMIT_MS:.0f} ms")
    for what, looks in many.looks.items():
        p50, p99 = _percentiles([look.own for look in looks])
        few_p50, few_p99 = _percentiles([look.own for look in few.looks[what]])
        wall_p50, wall_p99 = _percentiles([look.wall for look in looks])
        processor_ms = sum(look.processor for look in looks) / len(looks)
        held = held and p99 <= LIMIT_MS
        print(
            f"  {what:38} p50 {p50:5.1f}  p99 {p99:5.1f} ms  beside {few_p50:5.1f} and {few_p99:5.1f}: {p50 / few_p50:4.1f} "
            f"times; on the wall {wall_p50:6.1f} and {wall_p99:6.1f}; processor {processor_ms:5.1f} ms"
            f"{'' if p99 <= LIMIT_MS else '  not held'}"
        )
    print(f"  load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    print(f"  start {many.started_s:.1f} s beside {few.started_s:.1f} s, limit {START_WITHIN_S:.0f} s")
    print(f"  memory {many.memory_mb:.0f} MB beside {few.memory_mb:.0f} MB, limit {MEMORY_MB:.0f} MB")
    return held and many.started_s - few.started_s <= START_WITHIN_S and many.memory_mb <= MEMORY_MB


def _measure(units: int, database: str, count: int) -> Measured:
    with tempfile.TemporaryDirectory(prefix="chargekeeper-scale-") as name, ExitStack() as stack:
        environment = {}
        where: Path | str = Path(name) / "chargekeeper.db"
        server: Server | None = None
        if database == "postgresql":
            server = Server()
            stack.callback(server.close)
            server.say(f"CREATE DATABASE {DATABASE}")
            environment["CHARGEKEEPER_DATABASE"] = where = f"{server.url}/{DATABASE}"
        cloud = CloudFixture(Path(name), environment=environment)
        stack.callback(cloud.stop)
        password = cloud.command("user", "add", NAME, "--role", "support")["password"]
        fill(where, units)
        began_s = time.monotonic()
        cloud.start_bridge()
        started_s = time.monotonic() - began_s
        browser = Browser(cloud.http_port, password)
        looks = _looks(cloud, browser, units)
        took: dict[str, list[Took]] = {}
        for what, look in looks.items():
            look()  # prepare what is prepared once
            pids = [os.getpid(), cloud.bridge.pid, *([] if server is None else server_pids(server))]
            took[what] = [_took(look, pids) for _ in range(count)]
        return Measured(started_s, memory_mb(cloud.bridge.pid), took)


def _looks(cloud: CloudFixture, browser: Browser, units: int) -> dict[str, Look]:
    middle, house = name_of(units // 2), units // 2 // 3 * 3
    paths = {
        "fleet, longest silent first": "/fleet",
        "fleet by network": "/fleet?by=network",
        "one network": "/fleet?network=23415",
        "fleet by site": "/fleet?by=site",
        "never heard": "/fleet?by=never",
        "two with one identity": "/fleet?by=duplicate",
        "search: an id": f"/fleet?q={middle}",
        "search: how all ids begin": "/fleet?q=ck",
        "search: a name": f"/fleet?q={quote(called(house))}",
        "search: how many names begin": "/fleet?q=garage",
        "search: nothing": "/fleet?q=nothing+of+this+kind",
        "unit page": f"/charge-points/{middle}",
        "jobs": "/jobs",
        "support": "/support",
        "own chargers of support": "/account/units",
    }
    orders = ("fleet, longest silent first", "fleet by network", "fleet by site", "search: how many names begin")
    further = {f"{what}, next page": _next(browser, paths[what]) for what in orders}
    looks: dict[str, Look] = {what: lambda path=path: browser.get(path) for what, path in (paths | further).items()}  # type: ignore[misc]  # bound at once
    programs = {
        "/api/charge-points": "/api/charge-points",
        "/api/charge-points, after the middle": f"/api/charge-points?after={middle}",
        "/api/charge-points/ID": f"/api/charge-points/{middle}",
        "/metrics": "/metrics",
        "/healthz": "/healthz",
    }
    looks |= {what: lambda path=path: _ask(cloud, path) for what, path in programs.items()}  # type: ignore[misc]  # bound at once
    return looks


def _next(browser: Browser, path: str) -> str:
    found = re.search(r'href="([^"]+)">Next chargers', browser.get(path))
    assert found is not None, path
    return html.unescape(found[1])


def _ask(cloud: CloudFixture, path: str) -> None:
    request = urllib.request.Request(f"{cloud.address}{path}", headers={"Authorization": f"Bearer {API_TOKEN}"})
    with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
        answer.read()


def _took(look: Look, pids: list[int]) -> Took:
    before, began_s = Scheduled.of(pids), time.perf_counter()
    look()
    wall_ms = (time.perf_counter() - began_s) * 1000
    spent = Scheduled.of(pids).since(before)
    return Took(wall_ms, min(wall_ms, max(wall_ms - spent.waiting_ms, spent.running_ms)), spent.running_ms)


def _percentiles(times_ms: list[float]) -> tuple[float, float]:
    return percentile(times_ms, 0.5), percentile(times_ms, 0.99)
