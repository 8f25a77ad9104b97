"""2,000 units on the broker inside: a mass reconnect, a heartbeat a minute each, and somebody looking at a page."""

import tempfile
import threading
import time
from pathlib import Path

from hil_tests.bench.cloud.load import Fleet, memory_mb, percentile
from hil_tests.ingest.house import House

UNITS = 2000
EVERY_S = 60.0
SECONDS = 15.0
PAGE_LIMIT_MS = 100.0
STORED_LIMIT_MS = 1000.0


def fleet() -> bool:
    """No contact lost, the page's p99, memory, and the time from a heartbeat to its row."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        units = house.add_units([f"cp{number:05d}" for number in range(UNITS)])
        house.start()
        assert house.bridge is not None
        stop, times = threading.Event(), list[float]()
        looker = threading.Thread(target=_look, args=(house, stop, times))
        try:
            crowd = Fleet(house.mqtt_port, units)
            crowd.connect()
            crowd.disconnect()
            looker.start()
            took_s = crowd.connect()
            sent = crowd.pace(EVERY_S, SECONDS)
            stop.set()
            looker.join()
            heard = int(house.health()["counters"]["contacts"])
            memory = memory_mb(house.bridge.pid)
            crowd.disconnect()
        finally:
            stop.set()
            house.stop()
    page_ms, stored_ms = percentile(times, 0.99) * 1000, percentile(sent.latencies_s, 0.99) * 1000
    print(
        f"{UNITS:,} units: all back in {took_s:.1f} s; {sent.acknowledged} heartbeats in {sent.seconds:.0f} s, ", end=""
    )
    print(f"{sent.acknowledged - heard} lost; memory {memory:.0f} MB")
    print(f"  page meanwhile ({len(times)} looks): p99 {page_ms:.0f} ms, limit {PAGE_LIMIT_MS:.0f} ms")
    print(f"  heartbeat to committed row (its acknowledgement): p99 {stored_ms:.0f} ms, limit {STORED_LIMIT_MS:.0f} ms")
    return heard == sent.acknowledged and page_ms <= PAGE_LIMIT_MS and stored_ms <= STORED_LIMIT_MS


def _look(house: House, stop: threading.Event, times: list[float]) -> None:
    while not stop.is_set():
        started_s = time.monotonic()
        house.charge_point("cp00000", within_s=30)
        times.append(time.monotonic() - started_s)
        time.sleep(0.02)
