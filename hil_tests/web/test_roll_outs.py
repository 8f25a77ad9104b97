"""Can an operator roll out a release on the pages, to a charger that requests it piece by piece?"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from hil_tests.fixtures.mqtt_unit import MqttUnit
from hil_tests.fixtures.signed_release import SignedRelease, signed_release
from hil_tests.web.cloud_fixture import WebCloudFixture
from hil_tests.web.visitor import LOOKS, Visitor

NOISE = random.Random(7).randbytes(12_000)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebCloudFixture]:
    """Dora has a charger; there is an operator."""
    cloud = WebCloudFixture(tmp_path_factory.mktemp("roll-outs"))
    try:
        for name, role in (("dora", "driver"), ("olga", "operator")):
            cloud.person(name, role)
        yield cloud
    finally:
        cloud.stop()


def load(charger: MqttUnit, release: SignedRelease, file: int, size: int) -> bytes:
    """Request a file of the release as a unit does, and return it."""
    found = b""
    while len(found) < size:
        charger.report("ask", h=release.name, f=file, o=len(found), c=min(8192, size - len(found)))
        until = min(size, len(found) + 8192)
        while len(found) < until:
            piece = charger.next_piece()
            assert piece[:12] == bytes.fromhex(release.name) + bytes((file,)) + len(found).to_bytes(3, "big")
            found += piece[12:]
    return found


@pytest.mark.parametrize(("look", "version"), list(zip(LOOKS, ("1.4.0", "1.5.0"), strict=True)))
def test_a_release_goes_to_a_charger_that_asks_for_it(
    browser: Browser, cloud: WebCloudFixture, tmp_path: Path, look: str, version: str
) -> None:
    release = signed_release(tmp_path, version, NOISE)
    cloud.command("release", "add", str(release.manifest), str(release.image), "--public", str(release.public))
    unit_id = f"CK-{look}"
    charger = cloud.charger(unit_id, "dora")
    charger.report("heartbeat", s="A1", m="smart", q=18, o="23415", f=[])
    charger.report("event", k="boot", d={"cause": "power_on", "v": "1.3.0", "board": "tcall"})
    charger.subscribe_to_commands()
    assert charger.subscribe_to_pieces() == 0

    olga = Visitor(browser, cloud, "olga", look)
    olga.goes_to("/roll-outs")
    olga.comes_to("Firmware")
    olga.page.locator('[name="version"]').select_option(version)
    olga.page.locator('[name="by"]').select_option("list")
    olga.fills(ids=unit_id, required_by="2031-01-31")
    olga.clicks("Start with one unit")
    olga.comes_to(f"{version} to a list of units")

    while (order := charger.next_command())["do"] != "update":
        pass  # skip setting the time, which the charger does not have
    assert (order["do"], order["v"], order["h"], order["r"]) == ("update", version, release.name, False)
    charger.report("result", id=order["id"], ok=True)
    assert load(charger, release, 0, order["m"]) == release.manifest.read_bytes()
    half = load(charger, release, 1, release.image.stat().st_size // 2)

    dora = Visitor(browser, cloud, "dora", look)
    dora.goes_to(f"/charge-points/{unit_id}")
    dora.comes_to("Ready, no vehicle connected")
    dora.sees(f"Its firmware is being updated to {version}")
    dora.sees("This is a security update, and is made at once from 31 January 2031 on.")

    image = load(charger, release, 1, release.image.stat().st_size)
    assert image == release.image.read_bytes()
    assert image.startswith(half)
    for result in ("installed", "trial", "good"):
        charger.report("event", k="update", d={"v": version, "r": result})
    charger.report("event", k="boot", d={"cause": "soft", "v": version})

    dora.goes_to(f"/charge-points/{unit_id}")
    dora.sees(f"Its firmware was updated to {version}")
    dora.leaves()
    olga.goes_to("/roll-outs")
    olga.clicks(f"{version} to a list of units")
    olga.comes_to(f"{version} to a list of units")
    olga.sees("1 good")
    olga.clicks("Stop this roll-out")
    olga.comes_to(f"{version} to a list of units")
    olga.sees("Stopped: olga has stopped it")
    olga.goes_to(f"/fleet?firmware={version}")
    olga.comes_to("Fleet")
    olga.sees(unit_id)
    olga.leaves()
