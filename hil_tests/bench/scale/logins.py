"""A whole fleet logs in at once, through three nodes and two auth processes: how long do units and pages wait?

A unit is a raw socket that sends a unit's packets. After a refusal or a lost connection it retries as the firmware does
(firmware/link/backoff.py).

On a shared machine a page also waits for other programs. So two times are printed: the wall time, and the wall time
without the part of the page's waits for a processor that is due to other programs, by their share of the processors.
"""

import asyncio
import json
import os
import random
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from hil_tests.bench.cloud.browser import NAME, Browser
from hil_tests.bench.scale.onlooker import Look, Onlooker
from hil_tests.bench.scale.processor import descendants_cpu_s, machine_cpu_s, server_pids
from hil_tests.bench.scale.role_process import RoleProcess
from hil_tests.fixtures.auth_cluster import AuthCluster, UnitSecret
from hil_tests.fixtures.mqtt_unit import CONNACK_OK, connect

WORST_S = 60.0  # no unit may wait longer
ANSWER_P99_MS = 50.0  # under normal load
PAGE_P99_MS = 100.0  # while all units log in
PAGES = ("/fleet", "/fleet?by=never", "/charge-points/cp000007", "/account/units")
BEFORE_S = 20.0  # how long pages are measured before
NORMAL_PER_S = 50.0  # logins; 15,000 units that each reconnect once in 5 minutes
NORMAL_S = 20.0
ANSWER_WITHIN_S = 60.0
GIVE_UP_S = 300.0
BACKOFF_FIRST_S, BACKOFF_LAST_S = 1.0, 720.0
CROWDS = 4  # processes
SOCKETS_AT_ONCE = 200  # that wait for the kernel's handshake, not for an answer
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass
class Waits:
    """The waits of one crowd, in seconds."""

    whole: list[float] = field(default_factory=list)  # from the first attempt to the login
    answers: list[float] = field(default_factory=list)  # from CONNECT to the successful CONNACK
    refused: int = 0

    @classmethod
    def together(cls, several: "list[Waits]") -> "Waits":
        """Join several crowds."""
        return cls(
            [wait for each in several for wait in each.whole],
            [wait for each in several for wait in each.answers],
            sum(each.refused for each in several),
        )


def logins(units: int) -> bool:
    """Measure worst and p99 wait, answers, pages and CPU. Return True if the limits hold."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        cluster = AuthCluster(Path(folder))
        try:
            secrets = cluster.add_units([f"cp{number:06d}" for number in range(units)])
            cluster.start("auth-1", "auth-2")
            ports = list(cluster.nats.mqtt_ports.values())
            _crowd(ports, secrets[:CROWDS])  # the first login creates the streams
            normal = asyncio.run(_normal(ports, secrets))
            onlooker = _onlooker(cluster, stack)
            with onlooker.at_work() as before:
                time.sleep(BEFORE_S)
            before_s = _cpu_s(cluster.auth_pids())
            with (
                ProcessPoolExecutor(CROWDS) as processes,
                onlooker.at_work() as meanwhile,
            ):  # a single process may not open so many files
                machine_s, own_s = machine_cpu_s(), descendants_cpu_s()
                parts = [processes.submit(_crowd, ports, secrets[each::CROWDS]) for each in range(CROWDS)]
                crowd = Waits.together([part.result() for part in parts])
                share = (descendants_cpu_s() - own_s) / (machine_cpu_s() - machine_s)
            cpu_s = _cpu_s(cluster.auth_pids()) - before_s
        finally:
            stack.close()
            cluster.stop()
    answer_ms = percentile(normal.answers, 0.99) * 1000
    print(
        f"{NORMAL_PER_S:.0f} logins/s: answer p50 {percentile(normal.answers, 0.5) * 1000:.1f} ms, p99 {answer_ms:.1f} ms"
    )
    print(
        f"{units} at once: worst wait {max(crowd.whole):.1f} s, p99 {percentile(crowd.whole, 0.99):.1f} s, "
        f"p50 {percentile(crowd.whole, 0.5):.1f} s; {len(crowd.whole)} in, {crowd.refused} tries refused; "
        f"{cpu_s / units * 1000:.2f} ms of CPU a login in the auth processes; load {os.getloadavg()[0]:.1f}"
    )
    page_ms = _say_pages("pages before", before, share)
    page_ms = _say_pages("pages meanwhile", meanwhile, share)
    said = {"worst_s": max(crowd.whole), "answer_p99_ms": answer_ms, "cpu_ms": cpu_s / units * 1000}
    print(json.dumps(said | {"page_p99_ms": page_ms}))
    is_quick = answer_ms <= ANSWER_P99_MS and page_ms <= PAGE_P99_MS
    return len(crowd.whole) == units and max(crowd.whole) <= WORST_S and is_quick


def _onlooker(cluster: AuthCluster, stack: ExitStack) -> Onlooker:
    """Return an onlooker at a `web` process of the cluster, with the database behind it."""
    password = cluster.command("user", "add", NAME, "--role", "support")["password"]
    web = RoleProcess("web", cluster.folder, cluster.environment, stack)
    web.until(web.is_healthy)
    browser = Browser(web.http_port, password)
    for path in PAGES:
        browser.get(path)  # prepare what is prepared once
    return Onlooker(browser, list(PAGES), [web.pid, *server_pids(cluster.postgresql)])


def _say_pages(what: str, looks: list[Look], share: float) -> float:
    """Print the times of the pages. Return the p99 without the waits for other programs, in ms."""
    wall = [look.wall for look in looks]
    ours = [look.wall - look.waiting * (1 - share) for look in looks]
    p99_ms = percentile(ours, 0.99)
    print(
        f"{what}: p50 {percentile(ours, 0.5):.0f} ms, p99 {p99_ms:.0f} ms of {len(looks)}; on the wall "
        f"{percentile(wall, 0.5):.0f} and {percentile(wall, 0.99):.0f} ms, with {share:.0%} of the processors ours"
    )
    return p99_ms


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def _cpu_s(pids: list[int]) -> float:
    """Return the user and system time of these processes."""
    spent = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        spent += int(fields[11]) + int(fields[12])
    return spent / TICKS_PER_S


def _crowd(ports: list[int], units: list[UnitSecret]) -> Waits:
    """Log in all units at once."""
    return asyncio.run(_all_at_once(ports, units))


async def _normal(ports: list[int], units: list[UnitSecret]) -> Waits:
    """Log in units one by one, at a steady rate."""
    waits = Waits()
    tasks = []
    for number in range(int(NORMAL_PER_S * NORMAL_S)):
        unit = units[number % len(units)]
        tasks.append(asyncio.create_task(_log_in(ports[number % len(ports)], unit, waits, asyncio.Semaphore(1))))
        await asyncio.sleep(1 / NORMAL_PER_S)
    for writer in await asyncio.gather(*tasks):
        writer.close()
    return waits


async def _all_at_once(ports: list[int], units: list[UnitSecret]) -> Waits:
    waits = Waits()
    turns = asyncio.Semaphore(SOCKETS_AT_ONCE)
    tasks = [
        asyncio.create_task(_log_in(ports[number % len(ports)], unit, waits, turns))
        for number, unit in enumerate(units)
    ]
    writers = await asyncio.gather(*tasks)
    for writer in writers:
        writer.transport.abort()
    return waits


async def _log_in(port: int, unit: UnitSecret, waits: Waits, turns: asyncio.Semaphore) -> asyncio.StreamWriter:
    """Retry until the unit is logged in."""
    began_s = time.monotonic()
    failures = 0
    while True:
        try:
            async with turns:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            asked_s = time.monotonic()
            writer.write(connect(*unit))
            async with asyncio.timeout(ANSWER_WITHIN_S):
                answer = await reader.readexactly(4)
            if answer == CONNACK_OK:
                waits.answers.append(time.monotonic() - asked_s)
                waits.whole.append(time.monotonic() - began_s)
                return writer
            writer.close()
        except (OSError, EOFError, TimeoutError):
            if time.monotonic() - began_s > GIVE_UP_S:
                raise
        waits.refused += 1
        failures += 1
        await asyncio.sleep(random.uniform(0, min(BACKOFF_LAST_S, BACKOFF_FIRST_S * 2**failures)))
