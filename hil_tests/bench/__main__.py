"""Measure what is promised: `python -m hil_tests.bench
latency|cuts|latched|guard|contact|vehicles|wear|families|quirks|readiness`.

Exits with 1 if a promise is not kept.

Each unit runs in its own process, so that none waits for another's simulation.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from hil_tests.bench import cuts, families, freezes, latched, latency, tally, vehicles, wear
from hil_tests.bench.cuts import Cuts
from hil_tests.bench.first_contact import first_contact
from hil_tests.bench.freezes import Freezes
from hil_tests.bench.latched import Latched
from hil_tests.bench.latencies import Latencies
from hil_tests.bench.quirks import run as quirks
from hil_tests.bench.readiness import run as readiness
from hil_tests.bench.yardstick import Yardstick
from hil_tests.fixtures.bridge_process import BridgeProcess
from hil_tests.fixtures.ports import free_ports
from hil_tests.fixtures.progress import bar
from hil_tests.rig.commissioning import COMMISSION

INJECTIONS, CUTS, LOSSES, FREEZES = 10_000, 1_000, 1_000, 1_000  # the promised counts
UNITS, NIGHTS = 8, 10_000
PROCESSES = 2  # that simulate nights


async def _latency(units: int, injections: int, seed: int, folder: Path) -> Latencies:
    together = Latencies()
    loop = asyncio.get_running_loop()
    http_port, mqtt_port = free_ports(2)
    bridge = BridgeProcess(http_port, mqtt_port, folder)
    await bridge.start()
    yardstick = Yardstick()
    measuring = asyncio.create_task(yardstick.lie_beside())
    try:
        with tally.pool(units) as processes:
            running = []
            for number in range(units):
                introduction = await _introduction(bridge, f"CK-{number}")
                unit = (folder / str(number), seed + number, injections // units, introduction)
                running.append(loop.run_in_executor(processes, latency.run, *unit))
            for found in await asyncio.gather(*running):
                together.join(found)
        together.machine_worst_ms = yardstick.worst_ms
    finally:
        measuring.cancel()
        await bridge.stop()
    return together


def _cuts(units: int, count: int, seed: int, folder: Path) -> Cuts:
    together = Cuts()
    with tally.pool(units) as processes:
        running = [
            processes.submit(cuts.run, folder / str(number), seed + number, count // units) for number in range(units)
        ]
        for unit in running:
            together.join(unit.result())
    return together


def _latched(units: int, count: int, seed: int, folder: Path) -> Latched:
    together = Latched(seed)
    shares = [count // units + (number < count % units) for number in range(units)]
    with tally.pool(units) as processes:
        running = [
            processes.submit(latched.run, folder / str(number), seed + number, share)
            for number, share in enumerate(shares)
            if share
        ]
        for unit in running:
            together.join(unit.result())
    return together


async def _guard(units: int, count: int, seed: int, folder: Path) -> bool:
    """Measure each kind and print its result. Return True if all are held."""
    held = True
    shares = [count // units + (number < count % units) for number in range(units)]
    http_port, mqtt_port = free_ports(2)
    bridge = BridgeProcess(http_port, mqtt_port, folder)
    for kind in (*freezes.KINDS, freezes.PORT):
        words: list[list[str]] = [[] for _ in shares]
        if kind == freezes.PORT:
            await bridge.start()
            words = [await _introduction(bridge, f"CK-{number}") for number in range(units)]
        try:
            together = await _freezes(kind, shares, seed, folder, words)
        finally:
            await bridge.stop()
        print(*together.report(kind), sep="\n", flush=True)
        held = held and together.held()
    return held


async def _freezes(kind: str, shares: list[int], seed: int, folder: Path, words: list[list[str]]) -> Freezes:
    together, loop = Freezes(), asyncio.get_running_loop()
    with tally.pool(len(shares)) as processes, bar(kind, sum(shares), tally.done_since()):
        running = [
            loop.run_in_executor(
                processes, freezes.run, folder / f"{kind}-{number}", seed + number, kind, share, words[number]
            )
            for number, share in enumerate(shares)
            if share
        ]
        for unit in await asyncio.gather(*running):
            together.join(unit)
    return together


async def _introduction(bridge: BridgeProcess, name: str) -> list[str]:
    """Return the console commands that connect a unit to this cloud."""
    made = await bridge.command("unit", "add", name)
    wanted = {"id": name, "secret": made["secret"], "broker": "127.0.0.1", "port": bridge.mqtts_port}
    return [*bridge.authority_words(), f"provision {json.dumps(wanted)}", COMMISSION]


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.bench", description=__doc__)
    parser.add_argument(
        "what",
        choices=(
            "latency",
            "cuts",
            "latched",
            "guard",
            "contact",
            "vehicles",
            "wear",
            "families",
            "quirks",
            "readiness",
        ),
    )
    parser.add_argument(
        "--count",
        type=int,
        help=f"injections (default {INJECTIONS}), cuts (default {CUTS}), losses of the supply with a latched fault (default "
        f"{LOSSES}), freezes of each kind (default {FREEZES}), or random frames of chargers (default {quirks.FRAMES})",
    )
    parser.add_argument("--units", type=int, default=UNITS, help="number of units that run in parallel")
    parser.add_argument("--model", choices=families.MODELS, help="families: only this model")
    parser.add_argument("--short", action="store_true", help="families: with shorter waits than the product's")
    parser.add_argument("--nights", type=int, default=NIGHTS, help="readiness: number of nights")
    parser.add_argument("--night", type=int, help="readiness: print the course of the night with this number")
    parser.add_argument("--html", type=Path, metavar="FILE", help="readiness: write the report with a plot")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.what == "contact":
        return 0 if first_contact() else 1
    if arguments.what == "vehicles":
        return 0 if vehicles.meet_everybody() else 1
    if arguments.what == "wear":
        return 0 if wear.wear_everything(arguments.seed) else 1
    if arguments.what == "families":
        models = [arguments.model] if arguments.model else families.MODELS
        pace = families.SHORT if arguments.short else families.PRODUCT
        return 0 if families.meet_all(arguments.seed, models, pace) else 1
    if arguments.what == "quirks":
        return 0 if quirks.run(arguments.count or quirks.FRAMES, arguments.seed) else 1
    if arguments.what == "readiness":
        if arguments.night is not None:
            readiness.tell_night(arguments.night)
            return 0
        held = readiness.live_and_print(arguments.nights, arguments.seed, PROCESSES, arguments.html)
        return 0 if held else 1
    units, seed = arguments.units, arguments.seed
    if arguments.what == "guard":
        print(f"seed {seed}, {units} units")
        with tempfile.TemporaryDirectory() as folder:
            return 0 if asyncio.run(_guard(units, arguments.count or FREEZES, seed, Path(folder))) else 1
    count = arguments.count or {"latency": INJECTIONS, "cuts": CUTS, "latched": LOSSES}[arguments.what]
    found: Latencies | Cuts | Latched
    with tempfile.TemporaryDirectory() as folder, bar(arguments.what, count, tally.done):
        if arguments.what == "cuts":
            found = _cuts(units, count, seed, Path(folder))
        elif arguments.what == "latched":
            found = _latched(units, count, seed, Path(folder))
        else:
            found = asyncio.run(_latency(units, count, seed, Path(folder)))
    print(*found.report(), sep="\n")
    return 0 if found.held() else 1


if __name__ == "__main__":
    sys.exit(main())
