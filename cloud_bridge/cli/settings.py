"""`python -m cloud_bridge settings`: lists every setting with its meaning and its present value."""

import argparse
import os

from cloud_bridge.cli.area import Answer
from cloud_bridge.setting_names import SETTINGS, Setting
from cloud_bridge.settings import Settings

HIDDEN = "(set, and not shown)"


def show(_settings: Settings, _options: argparse.Namespace) -> Answer:
    return [
        {
            "setting": setting.name,
            "value": _value(setting),
            "default": setting.default,
            "example": setting.example,
            "meaning": setting.meaning,
        }
        for setting in SETTINGS
    ]


def as_markdown() -> str:
    """Return the table of settings for the operator's guide."""
    rows = (
        f"| `{one.name}` | {one.meaning}{' (secret)' if one.is_secret else ''} | {one.default} | `{one.example}` |"
        for one in SETTINGS
    )
    return "\n".join(["| setting | what it means | default | example |", "| --- | --- | --- | --- |", *rows]) + "\n"


def _value(setting: Setting) -> str | None:
    value = os.environ.get(setting.name)
    return HIDDEN if value and setting.is_secret else value or None
