"""Does a cluster process report a wrong file, database, seed, node or clock in one line with what to do, and change no data?

All tests share one cluster and restore it. For a worker that is older than the tables, see
hil_tests/cluster/test_other_tables.py.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from hil_tests.cluster.layout import ROLES
from hil_tests.fixtures.auth_cluster import AuthCluster
from hil_tests.fixtures.nats_cluster import NatsCluster
from hil_tests.fixtures.role_process import RoleProcess

WITHIN_S = 60.0
OF_UNITS = (
    "units",
    "contacts",
    "heartbeats",
    "events",
    "sessions",
    "commands",
    "presence",
    "listening",
    "listening_gaps",
)
TRIES_S = 2.5  # time for several connection attempts
TEN_MINUTES_S = 600


class Processes:
    """The cluster, and processes that `close` ends."""

    def __init__(self, cluster: AuthCluster, folder: Path) -> None:
        self.cluster = cluster
        self.ours: dict[str, Any] = json.loads(cluster.nats.file.read_text())
        self.folder = folder
        self._ending = ExitStack()

    def start(self, role: str, said: dict[str, Any] | str | None = None, ahead_s: int = 0) -> RoleProcess:
        """Start a process, with values of the cluster file replaced by `said`, or with this text as the file."""
        environment = dict(self.cluster.environment)
        if said is not None:
            environment["CHARGEKEEPER_NATS"] = str(self.file(said))
        process = RoleProcess(role, self.folder / f"{role}-{time.monotonic_ns()}.log", environment, ahead_s)
        self._ending.callback(process.kill)
        return process

    def file(self, said: dict[str, Any] | str) -> Path:
        file = self.folder / f"{time.monotonic_ns()}.json"
        file.touch(0o600)
        file.write_text(said if isinstance(said, str) else json.dumps(self.ours | said))
        return file

    def nodes(self, **of_the_second: Any) -> dict[str, Any]:
        """Return the cluster's nodes, with changed values for the second."""
        first, second, third = self.ours["nodes"]
        return {"nodes": [first, second | of_the_second, third]}

    def rows(self) -> dict[str, object]:
        """Return a hash of each table with units' data."""
        content = "SELECT md5(string_agg(one::text, chr(10) ORDER BY one::text)) FROM {} AS one"
        return {table: self.cluster.postgresql.say(content.format(table)) for table in OF_UNITS}

    def close(self) -> None:
        self._ending.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthCluster]:
    """Three nodes without a process of ours."""
    cluster = AuthCluster(tmp_path_factory.mktemp("cluster"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def processes(cluster: AuthCluster, tmp_path: Path) -> Iterator[Processes]:
    processes = Processes(cluster, tmp_path)
    try:
        yield processes
    finally:
        processes.close()


def until(condition: Callable[[], object], what: str) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < give_up_s, f"timed out: {what}"
        time.sleep(0.1)


def get_in(cluster: AuthCluster, unit: tuple[str, str]) -> None:
    """Connect as a unit does, and again if the connection is closed."""

    def is_in() -> bool:
        try:
            cluster.connect(unit).close()
        except ConnectionResetError:
            return False
        return True

    until(is_in, "let in")


def test_half_a_file_is_told_by_every_role_in_one_line(processes: Processes) -> None:
    half = processes.cluster.nats.file.read_text()[:200]
    for code, said in [each.ended() for each in [processes.start(role, half) for role in (*ROLES, "all")]]:
        assert code == 1 and said.count("\n") == 1
        assert "is not what `nats write` makes" in said and "write it anew" in said


def test_a_database_that_only_reads_is_told_by_every_role_in_one_line(processes: Processes) -> None:
    processes.cluster.add_units(["read-1"])
    before = processes.rows()
    processes.cluster.postgresql.set("default_transaction_read_only", "on")
    try:
        for code, said in [each.ended() for each in [processes.start(role) for role in (*ROLES, "all")]]:
            assert code == 1 and said.count("\n") == 1
            assert "read-only transaction" in said and "has to name the primary" in said
    finally:
        processes.cluster.postgresql.set("default_transaction_read_only", None)
    assert processes.rows() == before


def test_with_the_file_of_another_cluster_every_role_waits_and_says_why_once(processes: Processes) -> None:
    other = json.loads(NatsCluster(processes.folder / "other").file.read_text()) | {"nodes": processes.ours["nodes"]}
    running = [processes.start(role, other) for role in ROLES]
    for each in running:
        each.wait_for("refuses our secret")
    before = processes.rows()
    time.sleep(TRIES_S)
    for each in running:
        assert "Write both with `nats write`" in each.text
        assert each.text.count("refuses our secret") <= 3, "once for each connection"
        assert "reset by peer" not in each.text.partition("refuses our secret")[2], "which is the same"
    assert processes.rows() == before


def test_an_auth_process_with_another_seed_ends_and_the_other_lets_the_unit_in(processes: Processes) -> None:
    other = json.loads(NatsCluster(processes.folder / "other").file.read_text())
    (unit,) = processes.cluster.add_units(["seed-1"])
    wrong = processes.start("auth", {"issuer_seed": other["issuer_seed"]})
    wrong.wait_for("/healthz")
    with pytest.raises(ConnectionResetError):  # no answer: a refused unit would stay away for up to 12 minutes
        processes.cluster.connect(unit)
    code, said = wrong.ended()
    assert (code, said.count("\n")) == (1, 2), "where /healthz is, and why it ended"
    assert "issuer_seed in the file of CHARGEKEEPER_NATS does not match" in said and other["issuer_seed"] not in said
    processes.start("auth").wait_for("/healthz")
    get_in(processes.cluster, unit)


def test_a_node_of_another_cluster_is_left_out_and_said(processes: Processes, tmp_path: Path) -> None:
    """The foreign node has the place of our second node, and routes to our nodes."""
    foreign = NatsCluster(tmp_path / "foreign", nodes=2)
    file = foreign.folder / "n1.conf"
    said = json.loads(file.read_text())
    said["cluster"]["routes"] = json.loads((processes.cluster.nats.folder / "n1.conf").read_text())["cluster"]["routes"]
    said["cluster"]["routes"] = [
        f"nats-route://route:{said['cluster']['authorization']['password']}@{route.rpartition('@')[2]}"
        for route in said["cluster"]["routes"]
    ]
    file.write_text(json.dumps(said))
    try:
        foreign.start_node("n1", wait=False)  # not ready without routes to its own cluster
        until(lambda: "Authorization Violation" in foreign.log("n1"), "turned away by our nodes")
        node = json.loads(foreign.file.read_text())["nodes"][0]
        mixed = processes.nodes(client_port=node["client_port"], mqtt_port=node["mqtt_port"])
        (unit,) = processes.cluster.add_units(["foreign-1"])
        processes.start("auth", mixed).wait_for("/healthz")
        worker = processes.start("ingest", mixed)
        worker.wait_for("duty canary of n2 failed")
        get_in(processes.cluster, unit)
        station = processes.cluster.connect(unit, "n3")
        station.report("heartbeat")
        count = "SELECT messages FROM contacts WHERE unit_id = 'foreign-1'"
        until(lambda: processes.cluster.postgresql.say(count) == [(1,)], "taken in by the others")
        station.close()
    finally:
        foreign.stop()


def test_a_node_whose_name_is_not_known_is_said_and_the_others_serve(processes: Processes) -> None:
    mixed = processes.nodes(host="no-such-host.invalid")
    auth, worker = processes.start("auth", mixed), processes.start("ingest", mixed)
    auth.wait_for("/healthz")
    worker.wait_for("duty canary of n2 failed, retrying: gaierror")
    (unit,) = processes.cluster.add_units(["name-1"])
    processes.cluster.connect(unit).close()


def test_where_no_name_is_known_the_line_has_them(processes: Processes) -> None:
    nodes = [node | {"host": "no-such-host.invalid"} for node in processes.ours["nodes"]]
    auth = processes.start("auth", {"nodes": nodes})
    auth.wait_for("has a name that is not known here, of no-such-host.invalid: look at the DNS")
    time.sleep(TRIES_S)
    assert auth.text.count("\n") == 1


def test_a_file_with_fewer_nodes_than_the_cluster_has_is_told(processes: Processes) -> None:
    processes.start("auth").wait_for("/healthz")  # creates the streams with three replicas
    few = {"nodes": processes.ours["nodes"][:1]}
    for each in (processes.start("ingest", few), processes.start("auth", few)):
        each.wait_for("the cluster keeps each message at 3 of its nodes, and would at 1 with the 1 that the file of")


def test_an_auth_process_goes_on_while_the_database_only_reads(processes: Processes) -> None:
    """A login only reads."""
    auth = processes.start("auth")
    auth.wait_for("/healthz")
    (unit,) = processes.cluster.add_units(["reads-1"])
    processes.cluster.postgresql.set("default_transaction_read_only", "on")
    try:
        before = processes.rows()
        station = processes.cluster.connect(unit)
        auth.wait_for("duty presence failed, retrying")
        assert "read-only transaction" in auth.text
        assert processes.rows() == before
    finally:
        processes.cluster.postgresql.set("default_transaction_read_only", None)
    present = "SELECT connected FROM presence WHERE unit_id = 'reads-1'"
    until(lambda: processes.cluster.postgresql.say(present) == [(True,)], "written afterwards")
    station.close()


@pytest.mark.parametrize("ahead_s", [-TEN_MINUTES_S, TEN_MINUTES_S], ids=["ahead", "behind"])
def test_nodes_whose_clock_is_ten_minutes_off_are_told_and_not_believed(processes: Processes, ahead_s: int) -> None:
    """The worker has the wrong clock, because a node's clock cannot be changed (fixtures/role_process.py)."""
    name = "clock-ahead" if ahead_s < 0 else "clock-behind"
    processes.start("auth").wait_for("/healthz")
    worker = processes.start("ingest", ahead_s=ahead_s)
    (unit,) = processes.cluster.add_units([name])
    station = processes.cluster.connect(unit)
    worker.wait_for("the clock of a node is")
    assert f"s {'ahead of' if ahead_s < 0 else 'behind'} ours, its timestamps are ignored" in worker.text
    station.report("heartbeat")
    now_ms = (time.time() + ahead_s) * 1000
    last = f"SELECT last_contact_ms FROM contacts WHERE unit_id = '{name}'"
    until(lambda: processes.cluster.postgresql.say(last), "stored")
    ((at_ms,),) = processes.cluster.postgresql.say(last)
    assert abs(at_ms - now_ms) < WITHIN_S * 1000, "by the worker's clock"
    station.close()
