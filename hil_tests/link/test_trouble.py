"""Does a disturbed link leave a charge alone, and is the disturbance reported?

Three units, each with another disturbance, run in parallel: together they take as long as the longest.
"""

import asyncio
import os
import ssl
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.link.test_certificates import Authority
from hil_tests.link_life.cloud import Cloud
from hil_tests.link_life.life import Life
from hil_tests.sim.network import Way

MICROPYTHON = Path(sys.prefix) / "bin" / "micropython"
NOTICED_WITHIN_S = 240  # deadlines: two unanswered publishes of 20 s each, and a heartbeat every 5 s
BACK_WITHIN_S = 240
LOOK_EVERY_S = 0.5
TRIES = 2  # of the unit whose broker it cannot trust


@dataclass(frozen=True)
class Stories:
    """What was observed."""

    refused: list[str]  # events of the unit whose broker had a bad certificate
    heartbeat: dict[str, Any]  # of the unit whose flash is full
    noticed_s: float  # until the unit noticed that its connection was half open
    back_s: float  # from the end of the disturbance until the link was proven again


async def _charge(life: Life) -> Callable[[], bool]:
    """Start a charge. Return a function that tells whether it was never interrupted since."""
    life.unit.plug()
    await life.until(lambda status: status.get("contactor") == "closed")
    begun = len(life.unit.log_lines)
    return lambda: not any("contactor open" in line for line in list(life.unit.log_lines)[begun:])


async def _bad_certificate(life: Life, folder: Path) -> list[str]:
    """Give the unit a broker with a certificate of another authority. Return the security events."""
    tried: asyncio.Queue[None] = asyncio.Queue()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Authority().issue(folder, "127.0.0.1"))
    context.sni_callback = lambda *_: tried.put_nowait(None)
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)
    await life.begin(server.sockets[0].getsockname()[1])
    unbroken = await _charge(life)
    async with asyncio.timeout(NOTICED_WITHIN_S):
        for _ in range(TRIES):
            await tried.get()
    async with asyncio.timeout(NOTICED_WITHIN_S):
        while True:
            if said := [line for line in await life.unit.ask("log security") if "broker=" in line]:
                break
            await asyncio.sleep(LOOK_EVERY_S)
    assert unbroken(), life.unit.full_log()
    server.close()
    return said


async def _full_flash(life: Life, folder: Path, cloud: Cloud) -> dict[str, Any]:
    """Start the unit with a full flash. Return the heartbeat that reports it."""
    await life.begin()
    await life.until(lambda status: status.get("link") == "proven", BACK_WITHIN_S)
    life.unit.mains(False)
    await life.until(lambda status: not status)
    filling = await asyncio.create_subprocess_exec(
        MICROPYTHON,
        "tests/firmware/fill_flash.py",
        folder / "flash.bin",
        cwd=CHECKOUT,
        env={**os.environ, "MICROPYPATH": ".frozen:."},
    )
    assert await filling.wait() == 0
    life.unit.mains(True)
    await life.until(lambda status: status.get("link") == "proven", BACK_WITHIN_S)
    unbroken = await _charge(life)
    async with asyncio.timeout(BACK_WITHIN_S):
        while True:
            if "h" in (heartbeat := cloud.told("heartbeats", life.unit_id)[-1]):
                break
            await asyncio.sleep(LOOK_EVERY_S)
    assert unbroken(), life.unit.full_log()
    return heartbeat


async def _half_open(life: Life) -> tuple[float, float]:
    """Drop the unit's packets without notice. Return the seconds until it noticed, and until the link was proven again."""
    await life.begin()
    await life.until(lambda status: status.get("link") == "proven", BACK_WITHIN_S)
    unbroken = await _charge(life)
    life.network.up = life.network.down = Way(swallow=True)
    begun_s = time.monotonic()
    await life.until(lambda status: status.get("link") != "proven", NOTICED_WITHIN_S)
    noticed_s = time.monotonic()
    life.network.heal()
    await life.until(lambda status: status.get("link") == "proven", BACK_WITHIN_S)
    assert unbroken(), life.unit.full_log()
    return noticed_s - begun_s, time.monotonic() - noticed_s


async def _live(folder: Path) -> Stories:
    cloud = Cloud(folder / "cloud")
    await cloud.bridge.start()
    lives = [Life(folder / name, cloud, f"CK-{name}", seed) for seed, name in enumerate(("cheated", "full", "cut-off"))]
    try:
        refused, heartbeat, half_open = await asyncio.gather(
            _bad_certificate(lives[0], folder), _full_flash(lives[1], folder / "full", cloud), _half_open(lives[2])
        )
    finally:
        await asyncio.gather(*(life.end() for life in lives))
        await cloud.bridge.stop()
    return Stories(refused, heartbeat, *half_open)


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Stories:
    """Run all three units once."""
    return asyncio.run(_live(tmp_path_factory.mktemp("trouble")))


@pytest.mark.timeout(900)
def test_a_bad_certificate_is_refused_and_told_once_while_the_charge_goes_on(stories: Stories) -> None:
    (told,) = stories.refused
    assert "security" in told and "not correctly signed" in told


def test_a_full_flash_is_told_in_the_heartbeat_while_the_charge_goes_on(stories: Stories) -> None:
    assert "flash" in stories.heartbeat.get("h", ())


def test_a_half_open_connection_is_noticed_and_made_anew_while_the_charge_goes_on(stories: Stories) -> None:
    print(f"half open: noticed after {stories.noticed_s:.1f} s, proven again {stories.back_s:.1f} s after its end")
    assert stories.back_s < BACK_WITHIN_S
