"""Do the image and the compose file only use what exists?"""

from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own

from cloud_bridge.roles.role import Role
from cloud_bridge.setting_names import NAMES
from tests.cloud_bridge.deploy.deployed import DEPLOY, ROOT, settings_named

CONTAINERFILE = (DEPLOY / "containers" / "Containerfile").read_text()
COMPOSE = (DEPLOY / "containers" / "compose.yaml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
ROLES = [role for role in Role if role is not Role.ALL]


def test_what_is_copied_is_there() -> None:
    lines = [
        line.split()[1:-1] for line in CONTAINERFILE.splitlines() if line.startswith("COPY ") and "--from" not in line
    ]
    assert len(lines) == 4
    assert [name for names in lines for name in names if not (ROOT / name).exists()] == []


def test_the_image_is_the_product_alone_and_nobody_is_root_in_it() -> None:
    last = CONTAINERFILE.rpartition("FROM ")[2]
    assert "--product" in CONTAINERFILE
    assert "\nUSER 10001\n" in last
    assert "\nHEALTHCHECK " in last and "/livez" in last
    assert "COPY hil_tests" not in last


@pytest.mark.parametrize("text", [CONTAINERFILE, COMPOSE])
def test_what_is_set_is_read(text: str) -> None:
    assert settings_named(text) <= NAMES


@pytest.mark.parametrize("role", ROLES)
def test_every_role_runs_twice(role: Role) -> None:
    service = SERVICES[role]
    assert service["command"] == [str(role)]
    assert service["deploy"]["replicas"] == 2
    assert service["read_only"] and service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("node", ["n1", "n2", "n3"])
def test_every_node_has_its_configuration_and_its_store(node: str) -> None:
    service = SERVICES[node]
    assert service["hostname"] == node
    assert service["command"] == ["-c", f"/etc/nats/{node}.conf"]
    assert f"{node}:/data" in service["volumes"]
    assert any(volume.endswith(":/etc/chargekeeper/tls:ro") for volume in service["volumes"])


def test_pages_are_reached_over_this_machine_alone() -> None:
    """The pages are plain HTTP: a proxy in front of them terminates TLS."""
    assert SERVICES["web"]["ports"] == ["127.0.0.1:8080-8081:8080"]


def test_there_is_no_secret_in_it() -> None:
    for service in SERVICES.values():
        assert not any("PASSWORD" in name and not name.endswith("_FILE") for name in service.get("environment", {}))
        assert "CHARGEKEEPER_DATABASE" not in service.get("environment", {})
