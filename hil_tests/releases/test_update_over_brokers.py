"""Does a release get to a unit through each broker, also if the bridge is killed halfway, and is the byte budget kept?"""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil_tests.fixtures.cloud_fixture import MOSQUITTO, CloudFixture
from hil_tests.fixtures.cluster_fixture import ClusterFixture
from hil_tests.fixtures.mqtt_unit import MqttUnit
from hil_tests.fixtures.signed_release import SignedRelease, signed_release

WITHIN_S = 120.0
QUIET_S = 2.0  # how long to check that no piece comes
NOISE = random.Random(11).randbytes(30_000)
BUDGET = 40_000  # bytes: manifest and image with the heads of their packets, and less than one more request


@pytest.fixture(params=["embedded", "mosquitto", "jetstream"])
def cloud(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CloudFixture]:
    environment = {"CHARGEKEEPER_UPDATE_BYTES": str(BUDGET)}
    cloud: CloudFixture
    if request.param == "jetstream":
        cloud = ClusterFixture(tmp_path / "cloud", environment)
    elif request.param == "mosquitto" and MOSQUITTO is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    else:
        cloud = CloudFixture(tmp_path / "cloud", outside=request.param == "mosquitto", environment=environment)
    yield cloud
    cloud.stop()


def until(condition: Callable[[], object], what: str) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < give_up_s, f"never {what}"
        time.sleep(0.1)


def counter(cloud: CloudFixture, name: str) -> int:
    return int(cloud.health()["counters"][name])


def load(unit: MqttUnit, release: SignedRelease, file: int, begin: int, end: int) -> bytes:
    """Load a part of a file. Request again what does not come."""
    found, give_up_s = b"", time.monotonic() + WITHIN_S
    while begin + len(found) < end:
        assert time.monotonic() < give_up_s, f"{len(found)} bytes have come"
        at = begin + len(found)
        unit.report("ask", h=release.name, f=file, o=at, c=min(8192, end - at))
        while begin + len(found) < min(end, at + 8192):
            try:
                piece = unit.next_piece(5.0)
            except OSError:  # no piece came, or the connection was lost
                break
            if piece[:12] == bytes.fromhex(release.name) + bytes((file,)) + (begin + len(found)).to_bytes(3, "big"):
                found += piece[12:]
    return found


def test_a_release_comes_through_whatever_is_killed(cloud: CloudFixture, tmp_path: Path) -> None:
    release = signed_release(tmp_path, "1.4.0", NOISE)
    image = release.image.read_bytes()
    (one,) = cloud.add_units(["one"])
    cloud.start()
    cloud.command("release", "add", str(release.manifest), str(release.image), "--public", str(release.public))
    unit = cloud.connect(one)
    unit.subscribe_to_commands()
    assert unit.subscribe_to_pieces() == 0
    unit.report("heartbeat", s="A1", q=17, t=int(time.time()))
    unit.report("event", k="boot", d={"cause": "power_on", "v": "1.3.0", "board": "tcall"})
    until(lambda: cloud.charge_point("one")["board"] == "tcall", "heard")
    cloud.command("release", "roll-out", "1.4.0", "--all", "--soak-hours", "1")
    while (order := unit.next_command(WITHIN_S))["do"] != "update":
        pass  # skip the command to set the time
    unit.report("result", id=order["id"], ok=True)
    assert load(unit, release, 0, 0, order["m"]) == release.manifest.read_bytes()
    middle = len(image) // 2
    first = load(unit, release, 1, 0, middle)
    unit.close()
    cloud.kill_bridge()
    cloud.start_bridge()
    unit = cloud.connect(one)
    unit.subscribe_to_pieces()
    second = load(unit, release, 1, middle, len(image))
    assert first + second == image

    unit.report("ask", h=release.name, f=1, o=0, c=8192)  # everything again: more than the rest of its monthly budget
    until(lambda: counter(cloud, "asks_over_budget"), "over the budget")
    with pytest.raises(TimeoutError):
        unit.next_piece(QUIET_S)
    unit.report("heartbeat", s="A1", q=17, t=int(time.time()))  # other messages are not affected

    for result in ("installed", "trial", "good"):
        unit.report("event", k="update", d={"v": "1.4.0", "r": result})
    until(lambda: cloud.get("/api/roll-outs/1")["units"] == {"good": 1}, "good")
    unit.close()
