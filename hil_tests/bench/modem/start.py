"""From power-on to registered, to TCP open, and to the first contact, over the sum of the modem's own delays on the way."""

from hil_tests.bench.modem.charge_point import ChargePoint
from hil_tests.sim.world_file import scene

RATIO = 1.1
SEEDS = range(1, 11)
# What the modem and its network do one after the other; "Call Ready" comes beside them, and nobody waits for it.
TO_REGISTERED = ("boot", "sim_ready", "register", "attach", "turnaround")
TO_CONNECTED = (*TO_REGISTERED, "pdp_activate", "connect", "shut")


def _ratios(seed: int) -> tuple[float, float, float]:
    """(to registered, to TCP open, seconds to the first contact)."""
    unit = ChargePoint(scene({}, seed))
    world = unit.modem.world
    unit.run(60, lambda: unit.modem.running)
    on_s = unit.loop.time()
    unit.run(60, lambda: unit.uplink.state == "registered")
    registered = (unit.loop.time() - on_s) / _sum_s(world.waited, TO_REGISTERED)
    unit.run(60, lambda: bool(unit.broker.accepted))
    connected = (unit.broker.accepted[0] - on_s) / _sum_s(world.waited, TO_CONNECTED)
    unit.run(60, lambda: bool(unit.broker.contacts))
    contact_s = unit.loop.time() - on_s
    unit.close()
    return registered, connected, contact_s


def _sum_s(waited: list[tuple[str, int]], names: tuple[str, ...]) -> float:
    return sum(ms for name, ms in waited if name in names) / 1000


def run() -> bool:
    """Prints the worst of ten seeds; true if it holds."""
    found = [_ratios(seed) for seed in SEEDS]
    registered, connected, contact_s = (max(column) for column in zip(*found, strict=True))
    print(
        f"power-on over the modem's own delays, worst of {len(found)}: to registered {registered:.3f},"
        f" to TCP open {connected:.3f}, hold {RATIO}; first contact after {contact_s:.1f} s"
    )
    return bool(max(registered, connected) <= RATIO)
