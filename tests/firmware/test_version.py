"""Does a unit report the product's version?"""

import tomllib
from pathlib import Path

from firmware.version import VERSION


def test_the_firmware_has_the_version_of_the_product():
    product = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert product["version"] == VERSION
