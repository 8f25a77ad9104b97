"""The time from power-on to registered, to TCP open, and to the first contact, relative to the modem's own delays."""

from collections.abc import Iterable

from hil_tests.bench.modem.charge_point import ChargePoint
from hil_tests.sim.modem.world_file import scene

RATIO = 1.1
SEEDS = range(1, 11)
# What the modem and its network do in sequence. "Call Ready" comes in parallel, and nothing waits for it.
TO_REGISTERED = ("boot", "sim_ready", "register", "attach", "turnaround")
TO_CONNECTED = (*TO_REGISTERED, "pdp_activate", "connect", "shut")


def _ratios(seed: int) -> tuple[float, float, float]:
    """Return the ratio to registered, the ratio to TCP open, and the seconds to the first contact."""
    unit = ChargePoint(scene({}, seed))
    reached: dict[str, float] = {}
    delays: dict[str, float] = {}

    def look() -> bool:
        now = {
            "on": unit.modem.running,
            "registered": unit.uplink.state == "registered",
            "connected": bool(unit.broker.accepted),
            "contact": bool(unit.broker.contacts),
        }
        for name in [name for name, is_reached in now.items() if is_reached and name not in reached]:
            reached[name] = unit.loop.time()
            delays[name] = _sum_s(unit.modem.world.waited, TO_CONNECTED if name == "connected" else TO_REGISTERED)
        return "contact" in reached

    unit.run(60, look)
    reached["connected"] = unit.broker.accepted[0]
    unit.close()
    took_s = {name: at_s - reached["on"] for name, at_s in reached.items()}
    return took_s["registered"] / delays["registered"], took_s["connected"] / delays["connected"], took_s["contact"]


def _sum_s(waited: Iterable[tuple[str, int]], names: tuple[str, ...]) -> float:
    return sum(ms for name, ms in waited if name in names) / 1000


def run() -> bool:
    """Print the worst of ten seeds. Return True if the ratio holds."""
    found = [_ratios(seed) for seed in SEEDS]
    registered, connected, contact_s = (max(column) for column in zip(*found, strict=True))
    print(
        f"power-on over the modem's own delays, worst of {len(found)}: to registered {registered:.3f},"
        f" to TCP open {connected:.3f}, hold {RATIO}; first contact after {contact_s:.1f} s"
    )
    return bool(max(registered, connected) <= RATIO)
