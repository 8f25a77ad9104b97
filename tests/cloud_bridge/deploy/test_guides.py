"""Can the commands of the guides be typed, and does everything exist that they name?"""

import re
import shlex
from pathlib import Path

import pytest

from cloud_bridge.command_line import _parser
from cloud_bridge.setting_names import NAMES
from hil_tests.bench.scale.__main__ import BENCHES
from tests.cloud_bridge.deploy.deployed import DEPLOY, settings_named
from tests.cloud_bridge.deploy.test_kubernetes import OBJECTS, PODS, pod

GUIDES = sorted(DEPLOY.glob("*.md"))
COMMAND = re.compile(r"(?:python -m cloud_bridge|(?:^|`)chargekeeper(?= ))((?: [^\n`|]*\\\n)*[^\n`|]*)", re.MULTILINE)
OF_DEBIAN = {"nginx", "caddy", "nftables"}
LINK = re.compile(r"\]\(([^)#]+)\)")


def commands(guide: Path) -> list[str]:
    found = (
        match[1].replace("\\\n", " ").partition("#")[0].strip(" ,;.") for match in COMMAND.finditer(guide.read_text())
    )
    return sorted({one for one in found if one})


@pytest.mark.parametrize(
    "words", [one for guide in GUIDES for one in commands(guide)], ids=lambda words: words.replace(" ", "-")[:60]
)
def test_a_command_is_understood(words: str) -> None:
    typed = shlex.split(words)
    _parser(typed).parse_args(typed)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_what_it_names_is_there(guide: Path) -> None:
    text = guide.read_text()
    assert settings_named(text) <= NAMES
    assert [link for link in LINK.findall(text) if "//" not in link and not (guide.parent / link).exists()] == []


def test_every_figure_names_a_bench_that_there_is() -> None:
    named = set(re.findall(r"python -m hil_tests\.bench\.scale ([\w-]+)", (DEPLOY / "scale.md").read_text()))
    assert named and named <= set(BENCHES)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_every_unit_that_is_started_is_there(guide: Path) -> None:
    started = re.findall(r"^systemctl (?:enable --now|start|stop|reload) ([^#\n]*)", guide.read_text(), re.MULTILINE)
    names = {re.sub(r"@.*", "@", name) for line in started for name in line.split()} - OF_DEBIAN
    files = [name if name.endswith(".timer") else f"{name}.service" for name in names]
    assert [name for name in files if not (DEPLOY / "systemd" / name).exists()] == []


def test_every_secret_that_is_mounted_is_made() -> None:
    guide = (DEPLOY / "cluster.md").read_text()
    made = dict(re.findall(r"^kubectl create (?:secret generic|configmap) ([\w-]+) (.*)$", guide, re.MULTILINE))
    wanted = set()
    for kind, name in PODS:
        spec = pod(kind, name)
        wanted |= {volume["secret"]["secretName"] for volume in spec["volumes"] if "secret" in volume}
        wanted |= {volume["configMap"]["name"] for volume in spec["volumes"] if "configMap" in volume}
        wanted |= {
            source["secretRef"]["name"] for source in spec["containers"][0].get("envFrom", []) if "secretRef" in source
        }
    there = {one["metadata"]["name"] for one in OBJECTS}
    assert wanted - there == set(made) - there
    assert wanted <= set(made) | there
