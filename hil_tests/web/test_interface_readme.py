"""Does every command of the API's README work when typed into a shell?"""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil_tests.fixtures.mqtt_unit import MqttUnit
from hil_tests.guide.blocks import COMMANDS, read
from hil_tests.web.cloud_fixture import WebCloudFixture

README = Path(__file__).parents[2] / "cloud_bridge" / "web" / "api" / "README.md"
MAKES_TOKEN = "python -m cloud_bridge token add"
WITHIN_S = 60
ORDERED = [
    "limit",
    "pause",
    "override",
    "schedule",
    "skip_delay",
    "resume",
    "limit",
    "override",
]  # in the order of the page


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WebCloudFixture, MqttUnit]]:
    """Dora's home, with a charger that receives commands."""
    place = WebCloudFixture(tmp_path_factory.mktemp("home"))
    try:
        place.person("dora", "driver")
        charger = place.charger("CK-0001", "dora")
        charger.subscribe_to_commands()
        charger.report("heartbeat", s="C2", m="smart", q=17, o="23415", a=32, w=7360, e=128200, f=[])
        yield place, charger
    finally:
        place.stop()


def test_every_command_is_answered(home: tuple[WebCloudFixture, MqttUnit], tmp_path: Path) -> None:
    place, charger = home
    texts = [block.text for block in read(README) if block.language == COMMANDS]
    token, station = (place.command(*shlex.split(make)[3:])["token"] for make in texts if make.startswith(MAKES_TOKEN))
    tokens = {"TOKEN": token, "STATION": station}
    environment = os.environ | tokens | {"CHARGEKEEPER": place.address, "NO_PROXY": "*"}
    commands = [line for text in texts if not text.startswith(MAKES_TOKEN) for line in text.splitlines()]
    script = "".join(f"echo '#{number}'\n{line}\necho\n" for number, line in enumerate(commands))
    done = subprocess.run(
        ["/bin/bash", "-eu", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )
    assert done.returncode == 0, done.stderr
    answers = [answer.partition("\n")[2].strip() for answer in done.stdout.split("#")[1:]]
    told = [(command, json.loads(answer)) for command, answer in zip(commands, answers, strict=True) if answer]
    assert len(told) >= len(commands) - 3, "all but those that write the tokens and the one that keeps the address"
    assert [(command, answer) for command, answer in told if "detail" in answer] == []
    heard: list[str] = []
    while len(heard) < len(ORDERED):
        heard += [do for do in [charger.next_command()["do"]] if do != "time"]  # the charger has no time of its own
    assert heard == ORDERED, "and the retry ordered nothing"
