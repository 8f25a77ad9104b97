"""Does `nats write` make consistent files, with private secrets that it keeps when run again?"""

import json
from pathlib import Path

import pytest

from cloud_bridge.command_line import main
from cloud_bridge.ingest.cluster.cluster_file import read_cluster

NODES = [
    f"--node=n{number}=127.0.0.1,client={4221 + number},cluster={6221 + number},mqtt={1882 + number}"
    for number in (1, 2, 3)
]


def test_nodes_and_our_processes_have_the_same_secrets(tmp_path: Path) -> None:
    assert main(["nats", "write", "--folder", str(tmp_path), *NODES]) == 0
    cluster = read_cluster(tmp_path / "cluster.json")
    assert [node.mqtt_port for node in cluster.nodes] == [1883, 1884, 1885]
    for node in cluster.nodes:
        said = json.loads((tmp_path / f"{node.name}.conf").read_text())
        bridge, door = said["accounts"]["UNITS"]["users"]
        assert bridge == {"user": "bridge", "password": cluster.bridge_secret}
        assert (door["user"], door["password"]) == ("ocpp", cluster.ocpp_secret)
        assert said["authorization"]["auth_callout"]["auth_users"] == ["bridge", "ocpp", "system"]
        assert len(said["cluster"]["routes"]) == 3 and said["mqtt"]["stream_replicas"] == 3


def test_files_are_ours_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    main(["nats", "write", "--folder", str(folder), *NODES])
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_fourth_node_changes_no_secret(tmp_path: Path) -> None:
    main(["nats", "write", "--folder", str(tmp_path), *NODES])
    before = read_cluster(tmp_path / "cluster.json")
    main(["nats", "write", "--folder", str(tmp_path), *NODES, "--node=n4=127.0.0.1,client=4225,cluster=6225,mqtt=1886"])
    after = read_cluster(tmp_path / "cluster.json")
    assert after == before._replace(nodes=after.nodes) and len(after.nodes) == 4


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--node=n1=192.0.2.1"], "needs --tls-cert"),
        (["--node=n1=127.0.0.1", "--node=n1=127.0.0.1"], "its own name"),
        (["--node=n1=127.0.0.1", "--tls-cert=a.pem"], "together"),
    ],
)
def test_what_cannot_be_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], complaint: str
) -> None:
    assert main(["nats", "write", "--folder", str(tmp_path), *options]) == 1
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("node", ["n1", "=127.0.0.1", "n 1=127.0.0.1", "n1=127.0.0.1,mqtt=x", "n1=127.0.0.1,door=1"])
def test_a_node_that_cannot_be_read_is_wrong_usage(tmp_path: Path, node: str) -> None:
    with pytest.raises(SystemExit) as usage:
        main(["nats", "write", "--folder", str(tmp_path), f"--node={node}"])
    assert usage.value.code == 2


def test_the_doors_for_ocpp_have_a_file_with_no_secret_but_theirs(tmp_path: Path) -> None:
    main(["nats", "write", "--folder", str(tmp_path), *NODES])
    cluster, doors = read_cluster(tmp_path / "cluster.json"), read_cluster(tmp_path / "ocpp.json")
    assert doors == cluster._replace(bridge_secret="", system_secret="", issuer_seed="") and doors.is_doors
    said = (tmp_path / "ocpp.json").read_text()
    assert not any(one in said for one in (cluster.bridge_secret, cluster.system_secret, cluster.issuer_seed))


def test_a_file_of_before_there_were_doors_gets_their_secret(tmp_path: Path) -> None:
    main(["nats", "write", "--folder", str(tmp_path), *NODES])
    file = tmp_path / "cluster.json"
    said = json.loads(file.read_text())
    del said["ocpp_secret"]
    file.write_text(json.dumps(said))
    before = read_cluster(file)
    main(["nats", "write", "--folder", str(tmp_path), *NODES])
    after = read_cluster(file)
    assert not before.ocpp_secret and after == before._replace(ocpp_secret=after.ocpp_secret) and after.ocpp_secret
