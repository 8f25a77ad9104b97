"""Does a unit accept the next certificate authority without a visit, and can no command cut it off?

The whole firmware runs on MicroPython, against the bridge with its own broker. One unit connects over TLS, another
without, as in a laboratory. Both receive the same commands.
"""

import asyncio
import base64
import contextlib
import hashlib
import json
import random
import sqlite3
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from hil_tests.link.test_certificates import Authority
from hil_tests.link_life.cloud import Cloud
from hil_tests.link_life.life import Life

WITHIN_S = 180  # so that a test that hangs ends
LOOK_S = 0.3
CUT_WITHIN_S = 6.0  # after the command: the bridge looks every 5 s for units to send it to
SEED = 18
GARBAGE = b"\x30\x82\x05\x78" + bytes(1400)  # valid DER length and nothing else; no command can be longer


@dataclass(frozen=True)
class Story:
    """What was observed."""

    old: str  # SHA-256 of the authorities
    new: str
    wrong: str  # sent by mistake
    results: dict[str, list[tuple[bool, str | None]]]  # answers to the commands, by unit
    trusts: list[str]  # what the unit over TLS reported as trusted
    after_garbage: bool  # whether its link held
    waiting: dict[str, str]  # units that had not connected with the new authority when the broker had changed
    after_retirement: bool  # whether it still had a link when it had refused the broker's old certificate
    crashed: list[str]


class Fleet:
    """Both units and their cloud."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cloud = Cloud(folder / "cloud")
        self.over_tls = Life(folder / "tls", self.cloud, "CK-TLS", 1)
        self.plain = Life(folder / "plain", self.cloud, "CK-PLAIN", 2)

    async def begin(self) -> None:
        bridge = self.cloud.bridge
        await bridge.start()
        await asyncio.gather(self.over_tls.begin(), self.plain.begin(int(bridge.environment["CHARGEKEEPER_MQTT_PORT"])))
        await self.plain.unit.ask(f"provision {json.dumps({'plain_mqtt': True})}")
        await asyncio.gather(*(proven(life) for life in (self.over_tls, self.plain)))

    async def restart_bridge(self, certificate: Path) -> None:
        bridge = self.cloud.bridge
        await bridge.stop()
        bridge.environment["CHARGEKEEPER_TLS_CERT"] = str(certificate / "server.pem")
        bridge.environment["CHARGEKEEPER_TLS_KEY"] = str(certificate / "server.key")
        await bridge.start()

    def order(self, der: bytes, number: int) -> None:
        """Store the command to trust an authority, without the checks of the command line."""
        row = (hashlib.sha256(der).hexdigest(), base64.b64encode(der).decode(), 1 << 42, number, False)
        with contextlib.closing(sqlite3.connect(self.folder / "cloud" / "chargekeeper.db")) as database, database:
            database.execute("INSERT INTO authorities VALUES (?, ?, ?, ?, ?)", row)

    def results(self, unit_id: str) -> list[tuple[bool, str | None]]:
        told = self.cloud.told("results", unit_id)
        return [(said["ok"], said.get("y")) for said in told if str(said.get("id")).startswith("a-")]

    def trusts(self) -> list[str]:
        events = self.cloud.told("events", self.over_tls.unit_id)
        return [said["d"]["trusts"] for said in events if said["k"] == "authority"]

    async def waiting(self) -> dict[str, str]:
        rows: Any = await self.cloud.bridge.command("tls", "units")
        return {row["id"]: row["authority"] for row in rows}


async def proven(life: Life) -> None:
    await life.until(lambda status: status.get("link") == "proven", WITHIN_S)


async def seen(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not holds():  # noqa: ASYNC110  # a database of another process
            await asyncio.sleep(LOOK_S)


def sha256_of(folder: Path) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert((folder / "ca.pem").read_text())).hexdigest()


async def cut_mains(fleet: Fleet, draw: random.Random) -> None:
    """Cut the mains at a random moment after the command."""
    unit = fleet.over_tls.unit
    after_s = draw.uniform(0, CUT_WITHIN_S)
    print(f"SEED={SEED}: mains cut {after_s:.2f} s after the order")
    await asyncio.sleep(after_s)
    unit.mains(False)
    await fleet.over_tls.until(lambda status: not status)
    unit.mains(True)
    await proven(fleet.over_tls)


async def live(folder: Path) -> Story:
    fleet = Fleet(folder)
    bridge = fleet.cloud.bridge
    old, new = folder / "cloud" / "tls", folder / "cloud" / "tls-next"
    try:
        await fleet.begin()
        ids = [life.unit_id for life in (fleet.over_tls, fleet.plain)]
        fleet.order(GARBAGE, 1)
        await seen(lambda: all(fleet.results(unit_id) for unit_id in ids))
        after_garbage = "link proven" in await fleet.over_tls.unit.ask("status")
        wrong = Authority().certificate.public_bytes(serialization.Encoding.DER)
        fleet.order(wrong, 2)
        await seen(lambda: f"{sha256_of(old)} {hashlib.sha256(wrong).hexdigest()}" in fleet.trusts())
        await bridge.command("tls", "next")
        await bridge.command("tls", "order")
        await cut_mains(fleet, random.Random(SEED))
        await fleet.restart_bridge(old)  # it sends the command again to units that have not answered
        pair = f"{sha256_of(old)} {sha256_of(new)}"
        await seen(lambda: pair in fleet.trusts())
        await fleet.restart_bridge(new)
        await seen(lambda: fleet.trusts()[-1].startswith(sha256_of(new)))
        waiting = await fleet.waiting()
        await bridge.command("tls", "retire")
        await seen(lambda: fleet.trusts()[-1] == sha256_of(new))
        await fleet.restart_bridge(old)
        await fleet.over_tls.until(lambda status: "no longer trusted" in status.get("trouble", ""), WITHIN_S)
        statuses = [await life.unit.ask("status") for life in (fleet.over_tls, fleet.plain)]
        return Story(
            sha256_of(old),
            sha256_of(new),
            hashlib.sha256(wrong).hexdigest(),
            {unit_id: fleet.results(unit_id) for unit_id in ids},
            fleet.trusts(),
            after_garbage,
            waiting,
            "link proven" in statuses[0],
            [line for lines in statuses for line in lines if line.startswith("failed")],
        )
    finally:
        await asyncio.gather(fleet.over_tls.end(), fleet.plain.end())
        await bridge.stop()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Run the whole story once."""
    return asyncio.run(live(tmp_path_factory.mktemp("authority")))


def test_what_is_no_certificate_is_refused_and_the_link_holds(story: Story) -> None:
    assert story.results["CK-TLS"][0] == (False, "not a certificate that TLS can use")
    assert story.after_garbage


def test_without_tls_every_order_is_refused(story: Story) -> None:
    assert set(story.results["CK-PLAIN"]) == {(False, "only over TLS")}
    assert story.waiting == {"CK-PLAIN": "refused: only over TLS"}


def test_it_connects_to_a_broker_of_the_new_authority_and_says_so(story: Story) -> None:
    """Also after a command with a wrong authority, and a mains cut near the right command? Nobody touches its console."""
    both = [f"{story.old} {story.wrong}", f"{story.old} {story.new}", f"{story.new} {story.old}", story.new]
    said = [one for number, one in enumerate(story.trusts) if one not in story.trusts[:number]]
    assert said == [story.old, *both] and story.crashed == []


def test_the_old_authority_is_trusted_no_more_once_it_was_given_up(story: Story) -> None:
    assert not story.after_retirement
