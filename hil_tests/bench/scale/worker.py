"""Messages per second that a worker stamps and commits, beside a bare nats-py loop on the same stream.

In each round each of them empties its own backlog, alone. The measurement begins with the first acknowledgement and
ends when nothing in the stream waits for one. So the start is not included, and both are measured from outside in the
same way.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from hil_tests.bench.cloud.load import Fleet, cpu_s
from hil_tests.bench.scale.backlog import Backlog
from hil_tests.bench.scale.processor import server_s
from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.children import die_with_parent
from hil_tests.fixtures.cluster_fixture import DATABASE, ClusterFixture

WINDOW = 10
SLICE_S = 1.0  # how long the units publish before the messages are counted
LOOK_EVERY_S = 0.02
WITHIN_S = 300.0
RATIO = 0.8


class Emptied(NamedTuple):
    """How fast a backlog was emptied."""

    per_s: float  # messages by wall time
    per_cpu_s: float  # messages per second of the process's own time
    nodes_us: float  # processor time per message, of all nodes together
    postgresql_us: float


def worker(messages: int, rounds: int, units: int) -> bool:
    """Measure both and print rates and ratios. Every backlog has at least `messages`. Return True if the ratio holds."""
    bare: list[Emptied] = []
    ours: list[Emptied] = []
    with tempfile.TemporaryDirectory() as folder:
        cluster = ClusterFixture(Path(folder))
        try:
            secrets = cluster.add_units([f"cp{number:05d}" for number in range(units)])
            cluster.start()
            cluster.stop_bridge()
            fleets = [Fleet(port, secrets[at::3]) for at, port in enumerate(cluster.nodes.mqtt_ports.values())]
            for fleet in fleets:
                fleet.connect()
            backlog = Backlog(cluster.nodes.file)
            for number in range(rounds):
                turns = ((bare, _bare), (ours, _ours))
                for emptied, empty in turns if number % 2 == 0 else turns[::-1]:
                    emptied.append(empty(cluster, backlog, _press(fleets, messages)))
                _print(f"round {number + 1}", bare[-1], ours[-1])
            backlog.close()
        finally:
            cluster.stop()
    print(f"a worker, {units:,} units, stamped and committed, beside nats-py that pulls and acknowledges; medians:")
    wall = statistics.median(one.per_s / other.per_s for one, other in zip(ours, bare, strict=True))
    own = statistics.median(one.per_cpu_s / other.per_cpu_s for one, other in zip(ours, bare, strict=True))
    _print("both", _median(bare), _median(ours))
    print(f"{wall:.2f} of its messages a second, {own:.2f} in a second of its own time; at least {RATIO} wanted")
    return min(wall, own) >= RATIO


def _print(what: str, bare: Emptied, ours: Emptied) -> None:
    for name, one in (("bare", bare), ("worker", ours)):
        print(
            f"{what}: {name:<6} {one.per_s:>7,.0f}/s, {one.per_cpu_s:>7,.0f} in a second of its own time; beside it, a "
            f"message: nodes {one.nodes_us:.0f} us, PostgreSQL {one.postgresql_us:.0f} us",
            flush=True,
        )


def _median(rounds: list[Emptied]) -> Emptied:
    return Emptied(*(statistics.median(values) for values in zip(*rounds, strict=True)))


def _press(fleets: list[Fleet], messages: int) -> int:
    """Publish at least `messages`. Return how many were acknowledged."""
    done = 0
    while done < messages:
        done += sum(fleet.press(WINDOW, SLICE_S / len(fleets)).acknowledged for fleet in fleets)
    return done


def _bare(cluster: ClusterFixture, backlog: Backlog, _acknowledged: int) -> Emptied:
    """Empty the backlog through the workers' own consumer, so that the workers do not get the messages too."""
    words = [sys.executable, "-m", "hil_tests.bench.scale.bare_pull", str(cluster.nodes.file), str(backlog.left())]
    process = subprocess.Popen(words, cwd=CHECKOUT, preexec_fn=die_with_parent)
    try:
        return _emptied(cluster, backlog, process.pid)
    finally:
        process.kill()
        process.wait()


def _ours(cluster: ClusterFixture, backlog: Backlog, acknowledged: int) -> Emptied:
    before = _stored(cluster)
    cluster.start_worker(0)
    try:
        emptied = _emptied(cluster, backlog, cluster.worker_pid(0))
    finally:
        cluster.kill_worker(0)
    stored = _stored(cluster) - before
    assert stored >= acknowledged, f"{stored} of {acknowledged} stored"
    return emptied


def _emptied(cluster: ClusterFixture, backlog: Backlog, pid: int) -> Emptied:
    """Measure a process that was just started."""
    give_up_s = time.monotonic() + WITHIN_S

    def look(enough: Callable[[int], bool]) -> int:
        while not enough(left := backlog.left()):
            assert time.monotonic() < give_up_s, f"{left} messages are left"
            time.sleep(LOOK_EVERY_S)
        return left

    def spent() -> tuple[float, float, float, float]:
        nodes_s = sum(cpu_s(process.pid) for process in cluster.nodes.processes.values())
        return time.monotonic(), cpu_s(pid), nodes_s, server_s(cluster.postgresql)

    total = backlog.left()
    count = look(lambda left: left < total)
    before = spent()
    look(lambda left: left == 0)
    took_s, own_s, nodes_s, postgresql_s = (now - then for now, then in zip(spent(), before, strict=True))
    return Emptied(count / took_s, count / own_s, nodes_s / count * 1e6, postgresql_s / count * 1e6)


def _stored(cluster: ClusterFixture) -> int:
    return int(cluster.postgresql.say("SELECT coalesce(sum(messages), 0) FROM contacts", DATABASE)[0][0])
