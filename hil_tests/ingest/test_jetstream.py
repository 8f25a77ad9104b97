"""What is special about a NATS cluster of three nodes: a node fails, a command arrives, a file is wrong, a disk is full."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client

from hil_tests.fixtures.cluster_fixture import DATABASE, ClusterFixture
from hil_tests.fixtures.nats_cluster import NatsCluster

WITHIN_S = 90.0
HOUR_MS = 3_600_000
MANY = 20  # messages
ROOM_KB = 1500
LARGE_KB = 3  # size of a message
ACK_WAIT_S = 30  # after this time the nodes deliver a message again
STORED_AND_LISTENED = (
    "SELECT (SELECT count(*) FROM events), (SELECT coalesce(sum(listened_ms), 0)::bigint FROM listening)"
)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ClusterFixture]:
    made = ClusterFixture(tmp_path)
    yield made
    made.stop()


def until(condition: Callable[[], object], what: str) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < give_up_s, f"timed out: {what}"
        time.sleep(0.1)


def count_of(cluster: ClusterFixture, table: str) -> int:
    return int(cluster.postgresql.say(f"SELECT count(*) FROM {table}", DATABASE)[0][0])


def deaf_nodes(cluster: ClusterFixture) -> list[str] | None:
    """Return the deaf nodes by /healthz, or None if it does not report them yet."""
    nodes: list[str] | None = cluster.health().get("deaf_nodes")
    return nodes


def test_while_one_node_is_gone_its_units_are_heard_through_another_and_it_is_said(cluster: ClusterFixture) -> None:
    (one,) = cluster.add_units(["one"])
    cluster.start()
    unit = cluster.connect(one, node="n2")
    unit.publish("heartbeat", b"{}")
    until(lambda: cluster.charge_point("one")["contact"] == "online", "heard through n2")
    until(lambda: deaf_nodes(cluster) == [], "all nodes heard")
    before = cluster.charge_point("one")["last_contact"]
    cluster.nodes.kill("n2")
    until(lambda: deaf_nodes(cluster) == ["n2"], "noticed")
    until(lambda: cluster.health().get("listening"), "listening through the others")
    cluster.come_back(one, "n3").report("heartbeat")
    until(lambda: cluster.charge_point("one")["last_contact"] > before, "heard through n3")
    cluster.nodes.start_node("n2")
    until(lambda: deaf_nodes(cluster) == [], "n2 is back")
    assert cluster.postgresql.say("SELECT * FROM listening_gaps", DATABASE), "its time away is a gap"


def test_with_one_of_three_nodes_gone_each_unit_is_judged_by_its_own_path(cluster: ClusterFixture) -> None:
    """For an hour, for which stored times are moved back. One unit moved away from the failed node, one could not, and one
    at another node fell silent by itself."""
    moved, stuck, quiet = cluster.add_units(["moved", "stuck", "quiet"])
    cluster.start()
    until(lambda: deaf_nodes(cluster) == [], "all nodes heard")
    nodes = {"moved": "n2", "stuck": "n2", "quiet": "n1"}
    stations = [cluster.connect(unit, node=nodes[unit[0]]) for unit in (moved, stuck, quiet)]
    present = "SELECT unit_id, door FROM presence WHERE connected"
    until(lambda: dict(cluster.postgresql.say(present, DATABASE)) == nodes, "known where each is")
    for station in stations:
        station.report("heartbeat")
    until(lambda: count_of(cluster, "contacts") == len(nodes), "all heard")
    paths = dict(cluster.postgresql.say("SELECT unit_id, shard FROM contacts", DATABASE))
    for station in stations:
        station.close()
    cluster.nodes.kill("n2")
    until(lambda: deaf_nodes(cluster) == ["n2"], "noticed")
    cluster.kill_bridge()
    for statement in (
        f"UPDATE contacts SET last_contact_ms = last_contact_ms - {HOUR_MS}, latest_ms = latest_ms - {HOUR_MS}",
        f"UPDATE contacts SET listened_ms = listened_ms - {HOUR_MS} WHERE shard <> {paths['stuck']}",
        f"UPDATE listening SET until_ms = until_ms - {HOUR_MS} WHERE id = {paths['stuck']}",
        f"UPDATE units SET first_contact_ms = first_contact_ms - {HOUR_MS}",
    ):
        cluster.postgresql.say(statement, DATABASE)
    cluster.bridge_alone()
    cluster.come_back(moved, node="n3").report("heartbeat")
    until(lambda: contacts_of(cluster) == {"moved": "online", "stuck": "unknown", "quiet": "silent"}, "judged")
    cluster.nodes.start_node("n2")
    cluster.come_back(stuck, node="n2").report("heartbeat")
    cluster.come_back(quiet, node="n1").report("heartbeat")
    until(lambda: set(contacts_of(cluster).values()) == {"online"}, "all are back")
    for name, is_excused in (("moved", True), ("stuck", True), ("quiet", False)):
        (gap,) = cluster.get(f"/api/charge-points/{name}/contacts")["gaps"]
        assert gap["duration_ms"] >= HOUR_MS
        assert (gap["our_outage_ms"] >= HOUR_MS) == is_excused, name
        assert (gap["our_outage_ms"] < HOUR_MS / 2) == (not is_excused), name


def contacts_of(cluster: ClusterFixture) -> dict[str, str]:
    return {name: cluster.charge_point(name)["contact"] for name in ("moved", "stuck", "quiet")}


def test_a_command_reaches_the_unit_at_whatever_node_it_is(cluster: ClusterFixture) -> None:
    """A unit without the time receives it as a command."""
    (one,) = cluster.add_units(["one"])
    cluster.start()
    unit = cluster.connect(one, node="n3")
    unit.subscribe_to_commands()
    unit.publish("heartbeat", json.dumps({"n": 1, "b": 1, "s": "A1"}).encode())
    assert unit.next_command()["do"] == "time"


def test_with_the_file_of_another_cluster_nothing_is_taken_and_the_log_says_why(
    cluster: ClusterFixture, tmp_path: Path
) -> None:
    cluster.nodes.start()
    other = json.loads(NatsCluster(tmp_path / "other").file.read_text())
    ours = json.loads(cluster.nodes.file.read_text())
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(other | {"nodes": ours["nodes"]}))
    cluster.bridge.environment["CHARGEKEEPER_NATS"] = str(wrong)
    cluster.start_worker(0)
    log = tmp_path / "worker-0.log"
    until(lambda: "refuses our secret" in log.read_text(), "said")
    assert "write" in log.read_text()
    assert cluster.postgresql.say("SELECT * FROM listening", DATABASE) == []


def test_while_the_database_takes_nothing_units_are_acknowledged_and_nothing_is_lost(cluster: ClusterFixture) -> None:
    (one,) = cluster.add_units(["one"])
    cluster.start()
    unit = cluster.connect(one)
    cluster.postgresql.set("default_transaction_read_only", "on")
    until(lambda: not cluster.health(), "said: /healthz answers 503")
    for number in range(1, MANY + 1):
        unit.publish("event", json.dumps({"n": number, "b": 1, "k": "tamper"}).encode())
    acknowledged_ms = time.time() * 1000
    assert cluster.postgresql.say("SELECT * FROM events", DATABASE) == []
    cluster.postgresql.set("default_transaction_read_only", None)
    until(lambda: count_of(cluster, "events") == MANY, "all of it stored")
    ((last_ms,),) = cluster.postgresql.say("SELECT last_contact_ms FROM contacts", DATABASE)
    assert last_ms <= acknowledged_ms


def fill_disk(cluster: ClusterFixture, node: str) -> None:
    """Limit the node's storage, so that it is soon full."""
    file = cluster.nodes.folder / f"{node}.conf"
    configuration = json.loads(file.read_text())
    configuration["jetstream"]["max_file"] = f"{ROOM_KB}K"
    file.write_text(json.dumps(configuration))


def test_full_disks_on_all_nodes_stop_acknowledgements_and_lose_nothing(tmp_path: Path) -> None:
    """On a cluster of one node, so that all its nodes are full."""
    cluster = ClusterFixture(tmp_path, nodes=1)
    try:
        fill_disk(cluster, "n1")
        (one,) = cluster.add_units(["one"])
        cluster.start()
        unit = cluster.connect(one)
        unit.publish("heartbeat", b"{}")
        until(lambda: cluster.charge_point("one")["contact"] == "online", "heard by the only node")
        cluster.kill_bridge()
        acknowledged = 0
        with pytest.raises(OSError):  # no acknowledgement
            while acknowledged <= ROOM_KB // LARGE_KB:
                event = {"n": acknowledged + 1, "b": 1, "k": "tamper", "d": {"x": "x" * 1000 * LARGE_KB}}
                unit.publish("event", json.dumps(event).encode())
                acknowledged += 1
        assert 0 < acknowledged <= ROOM_KB // LARGE_KB
        cluster.bridge_alone()
        until(lambda: count_of(cluster, "events") >= acknowledged, "all of it stored, which makes room")
        unit.report("heartbeat")
        until(lambda: deaf_nodes(cluster) == [], "heard again")
    finally:
        cluster.stop()


def test_a_full_disk_on_one_node_loses_nothing(cluster: ClusterFixture) -> None:
    """The other two replicas are enough."""
    fill_disk(cluster, "n3")
    (one,) = cluster.add_units(["one"])
    cluster.start()
    unit = cluster.connect(one, node="n1")
    cluster.kill_bridge()
    for _ in range(ROOM_KB // LARGE_KB * 3 // 2):  # a node may close connections while another takes over a stream
        unit.report("event", k="tamper", d={"x": "x" * 1000 * LARGE_KB})
    cluster.bridge_alone()
    until(lambda: count_of(cluster, "events") == ROOM_KB // LARGE_KB * 3 // 2, "all of it stored")


def test_while_a_worker_sits_on_a_message_no_time_counts_as_listened(cluster: ClusterFixture) -> None:
    """The worker was killed before it acknowledged the message. The message is delivered again, and is contact of its
    arrival."""
    (one,) = cluster.add_units(["one"])
    cluster.start()
    unit = cluster.connect(one)
    unit.publish("heartbeat", b"{}")
    until(lambda: cluster.charge_point("one")["contact"] == "online", "heard")
    cluster.kill_bridge()
    sent_ms = time.time() * 1000
    unit.publish("event", b'{"n":1,"b":1,"k":"tamper"}')
    acknowledged_ms = time.time() * 1000
    asyncio.run(sit_on_the_next(cluster))
    cluster.bridge_alone()
    ((_, before_ms),) = cluster.postgresql.say(STORED_AND_LISTENED, DATABASE)

    def delivered_again() -> bool:
        """Read both in one query: listened time counts from the moment the message is stored."""
        ((is_stored, listened_ms),) = cluster.postgresql.say(STORED_AND_LISTENED, DATABASE)
        assert is_stored or listened_ms == before_ms
        return bool(is_stored)

    until(delivered_again, "delivered again")
    ((at_ms,),) = cluster.postgresql.say("SELECT received_ms FROM events", DATABASE)
    assert sent_ms - 1 <= at_ms <= acknowledged_ms
    until(lambda: cluster.health().get("listening"), "listening again")


def test_what_lies_between_the_words_of_a_unit_is_acknowledged_with_them(cluster: ClusterFixture) -> None:
    """A will is in the same stream. If it stayed unacknowledged, the listened time would not advance."""
    cluster.add_units(["one"])
    cluster.start()
    cluster.kill_bridge()
    asyncio.run(say(cluster, "one.heartbeat", "one.lwt", "one.heartbeat"))
    cluster.bridge_alone()
    until(lambda: count_of(cluster, "contacts"), "taken")
    started_s = time.monotonic()
    until(lambda: asyncio.run(unacknowledged(cluster)) == 0, "acknowledged")
    assert time.monotonic() - started_s < ACK_WAIT_S / 2, "and not only after a second delivery"
    assert cluster.postgresql.say("SELECT messages FROM contacts", DATABASE) == [(2,)]


async def say(cluster: ClusterFixture, *topics: str) -> None:
    """Publish these topics as a node does for units."""
    client = await connected(cluster)
    for topic in topics:
        await client.jetstream().publish(f"$MQTT.msgs.cp.{topic}", b"{}", headers={"Nmqtt-Pub": "1"})
    await client.close()


async def unacknowledged(cluster: ClusterFixture) -> int:
    client = await connected(cluster)
    info = await client.jetstream().consumer_info("messages", "bridge")
    await client.close()
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


async def connected(cluster: ClusterFixture) -> Client:
    said = json.loads(cluster.nodes.file.read_text())
    node = said["nodes"][0]
    return await nats.connect(
        f"nats://{node['host']}:{node['client_port']}", user="bridge", password=said["bridge_secret"]
    )


async def sit_on_the_next(cluster: ClusterFixture) -> None:
    """Take the next message out of the stream without acknowledging it."""
    client = await connected(cluster)
    subscription = await client.jetstream().pull_subscribe_bind("bridge", stream="messages")
    assert await subscription.fetch(1, timeout=WITHIN_S)
    await client.close()
