"""Is every setting in the table, is the table true, and is an unknown name reported?"""

import re
from pathlib import Path

import pytest

from cloud_bridge.cli.settings import as_markdown
from cloud_bridge.errors import SettingError
from cloud_bridge.setting_names import NAMES, OF_THE_RIG, SETTINGS, check_names
from cloud_bridge.settings import Settings, read_settings

PRODUCT = Path(__file__).parents[2] / "cloud_bridge"
NAME = re.compile(r"CHARGEKEEPER_[A-Z][A-Z_]*[A-Z]")
NEEDS = {  # settings that another one requires
    "CHARGEKEEPER_DATABASE_READ": {"CHARGEKEEPER_DATABASE": "postgresql://a:b@c/d"},
    "CHARGEKEEPER_OCPPS_PORT": {"CHARGEKEEPER_TLS_CERT": "/etc/ssl/chargers.example.pem"},
    "CHARGEKEEPER_HOME_TLS_PORT": {"CHARGEKEEPER_TLS_CERT": "/etc/ssl/chargers.example.pem"},
}
OF_FILES = {"CHARGEKEEPER_NATS", "CHARGEKEEPER_BROKER_CA"}  # read immediately; the files do not exist on this machine


def test_every_name_that_the_bridge_reads_is_in_the_table() -> None:
    used = {
        name
        for file in PRODUCT.rglob("*.py")
        if "node_modules" not in file.parts
        for name in NAME.findall(file.read_text())
    }
    assert {name for name in used if name not in OF_THE_RIG and not name.startswith("CHARGEKEEPER_TEST")} == NAMES


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_an_example_can_be_set_and_a_default_is_what_holds_without_it(setting) -> None:  # type: ignore[no-untyped-def]
    if setting.example.startswith("(") or setting.name in OF_FILES:
        return
    needed = NEEDS.get(setting.name, {})
    assert isinstance(read_settings({setting.name: setting.example} | needed), Settings)
    if setting.default.isascii() and " " not in setting.default and setting.default not in ("none", "closed"):
        assert read_settings({setting.name: setting.default}) == read_settings({})


def test_the_operators_guide_has_the_table() -> None:
    """deploy/settings.md contains what `as_markdown` returns."""
    assert as_markdown() in (PRODUCT / "deploy" / "settings.md").read_text()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("CHARGEKEEPER_HTP_PORT", "CHARGEKEEPER_HTTP_PORT"),
        ("CHARGEKEEPER_DATABSE", "CHARGEKEEPER_DATABASE"),
        ("CHARGEKEEPER_SIGNUP", "CHARGEKEEPER_SIGN_UP"),
        ("CHARGEKEEPER_", "CHARGEKEEPER_"),
    ],
)
def test_a_name_that_is_no_setting_is_told_with_the_nearest(typed: str, meant: str) -> None:
    with pytest.raises(SettingError, match=f"{typed} is not a setting: did you mean {meant}"):
        read_settings({typed: "1"})


def test_names_of_others_are_nobodys_business() -> None:
    check_names(["PATH", "chargekeeper_http_port", "CHARGEKEEPER_TEST_POSTGRESQL", *OF_THE_RIG])
