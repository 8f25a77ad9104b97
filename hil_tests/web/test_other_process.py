"""Does an open page show messages that another process received, and does it end when its viewer logs out at another process?

The units' broker is mosquitto. Two processes serve pages, and each ingests half of the units.
"""

import re
import threading
import time
import urllib.parse
import zlib
from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from pathlib import Path

import pytest

from hil_tests.bench.cloud.browser import NAME, Browser
from hil_tests.fixtures.bridge_process import BridgeProcess
from hil_tests.fixtures.cloud_fixture import MOSQUITTO, CloudFixture
from hil_tests.fixtures.mqtt_unit import MqttUnit
from hil_tests.fixtures.ports import free_ports
from hil_tests.fixtures.postgresql import BINARIES, Server

PARTS = 2
ALIVE = "event: alive"
ALIVE_S = 15.0  # interval of keep-alive events; a page without updates reads the store again at each
WITHIN_S = 60.0
DATABASE = "chargekeeper"
IDS = [f"CK-{number}" for number in range(10)]
HEARD_BY_THE_OTHER = next(name for name in IDS if zlib.crc32(name.encode()) % PARTS == 1)

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")


class Stream:
    """The live stream of one dashboard, read on its own thread."""

    def __init__(self, browser: Browser, unit_id: str) -> None:
        self.lines: list[str] = []
        self.alive_s = 0.0  # time of the latest keep-alive event
        self.ended_s: float | None = None
        answer = browser.open(f"/charge-points/{unit_id}/live")
        threading.Thread(target=self._read, args=(answer,), daemon=True).start()

    def _read(self, answer: HTTPResponse) -> None:
        for line in map(bytes.decode, answer):
            if ALIVE in line:
                self.alive_s = time.monotonic()
            self.lines.append(line)
        self.ended_s = time.monotonic()

    def has(self, words: str) -> bool:
        return any(words in line for line in self.lines)

    def signs_of_life_before(self, words: str) -> int:
        """Return the number of keep-alive events before these words."""
        at = next(number for number, line in enumerate(self.lines) if words in line)
        return sum(ALIVE in line for line in self.lines[:at])


class Two:
    """Two processes of a bridge. `browser` is logged in at the first and reaches both; the second ingests `unit`."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.cloud = CloudFixture(folder, outside=True, environment=environment | {"CHARGEKEEPER_PART": f"1/{PARTS}"})
        made = self.cloud.command("unit", "add", HEARD_BY_THE_OTHER)
        password = self.cloud.command("user", "add", NAME, "--role", "driver")["password"]
        self.cloud.command("unit", "claim", made["claim_code"], NAME)
        self.cloud.start_mosquitto()
        self.http_port = free_ports(1)[0]
        theirs = self.cloud.bridge.environment | {"CHARGEKEEPER_PART": f"2/{PARTS}"}
        theirs["CHARGEKEEPER_HTTP_PORT"] = str(self.http_port)
        own_keys = ("CHARGEKEEPER_HTTP_PORT", "CHARGEKEEPER_MQTT_PORT", "CHARGEKEEPER_DATA")
        self.cloud.start()
        self._other = BridgeProcess(
            self.http_port,
            self.cloud.mqtt_port,
            folder,
            {key: value for key, value in theirs.items() if key not in own_keys},
            tls=False,
        )
        self.cloud._loop().run(self._other.start())
        self.browser = Browser(self.cloud.http_port, password)
        self.unit = MqttUnit(self.cloud.mqtt_port, HEARD_BY_THE_OTHER, made["secret"])

    def close(self) -> None:
        self.unit.close()
        self.cloud._loop().run(self._other.stop())
        self.cloud.stop()

    def post_at_the_other(self, path: str, page: str = "/account", **fields: str) -> None:
        """Send a form of a page to the other process, from the same browser."""
        found = re.search(r'name="form" value="([0-9a-f]+)"', self.browser.get(page))
        assert found
        form = urllib.parse.urlencode({"form": found[1], **fields}).encode()
        self.browser.opener.open(f"http://127.0.0.1:{self.http_port}{path}", form, WITHIN_S).close()


@pytest.fixture(params=["sqlite", "postgresql"])
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Two]:
    environment, server = {}, None
    if request.param == "postgresql":
        if not BINARIES:
            pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
        server = Server()
        server.say(f"CREATE DATABASE {DATABASE}")
        environment["CHARGEKEEPER_DATABASE"] = f"{server.url}/{DATABASE}"
    both = Two(tmp_path, environment)
    yield both
    both.close()
    if server is not None:
        server.close()


def until(condition: Callable[[], object], what: str) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < give_up_s, f"timed out: {what}"
        time.sleep(0.01)


def test_a_heartbeat_that_another_process_heard_is_shown_before_the_next_sign_of_life(two: Two) -> None:
    stream = Stream(two.browser, HEARD_BY_THE_OTHER)
    until(lambda: stream.has(ALIVE), "the stream began")
    for state, words in (("C2", "Charging"), ("A1", "Ready, no vehicle connected")):
        two.unit.report("heartbeat", s=state, m="smart", q=17, o="23415", a=32, w=7360 if state == "C2" else 0)
        until(lambda words=words: stream.has(words), f"shown: {words}")  # type: ignore[misc]  # bound at once
        assert stream.signs_of_life_before(words) == 1


def test_the_stream_ends_when_its_viewer_logs_out_at_another_process(two: Two) -> None:
    stream = Stream(two.browser, HEARD_BY_THE_OTHER)
    until(lambda: stream.has(ALIVE), "the stream began")
    two.post_at_the_other("/logout")
    until(lambda: stream.ended_s, "the stream ended")
    assert stream.ended_s is not None and stream.ended_s - stream.alive_s < ALIVE_S - 1, (
        "before the page was due to read the store again"
    )
