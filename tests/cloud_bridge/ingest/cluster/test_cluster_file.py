"""Is a bad file reported in one line that says what to do?"""

import json
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.errors import SettingError
from cloud_bridge.ingest.cluster.cluster_file import Cluster, Node, cluster_text, read_cluster
from cloud_bridge.ingest.cluster.nkey import new_seed

CLUSTER = Cluster([Node("n1", "127.0.0.1", 4222, 1883)], "bridge's own", "system's own", new_seed(), None)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "cluster.json"
    file.write_text(cluster_text(CLUSTER))
    assert read_cluster(file) == CLUSTER


def test_nodes_are_spoken_to_by_tls_where_there_is_an_authority() -> None:
    assert CLUSTER.servers == ["nats://127.0.0.1:4222"]
    assert CLUSTER._replace(ca="/ca.pem").servers == ["tls://127.0.0.1:4222"]


@pytest.mark.parametrize(
    "bent",
    [
        {"nodes": []},
        {"nodes": [CLUSTER.nodes[0]._asdict()] * 2},
        {"nodes": [{"name": "n1"}]},
        {"nodes": [CLUSTER.nodes[0]._asdict(), CLUSTER.nodes[0]._asdict() | {"name": "n2", "mqtt_port": 1884}]},
        {"nodes": [CLUSTER.nodes[0]._asdict(), CLUSTER.nodes[0]._asdict() | {"name": "n2", "client_port": 4223}]},
        {"nodes": 3},
        {"bridge_secret": ""},
        {"system_secret": None},
        {"issuer_seed": "SAAA"},
        {"ca": 7},
    ],
    ids=lambda bent: f"{bent}"[:40],
)
def test_what_is_not_right_is_refused_with_what_to_do(tmp_path: Path, bent: dict[str, Any]) -> None:
    file = tmp_path / "cluster.json"
    file.write_text(json.dumps(json.loads(cluster_text(CLUSTER)) | bent))
    with pytest.raises(SettingError, match="write it anew") as refusal:
        read_cluster(file)
    assert CLUSTER.bridge_secret not in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"{", b"[" * 100_000])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "cluster.json"
    file.write_bytes(content)
    with pytest.raises(SettingError, match="CHARGEKEEPER_NATS"):
        read_cluster(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"cannot read .*cluster\.json"):
        read_cluster(tmp_path / "cluster.json")
