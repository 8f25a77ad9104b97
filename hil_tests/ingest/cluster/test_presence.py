"""Does the store have the units' connections, also when a node is killed and reports nothing?"""

import time

from hil_tests.fixtures.auth_cluster import AuthCluster
from hil_tests.fixtures.mqtt_unit import come_back

WITHIN_S = 60.0


def connected(cluster: AuthCluster) -> dict[str, str]:
    """Return the node of each connected unit."""
    return dict(cluster.postgresql.say("SELECT unit_id, door FROM presence WHERE connected"))


def wait_for(cluster: AuthCluster, expected: dict[str, str]) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while (seen := connected(cluster)) != expected:
        assert time.monotonic() < give_up_s, seen
        time.sleep(0.1)


def test_units_come_go_move_and_are_away_when_their_node_is_killed(cluster: AuthCluster) -> None:
    one, two = cluster.add_units(["one", "two"])
    first, second = cluster.connect(one, "n1"), cluster.connect(two, "n3")
    wait_for(cluster, {"one": "n1", "two": "n3"})
    moved = cluster.connect(one, "n2")
    wait_for(cluster, {"one": "n2", "two": "n3"})
    cluster.nats.kill("n3")
    wait_for(cluster, {"one": "n2"})
    moved.close()
    wait_for(cluster, {})
    back = come_back(cluster.nats.mqtt_ports["n1"], *two)
    wait_for(cluster, {"two": "n1"})
    for unit in (first, second, back):
        unit.close()


def test_what_happened_while_no_auth_process_ran_is_found(cluster: AuthCluster) -> None:
    one, two = cluster.add_units(["one", "two"])
    stays, goes = cluster.connect(one, "n1"), cluster.connect(two, "n2")
    wait_for(cluster, {"one": "n1", "two": "n2"})
    for name in ("auth-1", "auth-2"):
        cluster.kill_auth(name)
    goes.close()
    cluster.start_auth("auth-3")
    wait_for(cluster, {"one": "n1"})
    stays.close()
