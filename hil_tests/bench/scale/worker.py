"""How many messages a worker stamps and commits in a second of its own time, beside a bare loop of nats-py on the stream."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hil_tests.bench.cloud.load import Fleet, cpu_s
from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.children import die_with_parent
from hil_tests.fixtures.cluster_fixture import DATABASE, ClusterFixture

UNITS = 200
WINDOW = 10
SECONDS = 8.0
WITHIN_S = 300.0


def worker(messages: int) -> bool:
    """Prints both rates and their ratio. Each empties a backlog of its own of at least so many messages."""
    with tempfile.TemporaryDirectory() as folder:
        cluster = ClusterFixture(Path(folder))
        try:
            units = cluster.add_units([f"cp{number:05d}" for number in range(UNITS)])
            cluster.start()
            cluster.stop_bridge()
            fleets = [Fleet(port, units[at::3]) for at, port in enumerate(cluster.nodes.mqtt_ports.values())]
            for fleet in fleets:
                fleet.connect()
            bare = _bare(cluster, _press(fleets, messages))
            ours = _ours(cluster, _press(fleets, messages))
        finally:
            cluster.stop()
    print(f"a worker, {UNITS} units, a backlog, stamped and committed: {ours:,.0f} messages/s of its own time")
    print(f"  beside it, nats-py that pulls and acknowledges: {bare:,.0f} ({ours / bare:.2f} of it)")
    return True


def _press(fleets: list[Fleet], messages: int) -> int:
    """How many were acknowledged: at least so many."""
    done = 0
    while done < messages:
        done += sum(fleet.press(WINDOW, SECONDS / len(fleets)).acknowledged for fleet in fleets)
    return done


def _bare(cluster: ClusterFixture, count: int) -> float:
    """Through the consumer of our own workers, so they do not get them too."""
    words = [sys.executable, "-m", "hil_tests.bench.scale.bare_pull", str(cluster.nodes.file), str(count)]
    answer = subprocess.run(
        words, cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=WITHIN_S, preexec_fn=die_with_parent
    )
    return count / float(answer.stdout)


def _ours(cluster: ClusterFixture, count: int) -> float:
    before = _stored(cluster)
    cluster.start_worker(0)
    pid = cluster.worker_pid(0)
    give_up_s = time.monotonic() + WITHIN_S
    while _stored(cluster) == before:  # starting is no part of it
        time.sleep(0.05)
    first, used_s = _stored(cluster), cpu_s(pid)
    while _stored(cluster) - before < count:
        assert time.monotonic() < give_up_s, f"{_stored(cluster) - before} of {count} stored"
        time.sleep(0.2)
    return (count - (first - before)) / (cpu_s(pid) - used_s)


def _stored(cluster: ClusterFixture) -> int:
    return int(cluster.postgresql.say("SELECT coalesce(sum(messages), 0) FROM contacts", DATABASE)[0][0])
