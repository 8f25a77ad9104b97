"""Does requirements.lock install all that the product needs, and nothing that is only for tests?"""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PRODUCT, TOOLS = ROOT / "requirements.lock", ROOT / "dev.lock"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ENTRY = re.compile(r"^(?P<wanted>[A-Za-z0-9][^\\\n]*?) *\\\n(?P<rest>(?: [^\n]*\n)*)", re.MULTILINE)
PYTHONS = ("3.11", "3.12", "3.13")  # of Debian 12 and 13, and Ubuntu
IMPORTS = """
import sys, pkgutil, importlib
hidden = set(sys.argv[1].split(","))
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(f"{name} is not in requirements.lock", name=name)
sys.meta_path.insert(0, Absent())
import cloud_bridge, modem.installer
count = 0
for room in (cloud_bridge, modem.installer):
    for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
            count += 1
print(count)
"""


def entries(lock: Path) -> dict[str, tuple[Requirement, str]]:
    """Return each package of a lock file, with the lines below it."""
    found = [(Requirement(one["wanted"]), one["rest"]) for one in ENTRY.finditer(lock.read_text())]
    assert len(found) > 20
    return {canonicalize_name(wanted.name): (wanted, rest) for wanted, rest in found}


def applies(wanted: Requirement, environment: dict[str, str], extras: set[str]) -> bool:
    return wanted.marker is None or any(
        wanted.marker.evaluate(environment | {"extra": extra}) for extra in {"", *extras}
    )


def needed(wanted: list[str], environment: dict[str, str]) -> set[str]:
    """Return the packages that these need, recursively, by their own metadata."""
    found: set[tuple[str, str]] = set()  # name, extra
    left = [(Requirement(one), {""}) for one in wanted]
    while left:
        requirement, extras = left.pop()
        if not applies(requirement, environment, extras):
            continue
        name = str(canonicalize_name(requirement.name))
        new = {(name, extra) for extra in {"", *requirement.extras}} - found
        if new:
            found |= new
            asked = {extra for _, extra in new}
            left += [(Requirement(one), asked) for one in metadata.requires(name) or []]
    return {name for name, _ in found}


def environments() -> list[dict[str, str]]:
    here = {name: str(value) for name, value in default_environment().items()}
    return [here | {"python_version": one, "python_full_version": f"{one}.0"} for one in PYTHONS]


def test_the_product_lock_has_what_the_product_needs_and_nothing_else() -> None:
    locked, wanted = entries(PRODUCT), PROJECT["project"]["dependencies"]
    for environment in environments():
        here = {name for name, (one, _) in locked.items() if applies(one, environment, set())}
        assert here == needed(wanted, environment), environment["python_version"]


def test_no_tool_of_the_tests_is_in_the_product_lock() -> None:
    product, tools = entries(PRODUCT), entries(TOOLS)
    assert not product.keys() & tools.keys()
    for name in ("pytest", "hypothesis", "playwright", "mypy", "ruff", "schemathesis"):
        assert name in tools


def test_the_two_locks_have_all_that_the_tests_need() -> None:
    both = entries(PRODUCT) | entries(TOOLS)
    group = PROJECT["dependency-groups"]["dev"]
    for environment in environments():
        assert needed([*PROJECT["project"]["dependencies"], *group], environment) <= both.keys()


@pytest.mark.parametrize("lock", [PRODUCT, TOOLS], ids=lambda lock: lock.name)
def test_each_package_is_pinned_with_its_hashes(lock: Path) -> None:
    for name, (wanted, rest) in entries(lock).items():
        assert [one.operator for one in wanted.specifier] == ["=="], name
        assert "--hash=sha256:" in rest, name


def test_the_cloud_and_the_installers_tool_import_with_the_packages_of_the_product_alone() -> None:
    product = entries(PRODUCT).keys()
    hidden = {
        module
        for module, owners in metadata.packages_distributions().items()
        if not {canonicalize_name(owner) for owner in owners} & product
    }
    assert {"pytest", "hypothesis", "playwright"} <= hidden
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, ",".join(hidden)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 150
