"""Do all parts that report a version report the product's?"""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("part", ["cloud_bridge", "modem"])
def test_a_part_tells_the_version_of_the_product(part: str) -> None:
    product = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    told = subprocess.run(
        [sys.executable, "-m", part, "--version"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout == f"chargekeeper {product['version']}\n"
