"""Does the configuration for evcc, interpreted as evcc's documentation says, control a charge point?

evcc is a Go program that no package registry here offers. With `source: http` it sends a request, filters the answer with jq,
or puts a value into a request body. This test does the same.
"""

import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own

from hil_tests.fixtures.mqtt_unit import MqttUnit
from hil_tests.web.cloud_fixture import WebCloudFixture

PAGE = Path(__file__).parents[2] / "cloud_bridge" / "home" / "evcc.md"
ANSWER_S = 30
UNIT = "CK-0001"
CHARGING = {"m": "smart", "q": 17, "a": 16, "w": 3680, "e": 128_200, "f": []}

pytestmark = pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed: apt-get install jq")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WebCloudFixture, MqttUnit]]:
    """Evie's home, with a charger that receives commands."""
    place = WebCloudFixture(tmp_path_factory.mktemp("evcc"))
    try:
        place.person("evie", "driver")
        charger = place.charger(UNIT, "evie")
        charger.subscribe_to_commands()
        yield place, charger
    finally:
        place.stop()


class Evcc:
    """evcc's custom charger."""

    def __init__(self, address: str, token: str) -> None:
        (block,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
        for written, real in (("https://chargers.example", address), ("TOKEN", token)):
            block = block.replace(written, real)
        (self._charger,) = yaml.safe_load(block)["chargers"]
        assert self._charger["type"] == "custom"

    def get(self, name: str) -> str:
        """Return jq's result for the answer. Raises CalledProcessError if jq fails."""
        about = self._charger[name]
        answer = self._request(about, None)
        jq = ["jq", "-r", about["jq"]]
        found = (
            subprocess.run(jq, input=answer, capture_output=True, check=True, timeout=ANSWER_S).stdout.decode().strip()
        )
        return str(float(found) * about["scale"]) if "scale" in about else found

    def set(self, name: str, value: bool | int) -> int:
        """Send the value; return the HTTP status."""
        about = self._charger[name]
        chosen = r"\1" if value is True else r"\2"
        body = re.sub(rf"{{{{if \.{name}}}}}(.*?){{{{else}}}}(.*?){{{{end}}}}", chosen, about["body"])
        try:
            self._request(about, body.replace(f"${{{name}}}", str(value)).encode())
        except urllib.error.HTTPError as error:
            return error.code
        return 202

    def _request(self, about: dict[str, Any], body: bytes | None) -> bytes:
        assert about["source"] == "http"
        request = urllib.request.Request(about["uri"], body, about["headers"], method=about.get("method", "GET"))
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
            said: bytes = answer.read()
        return said


def ordered(charger: MqttUnit) -> dict[str, Any]:
    """Return the next command that does not set the time, which units without a clock receive."""
    while (command := charger.next_command())["do"] == "time":
        pass
    return command


def test_the_page_controls_a_charge_point(cloud: tuple[WebCloudFixture, MqttUnit]) -> None:
    place, charger = cloud
    made = place.command("token", "add", "--user", "evie", "--scope", "read", "--scope", "command")
    evcc = Evcc(place.address, made["token"])
    with pytest.raises(subprocess.CalledProcessError):
        evcc.get("status")  # before its first message

    for state, status in (("A1", "A"), ("B1", "B"), ("C1", "B"), ("C2", "C"), ("E", "E")):
        charger.report("heartbeat", s=state, **CHARGING)
        assert evcc.get("status") == status
    assert (evcc.get("power"), evcc.get("energy"), evcc.get("enabled")) == ("3680", "128.2", "true")

    assert evcc.set("maxcurrent", 10) == 202
    assert (limit := ordered(charger))["do"] == "limit" and limit["amps"] == 10
    assert evcc.set("enable", False) == 202
    assert ordered(charger)["do"] == "pause"
    charger.report("heartbeat", s="C1", **CHARGING | {"a": 0, "l": 0, "y": "cloud"})
    assert evcc.get("enabled") == "false"
    assert evcc.set("enable", True) == 202
    assert (override := ordered(charger))["do"] == "override" and override["on"] is True

    charger.close()
    give_up_s = time.monotonic() + ANSWER_S
    while place.charge_point(UNIT)["connected"] and time.monotonic() < give_up_s:
        time.sleep(0.05)
    assert evcc.set("maxcurrent", 16) == 409, "not sent: evcc shows an error"
