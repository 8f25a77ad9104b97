"""Does a unit whose clock starts in 2000, without network time, trust a broker's certificate made yesterday, and refuse
another name?

The whole firmware runs on MicroPython, with a clock from libfaketime. The broker is the bridge's own. Both units run in
parallel.
"""

import asyncio
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from hil_tests.link.test_certificates import DAY, NOW, Authority
from hil_tests.link_life.cloud import Cloud
from hil_tests.link_life.life import QUICK
from hil_tests.rig.console import ConsoleError, ConsoleSilent
from hil_tests.rig.processor import YEAR_2000_S
from hil_tests.rig.unit import Unit

WITHIN_S = 120  # so that a test that hangs ends
LOOK_S = 0.1
TRIES = 2
MANNERS = ("clock_2000", "no_network_time")
HOST, OTHER_HOST = "127.0.0.1", "evil.example"


@dataclass(frozen=True)
class Stories:
    """What was observed."""

    began_s: tuple[float, ...]  # seconds between 2000 and the clocks of both units at their start
    contacts: int  # heartbeats of the unit that connects to the bridge
    crashed: list[str]  # failed parts of either firmware
    proven: bool  # the link of the unit whose broker has a certificate for another name
    refused: list[str]  # security events of that unit about it


class Caller:
    """A unit with such a clock."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._clock = folder / "clock"
        self.unit = Unit(folder, seed, manners=MANNERS)
        self.unit.world.latencies = QUICK

    async def begin(self, words: list[str], wanted: dict[str, object]) -> float:
        """Start the unit and provision it. Return what its clock showed first, in seconds since 2000."""
        await self.unit.start()
        began_s = await self._first_time_s() - YEAR_2000_S
        await self.answer("status", lambda lines: bool(lines))
        for command in (*words, f"provision {json.dumps(wanted)}"):
            await self.unit.ask(command)
        return began_s

    async def _first_time_s(self) -> float:
        async with asyncio.timeout(WITHIN_S):
            while not self._clock.exists():  # noqa: ASYNC110  # the rig writes it as it starts the process
                await asyncio.sleep(0)
        return time.time() + int(self._clock.read_text())

    async def answer(self, command: str, holds: Callable[[list[str]], bool]) -> list[str]:
        """Return the answer to a command when the answer fulfils `holds`."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                try:
                    lines = await self.unit.ask(command)
                except (ConsoleError, ConsoleSilent):
                    lines = []
                if holds(lines):
                    return lines
                await asyncio.sleep(LOOK_S)


def lay_certificates(folder: Path, authority: Authority, host: str) -> None:
    """Write certificates in the form that the bridge's own command creates."""
    folder.mkdir(parents=True)
    pem = authority.issue(folder, host).read_bytes()
    (folder / "server.key").write_bytes(pem)
    (folder / "ca.pem").write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))


async def live(folder: Path) -> Stories:
    authority = Authority(NOW - DAY)
    lay_certificates(folder / "cloud" / "tls", authority, HOST)
    lay_certificates(folder / "other", authority, OTHER_HOST)
    tried: asyncio.Queue[None] = asyncio.Queue()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "other" / "server.pem")
    context.sni_callback = lambda *_: tried.put_nowait(None)
    cloud = Cloud(folder / "cloud")
    await cloud.bridge.start()
    other = await asyncio.start_server(lambda *_: None, HOST, 0, ssl=context)
    trusting, cheated = Caller(folder / "trusting", 1), Caller(folder / "cheated", 2)

    async def contact() -> float:
        made = await cloud.bridge.command("unit", "add", "CK-1")
        wanted = {"id": "CK-1", "secret": made["secret"], "broker": HOST, "port": cloud.bridge.mqtts_port}
        began_s = await trusting.begin(cloud.bridge.authority_words(), wanted)
        await trusting.answer("status", lambda lines: "link proven" in lines)
        return began_s

    async def refusal() -> float:
        wanted = {"id": "CK-2", "secret": "s" * 20, "broker": HOST, "port": other.sockets[0].getsockname()[1]}
        began_s = await cheated.begin(cloud.bridge.authority_words(), wanted)
        async with asyncio.timeout(WITHIN_S):
            for _ in range(TRIES):
                await tried.get()
        await cheated.answer("log security", lambda lines: any("broker=" in line for line in lines))
        return began_s

    try:
        began_s = await asyncio.gather(contact(), refusal())
        statuses = [await one.answer("status", bool) for one in (trusting, cheated)]
        return Stories(
            began_s,
            len(cloud.told("heartbeats", "CK-1")),
            [line for lines in statuses for line in lines if line.startswith("failed")],
            "link proven" in statuses[1],
            [line for line in await cheated.unit.ask("log security") if "broker=" in line],
        )
    finally:
        other.close()
        await asyncio.gather(trusting.unit.stop(), cheated.unit.stop())
        await cloud.bridge.stop()


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Stories:
    """Run both units once."""
    return asyncio.run(live(tmp_path_factory.mktemp("clock")))


def test_the_clocks_started_in_2000(stories: Stories) -> None:
    assert all(abs(seconds) < WITHIN_S for seconds in stories.began_s)


def test_a_certificate_made_yesterday_is_trusted(stories: Stories) -> None:
    assert stories.contacts > 0 and stories.crashed == []


def test_a_certificate_of_another_name_is_refused(stories: Stories) -> None:
    assert not stories.proven
    assert stories.refused and all("does not match" in line for line in stories.refused)
