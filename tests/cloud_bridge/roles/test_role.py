"""Which settings make which role, and what does the process report to all others?"""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from cloud_bridge.command_line import ROLES
from cloud_bridge.errors import SettingError
from cloud_bridge.ingest.cluster.cluster_file import Cluster, Node, cluster_text, door_text
from cloud_bridge.ingest.cluster.nkey import new_seed
from cloud_bridge.roles.role import Role, check
from cloud_bridge.roles.serving import MODULES
from cloud_bridge.settings import read_settings

BROKER = {"CHARGEKEEPER_BROKER": "mqtt://:secret@broker.example"}


DOOR = {"CHARGEKEEPER_OCPP_PORT": "8887"}


def on_cluster(folder: Path, ocpp_secret: str = "theirs", is_of_doors: bool = False) -> dict[str, str]:
    file = folder / "cluster.json"
    nodes = [Node("n1", "127.0.0.1", 4222, 1883)]
    cluster = Cluster(nodes, "ours", "system", new_seed(), None, ocpp_secret)
    file.write_text(door_text(cluster) if is_of_doors else cluster_text(cluster))
    return {"CHARGEKEEPER_NATS": str(file), "CHARGEKEEPER_DATABASE": "postgresql://somewhere/ours"}


def test_every_role_has_a_word_and_is_served() -> None:
    assert list(ROLES) == list(Role)
    for role in Role:
        assert callable(import_module(f"cloud_bridge.roles.{MODULES[role]}").serve)


@pytest.mark.parametrize("role", [Role.INGEST, Role.AUTH, Role.OCPP, Role.UPKEEP])
def test_a_role_without_pages_imports_none(role: Role) -> None:
    script = f"import sys, cloud_bridge.roles.{MODULES[role]}; print([n for n in sys.modules if '.web.pages' in n])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("role", Role)
def test_on_a_cluster_every_role_is_served(role: Role, tmp_path: Path) -> None:
    check(role, read_settings(on_cluster(tmp_path) | (DOOR if role is Role.OCPP else {})))


def test_a_door_has_enough_with_the_file_of_the_doors_and_nobody_else_has(tmp_path: Path) -> None:
    settings = read_settings(on_cluster(tmp_path, is_of_doors=True) | DOOR)
    check(Role.OCPP, settings)
    for role in set(Role) - {Role.OCPP}:
        with pytest.raises(SettingError, match="is that of the doors for OCPP"):
            check(role, settings)


@pytest.mark.parametrize("environment", [{}, BROKER])
def test_a_door_of_its_own_is_for_a_cluster_that_knows_it_and_has_a_port(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match="^`ocpp` needs CHARGEKEEPER_NATS"):
        check(Role.OCPP, read_settings(environment | DOOR))
    with pytest.raises(SettingError, match="^set CHARGEKEEPER_OCPP_PORT"):
        check(Role.OCPP, read_settings(on_cluster(tmp_path)))
    with pytest.raises(SettingError, match="older than the doors"):
        check(Role.OCPP, read_settings(on_cluster(tmp_path, ocpp_secret="") | DOOR))


def test_everything_in_one_process_of_a_cluster_has_no_door(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="are for `ocpp` in a cluster"):
        check(Role.ALL, read_settings(on_cluster(tmp_path) | DOOR))
    check(Role.INGEST, read_settings(on_cluster(tmp_path) | DOOR))


@pytest.mark.parametrize("role", [Role.ALL, Role.INGEST])
def test_an_outside_brokers_units_are_taken_in_with_pages_or_without(role: Role) -> None:
    check(role, read_settings(BROKER))


def test_one_process_is_everything_with_our_own_broker() -> None:
    check(Role.ALL, read_settings({}))


def test_the_upkeep_of_a_postgresql_is_done_beside_any_broker() -> None:
    check(Role.UPKEEP, read_settings(BROKER | {"CHARGEKEEPER_DATABASE": "postgresql://somewhere/ours"}))
    with pytest.raises(SettingError, match="^set CHARGEKEEPER_DATABASE"):
        check(Role.UPKEEP, read_settings(BROKER))


@pytest.mark.parametrize("environment", [{}, BROKER])
@pytest.mark.parametrize("role", [Role.WEB, Role.AUTH])
def test_a_role_of_a_cluster_says_that_it_needs_one(role: Role, environment: dict[str, str]) -> None:
    with pytest.raises(SettingError, match=f"^`{role}` needs CHARGEKEEPER_NATS"):
        check(role, read_settings(environment))


def test_ingest_says_that_it_needs_a_broker_that_is_not_ours() -> None:
    with pytest.raises(SettingError, match=r"^set CHARGEKEEPER_BROKER or CHARGEKEEPER_NATS: "):
        check(Role.INGEST, read_settings({}))
