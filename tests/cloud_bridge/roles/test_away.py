"""What does a cluster's role report at its start if something that it needs is down or wrong?"""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cloud_bridge.command_line import main
from cloud_bridge.roles.role import Role
from tests.cloud_bridge.roles.test_role import on_cluster


@pytest.fixture
def refused_port() -> Iterator[int]:
    """A port that is bound but does not listen."""
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.mark.parametrize("role", Role)
def test_without_its_database_it_ends_with_one_line(
    role: Role,
    refused_port: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """systemd or Kubernetes starts it again until the database is up."""
    database = f"postgresql://ours:hidden@127.0.0.1:{refused_port}/ours"
    port = {"CHARGEKEEPER_OCPP_PORT": "0"} if role is Role.OCPP else {}
    for name, value in {**on_cluster(tmp_path), **port, "CHARGEKEEPER_DATABASE": database}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CHARGEKEEPER_HTTP_PORT", "0")
    assert main([role]) == 1
    said = capsys.readouterr().err
    assert said.startswith("chargekeeper: cannot use the database of CHARGEKEEPER_DATABASE: ")
    assert said.count("\n") == 1 and "hidden" not in said


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "cannot read"), ("{}", "is not what `nats write` makes"), ("[", "is not what `nats write` makes")],
)
def test_a_file_that_is_no_clusters_is_one_line(
    content: str | None,
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "cluster.json"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("CHARGEKEEPER_NATS", str(file))
    monkeypatch.setenv("CHARGEKEEPER_DATABASE", "postgresql://ours@127.0.0.1:1/ours")
    assert main(["ingest"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("chargekeeper: CHARGEKEEPER_NATS: ") and complaint in said and said.count("\n") == 1
