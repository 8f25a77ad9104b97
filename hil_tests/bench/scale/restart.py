"""A restart on SQLite with a day of signal that is not averaged yet: how long do units wait for acknowledgements?"""

import os
import tempfile
import time
from pathlib import Path

from hil_tests.bench.cloud.load import Fleet, cpu_s, percentile
from hil_tests.bench.scale.filling import FIVE_MINUTES_MS, Tables
from hil_tests.fixtures.cloud_fixture import CloudFixture

CONNECTED = 200  # units that publish for all units
BEAT_S = 300.0  # an idle unit's heartbeat interval
DAY_TIMES = 288
LONGEST_S = 1.0
GIVE_UP_S = 900.0
PRESSED_S = 10.0
AFTER_S = 30.0


def restart(units: int) -> bool:
    """Publish heartbeats at the rate of `units` idle units until the day is averaged. Return True if the limit holds."""
    with tempfile.TemporaryDirectory() as folder:
        cloud = CloudFixture(Path(folder))
        cloud.command("user", "list")  # creates the tables
        tables = Tables(cloud.folder / "chargekeeper.db")
        tables.add_units(units)
        known = tables.first_secrets(CONNECTED)
        now_ms = time.time_ns() // 1_000_000
        tables.heard(units, now_ms)
        tables.signal(units, now_ms - DAY_TIMES * FIVE_MINUTES_MS, DAY_TIMES)
        cloud.start()
        try:
            began_s = time.monotonic()
            fleet = Fleet(cloud.mqtt_port, known)
            fleet.connect()
            latencies: list[float] = []
            while not _is_averaged(tables, now_ms):
                latencies += fleet.pace(CONNECTED * BEAT_S / units, PRESSED_S).latencies_s
                if time.monotonic() - began_s > GIVE_UP_S:
                    break
            took_s, used_s = time.monotonic() - began_s, cpu_s(cloud.bridge.pid)
            done = _is_averaged(tables, now_ms)
            after = fleet.pace(CONNECTED * BEAT_S / units, AFTER_S).latencies_s
            rows = tables.value("SELECT count(*) FROM signal_5min")
            fleet.disconnect()
        finally:
            cloud.stop()
    print(f"a day of {units:,} units on SQLite, {rows:,} averages made in {took_s:.0f} s ({used_s:.0f} s of CPU);")
    print(
        f"  {len(latencies):,} heartbeats meanwhile: acknowledged after p99 {percentile(latencies, 0.99) * 1000:.0f} ms, "
        f"longest {max(latencies) * 1000:.0f} ms, at most {LONGEST_S * 1000:.0f} ms wanted;"
    )
    print(
        f"  beside it, {len(after):,} when that was done: p99 {percentile(after, 0.99) * 1000:.0f} ms, "
        f"longest {max(after) * 1000:.0f} ms; load of the machine {os.getloadavg()[0]:.1f}"
    )
    return done and max(latencies) <= LONGEST_S


def _is_averaged(tables: Tables, now_ms: int) -> bool:
    until_ms = tables.value("SELECT until_ms FROM rolled_up WHERE name = 'signal_5min'")
    return until_ms > now_ms - 2 * FIVE_MINUTES_MS
