"""The whole uplink on the modem of each family: a lost context, a restart, a hang, and a network that passes no data.

The faults are a selection from faults.py, in virtual time.
"""

from hil_tests.bench.modem.faults import FAULTS, outcome
from hil_tests.sim.modem.personality import BY_NAME

PLAYED = (
    "PDP context taken away",
    "modem hangs",
    "modem restarts (brown-out)",
    "best signal has no data from the start",
    "best signal has no data, the other is forbidden",
)


def run(seed: int = 1) -> bool:
    """Print a line for each personality and fault. Return True if all held."""
    print(f"{'modem':10} {'fault':40} {'contact after':>13}  switches")
    held = True
    for model in BY_NAME:
        for fault in FAULTS:
            if fault.name in PLAYED:
                one = outcome(fault._replace(world={**fault.world, "model": model}), seed)
                held = held and one.held
                after = "" if one.contact_s is None else f"{one.contact_s:.1f} s"
                mark = "" if one.held else "  <- NOT HELD"
                print(f"{model:10} {fault.name:40} {after:>13}  {one.switches:8}{mark}", flush=True)
    return held
