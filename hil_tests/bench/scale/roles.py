"""The processor use of each process of a cluster without messages, and the cost of a page for a `web`."""

import os
import tempfile
import time
from pathlib import Path

from hil_tests.bench.cloud.browser import NAME, Browser
from hil_tests.fleet.own_cluster import OwnCluster

LOOKED_S = 30.0
LOOKS = 200
PAGES = {"the list": "/fleet", "a unit": "/charge-points/cp0000000"}


def roles(known: int) -> bool:
    """Measure on a store with `known` units. There is no limit, so return True."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        cluster = OwnCluster(Path(folder), known)
        try:
            cluster.start(["one"])
            before = {one.name: one.cpu_s for one in cluster.usage()}
            time.sleep(LOOKED_S)
            print(
                f"two of each role, {known:,} units known, none connected; load of the machine {os.getloadavg()[0]:.1f}"
            )
            for one in cluster.usage():
                print(
                    f"  {one.name:10} {(one.cpu_s - before[one.name]) / LOOKED_S:.1%} of a processor, {one.memory_mb:.0f} MB"
                )
            (person,) = cluster.commands(("user", "add", NAME, "--role", "support"))
            browser = Browser(cluster.web_ports[0], person["password"])
            for name, path in PAGES.items():
                browser.get(path)
                began_s = _web_s(cluster)
                for _ in range(LOOKS):
                    browser.get(path)
                print(f"  the page of {name}: {(_web_s(cluster) - began_s) / LOOKS * 1000:.1f} ms of web-1")
        finally:
            cluster.close()
    return True


def _web_s(cluster: OwnCluster) -> float:
    return next(one.cpu_s for one in cluster.usage() if one.name == "web-1")
