"""Do the manifests agree with each other and the product: roles, settings, ports, probes, mounts?"""

import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own

from cloud_bridge.roles.role import Role
from cloud_bridge.setting_names import NAMES
from cloud_bridge.web.api import health, metrics
from tests.cloud_bridge.deploy.deployed import DEPLOY

FOLDER = DEPLOY / "kubernetes"
OBJECTS: list[dict[str, Any]] = [
    one for file in sorted(FOLDER.glob("*.yaml")) for one in yaml.safe_load_all(file.read_text())
]
ROLES = [role for role in Role if role is not Role.ALL]
OURS = {route.path for router in (health.router, metrics.router) for route in router.routes}  # type: ignore[attr-defined]


def the(kind: str, name: str) -> dict[str, Any]:
    (found,) = (one for one in OBJECTS if one["kind"] == kind and one["metadata"]["name"] == name)
    return found


def pod(kind: str, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = the(kind, name)["spec"]["template"]["spec"]
    return spec


PODS = [("StatefulSet", "nats"), *(("Deployment", str(role)) for role in ROLES)]


@pytest.mark.parametrize("role", ROLES)
def test_a_deployment_runs_two_of_its_role(role: Role) -> None:
    deployment = the("Deployment", role)["spec"]
    (container,) = pod("Deployment", role)["containers"]
    assert deployment["replicas"] == 2
    assert container["args"] == [str(role)]


@pytest.mark.parametrize("role", ROLES)
def test_its_probes_ask_what_it_answers_where_it_listens(role: Role) -> None:
    settings = the("ConfigMap", "chargekeeper")["data"]
    (container,) = pod("Deployment", role)["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    doors = {one["name"]: int(one["value"]) for one in container.get("env", []) if one["name"].endswith("_PORT")}
    of_chargers = {"ocpp": doors["CHARGEKEEPER_OCPP_PORT"]} if role is Role.OCPP else {}
    assert ports == {"http": int(settings["CHARGEKEEPER_HTTP_PORT"])} | of_chargers
    asked = {probe: container[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {one["path"] for one in asked.values()} <= OURS
    assert {one["port"] for one in asked.values()} == {"http"}
    assert asked["livenessProbe"]["path"] == "/livez", "a database that is away is no reason to kill a process"
    assert asked["readinessProbe"]["path"] == "/healthz"


@pytest.mark.parametrize(("kind", "name"), PODS)
def test_nobody_is_root_and_every_mount_is_there(kind: str, name: str) -> None:
    spec = pod(kind, name)
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    volumes = {volume["name"] for volume in spec["volumes"]}
    claims = {claim["metadata"]["name"] for claim in the(kind, name)["spec"].get("volumeClaimTemplates", [])}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes | claims


@pytest.mark.parametrize(("kind", "name"), PODS)
def test_one_of_them_at_a_time_may_be_taken_away(kind: str, name: str) -> None:
    labels = the(kind, name)["spec"]["template"]["metadata"]["labels"]
    budget = the("PodDisruptionBudget", name)["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"] == labels == the(kind, name)["spec"]["selector"]["matchLabels"]


def test_what_is_set_is_read_and_no_secret() -> None:
    named = set(the("ConfigMap", "chargekeeper")["data"])
    assert named <= NAMES
    assert not named & {"CHARGEKEEPER_DATABASE", "CHARGEKEEPER_MAIL", "CHARGEKEEPER_API_TOKEN"}
    assert not [one for one in OBJECTS if one["kind"] == "Secret"]


def test_services_lead_to_ports_that_there_are() -> None:
    for service in (one for one in OBJECTS if one["kind"] == "Service"):
        wanted = service["spec"]["selector"]
        (target,) = (
            one
            for one in OBJECTS
            if "template" in one.get("spec", {}) and wanted == one["spec"]["selector"]["matchLabels"]
        )
        (container,) = target["spec"]["template"]["spec"]["containers"]
        names = {port["name"] for port in container["ports"]} | {port["containerPort"] for port in container["ports"]}
        for port in service["spec"]["ports"]:
            assert port.get("targetPort", port["port"]) in names


def test_the_nodes_are_those_that_the_guide_writes_files_for() -> None:
    """`nats write` names a node like its pod, at the headless service's name, and opens the port of the probes."""
    spec = the("StatefulSet", "nats")["spec"]
    guide = (DEPLOY / "cluster.md").read_text()
    nodes = re.findall(r"--node (nats-\d)=(\S+?),monitor=8222", guide)
    assert nodes == [(f"nats-{number}", f"nats-{number}.{spec['serviceName']}") for number in range(spec["replicas"])]
    mounts = {mount["mountPath"] for mount in pod("StatefulSet", "nats")["containers"][0]["volumeMounts"]}
    assert {"/etc/chargekeeper/tls", "/data"} <= mounts
    assert "--tls-cert /etc/chargekeeper/tls/server.pem" in guide
    assert "--store /data" in guide
