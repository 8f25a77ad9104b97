"""Can the bridge and the installer's tool be installed from a wheel alone, and do they run?"""

import os
import re
import subprocess
import sys
import sysconfig
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.children import die_with_parent

WITHIN_S = 120.0


def run(*words: str | Path, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in words],
        cwd="/",
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(words, cwd=CHECKOUT, capture_output=True, check=True, timeout=WITHIN_S)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of its commands. Other packages are those of this environment: `make dist` installs them by the
    lock."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=True)
    run(folder / "bin" / "pip", "install", "--no-index", "--no-deps", wheel)
    (packages,) = folder.glob("lib/*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder / "bin"


@contextmanager
def serving(command: Path, home: Path) -> Iterator[str]:
    """Run the bridge, and yield the address of its pages."""
    ports = {f"CHARGEKEEPER_{name}_PORT": "0" for name in ("HTTP", "MQTT")}
    with subprocess.Popen(
        [command], cwd="/", env=os.environ | ports | {"HOME": str(home)}, stdout=subprocess.PIPE, text=True,
        preexec_fn=die_with_parent,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[1]
        finally:
            process.kill()


def test_it_has_no_tests_and_no_firmware(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"cloud_bridge", "modem"}
    assert not [name for name in names if name.endswith((".pyc", ".map"))]


def test_its_commands_run_from_anywhere(installed: Path) -> None:
    for command in ("chargekeeper", "chargekeeper-signal"):
        assert re.fullmatch(r"chargekeeper \d+\.\d+\.\d+\n", run(installed / command, "--version"))
    where = run(installed / "python", "-c", "import cloud_bridge; print(cloud_bridge.__file__)")
    assert where.startswith(str(installed.parent))


def test_it_serves_pages_with_scripts_and_keeps_its_data_at_home(installed: Path, tmp_path: Path) -> None:
    with serving(installed / "chargekeeper", tmp_path) as address, urllib.request.urlopen(f"{address}login") as page:
        files = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.read().decode()))
        assert files
        for name in {*files, str(Path(min(files)).with_name("htmx.min.js"))}:
            assert urllib.request.urlopen(address.rstrip("/") + name).status == 200
    folder = tmp_path / ".local" / "share" / "chargekeeper"
    assert [file.stat().st_mode & 0o077 for file in (folder, *folder.iterdir())] == [0] * (
        1 + len(list(folder.iterdir()))
    )
