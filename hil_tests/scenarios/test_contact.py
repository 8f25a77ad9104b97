"""Does the cloud receive the unit's messages, and report the right time of contact?"""

import tomllib
from math import inf
from pathlib import Path

import pytest

from hil_tests.fixtures.cloud import Cloud
from hil_tests.rig.contract import Rig
from hil_tests.scenarios.system import HEARTBEAT_S, System

pytestmark = pytest.mark.needs("modem_line")
PRODUCT = Path(__file__).parents[2] / "pyproject.toml"


def test_is_there_contact_after_a_start_from_nothing(system: System) -> None:
    """Was there a first contact? `python -m hil_tests.bench contact` measures how soon."""
    assert system.first_contact_after_s < inf


def test_does_last_contact_advance(rig: Rig, cloud: Cloud) -> None:
    """Does the time advance with each heartbeat?"""
    first = cloud.look()["last_contact"]
    cloud.wait_for(lambda seen: seen["last_contact"] > first, within_s=HEARTBEAT_S + 3)


def test_does_the_cloud_know_signal_and_network(rig: Rig, cloud: Cloud) -> None:
    """Do the modem's CSQ and operator reach the cloud?"""
    seen = rig.wait_for(lambda seen: seen.operator is not None, within_s=20)
    cloud.wait_for(lambda told: told["operator"] == seen.operator and told["csq"] == seen.csq, within_s=20)


def test_does_the_cloud_know_the_firmware(cloud: Cloud) -> None:
    """Does the unit report the product's version?"""
    version = tomllib.loads(PRODUCT.read_text())["project"]["version"]
    cloud.wait_for(lambda told: told["firmware"] == version, within_s=20)


@pytest.mark.parametrize("csq", [14, 15])
def test_does_the_console_give_the_verdict_of_an_installer(rig: Rig, csq: int) -> None:
    """Is 14 a fail, and 15 a pass?"""
    rig.network(csq=csq)
    verdict = "verdict pass" if csq > 14 else "verdict fail"
    rig.wait_for(lambda _: verdict in rig.console("csq") and f"csq {csq}" in rig.console("csq"), within_s=75)
