"""What the files of cloud_bridge/deploy may name: the product's settings and roles."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "cloud_bridge" / "deploy"
SETTING = re.compile(r"\bCHARGEKEEPER_[A-Z_]+\b")


def settings_named(text: str) -> set[str]:
    return set(SETTING.findall(text))
