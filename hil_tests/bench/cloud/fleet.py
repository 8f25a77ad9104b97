"""2,000 units on the embedded broker: a mass reconnect, one heartbeat a minute each, and a person who opens a page."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from hil_tests.bench.cloud.browser import NAME
from hil_tests.bench.cloud.load import Fleet, memory_mb, percentile
from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.children import die_with_parent
from hil_tests.fixtures.cloud_fixture import CloudFixture

UNITS = 2000
EVERY_S = 60.0
SECONDS = 15.0
PAGE_LIMIT_MS = 100.0
STORED_LIMIT_MS = 1000.0


def fleet() -> bool:
    """Measure lost contacts, the page's p99, memory, and the time from a heartbeat to its row. Return True if all
    limits hold."""
    with tempfile.TemporaryDirectory() as folder:
        cloud = CloudFixture(Path(folder))
        units = cloud.add_units([f"cp{number:05d}" for number in range(UNITS)])
        password = cloud.command("user", "add", NAME, "--role", "support")["password"]
        cloud.start()
        try:
            crowd = Fleet(cloud.mqtt_port, units)
            crowd.connect()
            crowd.disconnect()
            looking = Looking(cloud.http_port, password)
            took_s = crowd.connect()
            sent = crowd.pace(EVERY_S, SECONDS)
            times = looking.stop()
            heard = int(cloud.health()["counters"]["contacts"])
            memory = memory_mb(cloud.bridge.pid)
            crowd.disconnect()
        finally:
            cloud.stop()
    page_ms, stored_ms = percentile(times, 0.99) * 1000, percentile(sent.latencies_s, 0.99) * 1000
    print(
        f"{UNITS:,} units: all back in {took_s:.1f} s; {sent.acknowledged} heartbeats in {sent.seconds:.0f} s, ", end=""
    )
    print(f"{sent.acknowledged - heard} lost; memory {memory:.0f} MB; load of the machine {os.getloadavg()[0]:.1f}")
    print(f"  page meanwhile ({len(times)} looks): p99 {page_ms:.0f} ms, limit {PAGE_LIMIT_MS:.0f} ms")
    print(f"  heartbeat to committed row (its acknowledgement): p99 {stored_ms:.0f} ms, limit {STORED_LIMIT_MS:.0f} ms")
    return heard == sent.acknowledged and page_ms <= PAGE_LIMIT_MS and stored_ms <= STORED_LIMIT_MS


class Looking:
    """A process that opens a dashboard again and again. In the units' process it would wait for its turn."""

    def __init__(self, port: int, password: str) -> None:
        words = [sys.executable, "-m", "hil_tests.bench.cloud.browser", str(port), password, "/charge-points/cp00000"]
        self._process = subprocess.Popen(
            words, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent
        )

    def stop(self) -> list[float]:
        """Stop the process. Return how long each page took, in seconds."""
        said, _ = self._process.communicate()
        times: list[float] = json.loads(said)
        return times
