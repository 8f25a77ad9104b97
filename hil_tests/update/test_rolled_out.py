"""Does a release get from its tag to a unit on the wall, with the right pages on the way, and what if it crashes?"""

import asyncio
import html
import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from hil_tests.demo.browser import Browser
from hil_tests.fixtures.bridge_process import BridgeFailed, BridgeProcess
from hil_tests.fixtures.ports import free_ports
from hil_tests.link_life.life import QUICK
from hil_tests.rig.commissioning import COMMISSION
from hil_tests.rig.image import VIRTUAL
from hil_tests.rig.unit import Unit
from hil_tests.update.life import PROGRAM
from hil_tests.update.maker import Maker

UNIT, AWAY = "CK-one", "CK-away"
GOOD, CRASHES = "100.4.0", "100.5.0"
NOTES = "It finds its network sooner."
MISTAKE = "raise RuntimeError('a mistake of the maker')\n"
WITHIN_S = 240  # for each step; long, so that a busy machine is no failure
ANSWER_S = 30
LOOK_S = 0.2


class Views:
    """What people see of the unit and of its roll-out: each view that differs from the previous one."""

    def __init__(self, owner: Browser, operator: Browser) -> None:
        self.owner: list[str] = [""]
        self.unit: list[str] = [""]
        self.roll_out: list[str] = [""]
        self.stopped: list[str] = [""]  # with the reason
        self._owner, self._operator = owner, operator

    async def look(self, roll_out: int) -> None:
        """Read the pages once. Raises httpx.HTTPError, PageUnexpected."""
        point = f"/charge-points/{UNIT}"
        _keep(self.owner, r'<p class="card" id="update">(.*?)</p>', await self._owner.read(point))
        _keep(self.unit, r"<dt>Update</dt><dd>(.*?)</dd>", await self._operator.read(point))
        page = await self._operator.read(f"/roll-outs/{roll_out}")
        _keep(self.roll_out, r'<p class="small roll-out-keys">(.*?)</p>', page)
        _keep(self.stopped, r"<h2>Stopped: (.*?)</h2>", page)

    async def until(self, roll_out: int, shown: Callable[[], bool]) -> None:
        """Read the pages until `shown()`. Raises AssertionError with all views after WITHIN_S."""
        try:
            async with asyncio.timeout(WITHIN_S):
                while not shown():
                    await self.look(roll_out)
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise AssertionError(f"{self.owner}\n{self.unit}\n{self.roll_out}") from None


def saw(views: list[str], *parts: str) -> None:
    """Assert that the views contain these parts in this order."""
    left = iter(views)
    for part in parts:
        assert any(part in view for view in left), f"{part!r} is not next in {views}"


def _keep(views: list[str], pattern: str, page: str) -> None:
    found = re.search(pattern, page, re.DOTALL)
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found[1])).split()) if found else ""
    if text != views[-1]:
        views.append(text)


async def introduce(unit: Unit, secret: str, port: int) -> None:
    """Provision the unit."""
    settings = {"id": UNIT, "secret": secret, "broker": "127.0.0.1", "port": port, "plain_mqtt": True}
    await unit.answers(ANSWER_S)
    await unit.ask(f"provision {json.dumps({**settings, 'heartbeat_idle_s': 5})}")
    await unit.ask(COMMISSION)


def was_heard_long_ago(unit_id: str, data: Path) -> None:
    """Record a unit's board, as if it had reported it. Without a board a roll-out leaves the unit out."""
    with closing(sqlite3.connect(data / "chargekeeper.db", timeout=ANSWER_S)) as store, store:
        store.execute("UPDATE units SET board = ? WHERE id = ?", (VIRTUAL, unit_id))


async def has_told_its_board(unit_id: str, data: Path) -> None:
    """Wait until the unit has reported its board: a roll-out leaves out units without a known image. Raises TimeoutError."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            with closing(sqlite3.connect(data / "chargekeeper.db", timeout=ANSWER_S)) as store:
                if store.execute("SELECT 1 FROM units WHERE id = ? AND board IS NOT NULL", (unit_id,)).fetchone():
                    return
            await asyncio.sleep(LOOK_S)


def test_a_release_goes_from_its_tag_to_the_wall_and_one_that_crashes_is_stopped(tmp_path: Path) -> None:
    """[S1-3a] [S1-3b]"""
    http_port, mqtt_port = free_ports(2)
    bridge = BridgeProcess(http_port, mqtt_port, tmp_path / "cloud", tls=False)
    unit = Unit(tmp_path / "unit", program=PROGRAM)
    unit.world.latencies = QUICK
    maker = Maker(tmp_path)
    maker.publish_key(tmp_path / "cloud")
    today = datetime.now(UTC).strftime("%Y-%m-%d")

    async def story() -> None:
        await maker.tag(GOOD)
        await maker.tag(CRASHES, app=MISTAKE)
        people = await bridge.commands(
            ["user", "add", "dora", "--role", "driver"],
            ["user", "add", "olga", "--role", "operator"],
            ["unit", "add", UNIT],
            ["unit", "add", AWAY],
        )
        was_heard_long_ago(AWAY, tmp_path / "cloud")
        dora, olga, one, _ = (made for made in people if not isinstance(made, BridgeFailed))
        await asyncio.gather(bridge.command("unit", "claim", one["claim_code"], "dora"), bridge.start(), unit.start())
        await asyncio.gather(introduce(unit, one["secret"], mqtt_port), maker.release(bridge, GOOD, NOTES))
        async with Browser(bridge.address) as owner, Browser(bridge.address) as operator:
            await owner.log_in("dora", dora["password"])
            await operator.log_in("olga", olga["password"])
            await operator.set_up_second_factor()

            views = Views(owner, operator)
            await has_told_its_board(UNIT, tmp_path / "cloud")
            next_release = asyncio.create_task(maker.release(bridge, CRASHES, ""))
            await bridge.command("release", "roll-out", GOOD, "--all", "--required-by", today)
            await views.until(1, lambda: "1 good" in views.roll_out[-1])
            saw(views.owner, f"is being updated to {GOOD}", "% loaded", f"was updated to {GOOD}")
            assert all(NOTES in said for said in views.owner[1:])
            saw(views.unit, "loading", "% of the image sent", "on trial", "good")
            saw(views.roll_out, "1 loading 1 waiting", "1 on trial", "1 good")

            await asyncio.gather(next_release, bridge.command("release", "stop", "1"))
            await bridge.command("release", "roll-out", CRASHES, "--all", "--required-by", today)
            await views.until(2, lambda: "1 went back" in views.roll_out[-1])
            await bridge.kill()  # the leader decides by the store, also at its start
            await bridge.start()
            await views.until(2, lambda: bool(views.stopped[-1]))
            assert "1 of 1 updated units went back to their former version" in views.stopped[-1]
            assert f"Your charger went back by itself and runs {GOOD} again" in views.owner[-1]
            assert views.unit[-1] == (
                f"{CRASHES}: went back to the former version (the new version crashed). The roll-out was stopped"
            )
            saw(views.roll_out, "1 loading", "1 went back to the former version 1 waiting")

    async def all_of_it() -> None:
        try:
            await story()
        finally:
            await unit.stop()
            await bridge.stop()

    asyncio.run(all_of_it())
