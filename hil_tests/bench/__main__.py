"""`python -m hil_tests.bench latency|cuts`: what charging promises, measured on running units. Exits 1 if it is not held."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from hil_tests.bench.cuts import CutBench, Cuts
from hil_tests.bench.latency import Bench, Latencies
from hil_tests.bench.yardstick import Yardstick
from hil_tests.bridge import Bridge
from hil_tests.conftest import free_ports

LIMIT_MS = 40  # the standard wants 100 (IEC 61851-1 table A.6, sequences 7 and 8.1)
BUCKET_MS = 5
BAR = 50


async def _measure(units: int, injections: int, seed: int) -> Latencies:
    together = Latencies()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        http_port, mqtt_port = free_ports(2)
        bridge = Bridge(http_port, mqtt_port, folder)
        await bridge.start()
        yardstick = Yardstick()
        measuring = asyncio.create_task(yardstick.lie_beside())
        try:
            names = [f"CK-{number}" for number in range(units)]
            secrets = [(await bridge.command("unit", "add", name))["secret"] for name in names]
            benches = [Bench(folder / str(number), seed + number) for number in range(units)]
            share = injections // units
            async with asyncio.TaskGroup() as group:
                injecting = [
                    group.create_task(bench.inject(share, bridge, *who))
                    for bench, *who in zip(benches, names, secrets, strict=True)
                ]
            for task in injecting:
                together.join(task.result())
            together.idle_worst_ms = yardstick.worst_ms
        finally:
            measuring.cancel()
            await bridge.stop()
    return together


def _print(latencies: Latencies) -> None:
    times = latencies.all()
    print(f"fault or unplug on the wires -> command to open the contactor, {len(times)} injections")
    for start in range(0, int(times[-1]) + 1, BUCKET_MS):
        count = sum(start <= ms < start + BUCKET_MS for ms in times)
        print(f"  {start:3} .. {start + BUCKET_MS:3} ms {count:6} {'#' * -(-BAR * count // len(times))}")
    for cause, some in sorted(latencies.by_cause.items()):
        print(f"  {cause:12} {len(some):6}  worst {max(some):5.1f} ms")
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    print(f"  p50 {p50:.1f}  p99 {p99:.1f}  worst {times[-1]:.1f} ms, limit {LIMIT_MS} ms")
    steps, so_far = sum(latencies.steps.values()), 0
    print(f"  {steps} steps of the control loop, meant to be 20 ms apart, by the firmware's own clock:")
    for distance, count in latencies.steps.items():
        so_far += count
        print(f"    within {distance or 'more':>4} ms {count:8}  {100 * so_far / steps:8.4f} %")
    print(f"  worst of an idle loop of MicroPython beside them: {latencies.idle_worst_ms} ms")
    print(f"  TLS and MQTT were up in {latencies.proven} of {latencies.looks} looks")


async def _cut(units: int, count: int, seed: int) -> Cuts:
    with tempfile.TemporaryDirectory() as folder:
        benches = [CutBench(Path(folder) / str(number), seed + number) for number in range(units)]
        found = await asyncio.gather(*[bench.cut(count // units) for bench in benches])
    together = Cuts()
    for cuts in found:
        together.count += cuts.count
        together.boot_to_c2_s += cuts.boot_to_c2_s
        together.lost_wh += cuts.lost_wh
        together.wrong += cuts.wrong
    return together


def _print_cuts(cuts: Cuts) -> None:
    print(f"mains cuts at random instants of a charge, {cuts.count} cuts, {len(cuts.boot_to_c2_s)} looks")
    if cuts.boot_to_c2_s:
        times = sorted(cuts.boot_to_c2_s)
        print(f"  mains back to C2: p50 {times[len(times) // 2]:.2f}  worst {times[-1]:.2f} s, limit 5 s")
    if cuts.lost_wh:
        print(f"  energy lost: worst {max(cuts.lost_wh):.1f} Wh, limit 20 Wh (10 s of charging)")
    print(f"  wrong: {len(cuts.wrong)}", *cuts.wrong[:10], sep="\n    ")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.bench", description=__doc__)
    parser.add_argument("what", choices=("latency", "cuts"))
    parser.add_argument("--count", type=int, help="injections (default 2000), or cuts (default 200)")
    parser.add_argument("--units", type=int, default=8, help="that run side by side")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.what == "cuts":
        cuts = asyncio.run(_cut(arguments.units, arguments.count or 200, arguments.seed))
        _print_cuts(cuts)
        return 1 if cuts.wrong else 0
    latencies = asyncio.run(_measure(arguments.units, arguments.count or 2000, arguments.seed))
    _print(latencies)
    return 1 if latencies.all()[-1] > LIMIT_MS else 0


if __name__ == "__main__":
    sys.exit(main())
