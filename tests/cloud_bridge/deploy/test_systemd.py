"""Would systemd accept the units, and do they start programs that exist?"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cloud_bridge.roles.role import Role
from cloud_bridge.setting_names import NAMES
from tests.cloud_bridge.deploy.deployed import DEPLOY, settings_named

UNITS = DEPLOY / "systemd"
PROGRAMS = re.compile(r"/opt/chargekeeper/venv/bin/python|/usr/local/bin/nats-server")
WITHIN_S = 60


def role_file(role: Role) -> Path:
    return UNITS / ("chargekeeper-all.service" if role is Role.ALL else f"chargekeeper-{role}@.service")


@pytest.mark.parametrize("role", Role)
def test_every_role_has_a_unit_that_starts_it(role: Role) -> None:
    text = role_file(role).read_text()
    assert f"-m cloud_bridge {role}\n" in text
    assert ("Environment=CHARGEKEEPER_HTTP_PORT=%i" in text) == (role is not Role.ALL)


def test_there_are_no_other_units() -> None:
    assert {file.name for file in UNITS.glob("*.service")} == {role_file(role).name for role in Role} | {
        "nats-server@.service",
        "chargekeeper-backup.service",
    }


def test_what_they_set_is_read() -> None:
    named = {name for file in UNITS.rglob("*") if file.is_file() for name in settings_named(file.read_text())}
    assert named <= NAMES


@pytest.mark.parametrize("file", ["chargekeeper-.service.d/common.conf", "nats-server@.service"])
def test_no_process_may_more_than_it_needs(file: str) -> None:
    lines = (UNITS / file).read_text().splitlines()
    assert {"NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "UMask=0077"} <= set(lines)
    assert any(line.startswith("User=") and line != "User=root" for line in lines)
    assert not any(line.startswith("WatchdogSec=") for line in lines), "nobody tells systemd that it lives"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize(
    "unit",
    [
        "nats-server@n1.service",
        "chargekeeper-backup.timer",
        *(role_file(role).name.replace("@", "@8101") for role in Role),
    ],
)
def test_systemd_finds_nothing_wrong(unit: str, tmp_path: Path) -> None:
    folder = tmp_path / "systemd"
    shutil.copytree(UNITS, folder)
    for file in folder.glob("*.service"):
        file.write_text(PROGRAMS.sub(sys.executable, file.read_text()))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit],
        env={"SYSTEMD_UNIT_PATH": f"{folder}:", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )
    assert (done.returncode, done.stderr) == (0, "")
