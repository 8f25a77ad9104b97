"""`python -m hil_tests.siege [--minutes N] [--seed S] [--units 200] [--readers 20] [--only ATTACKER ...]`

A siege of a running bridge on loopback. Attackers, one module each in attackers/, do all that a stranger, a driver or a unit
can do, at the same time, while separate processes run good units and readers. The command prints each figure beside its limit,
what the attackers did, and the load of the machine; it exits with 1 if a figure exceeds its limit. With the same seed, each
attacker makes the same choices in the same order. Attackers run with a lower priority than bridge, units and readers, because
in reality they run on other machines.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
from pathlib import Path

from hil_tests.siege.siege import ATTACKERS, Outcome, Plan, besiege

MINUTES, UNITS, READERS = 2.0, 200, 20
SHOWN = 20  # of each kind of fault


def main() -> int:
    """Return exit code 1, and keep the bridge's folder, if a figure exceeds its limit."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.siege", description=__doc__.partition("\n\n")[2])
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--units", type=int, default=UNITS, help="good units, each with a message every 5 s")
    parser.add_argument("--readers", type=int, default=READERS, help="people who each load a page every second")
    parser.add_argument("--only", nargs="+", choices=ATTACKERS, default=list(ATTACKERS), help="attackers (default all)")
    asked = parser.parse_args()
    print(f"seed {asked.seed}; load of the machine {_load()}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="chargekeeper-siege-"))
    plan = Plan(asked.minutes * 60, asked.seed, asked.units, asked.readers, tuple(asked.only))
    outcome = besiege(folder, plan)
    _report(outcome)
    if any(one.is_broken for one in outcome.figures):
        print(f"the bridge's log and store are in {folder}; repeat with --seed {asked.seed}")
        return 1
    shutil.rmtree(folder)
    return 0


def _report(outcome: Outcome) -> None:
    for attack in outcome.attacks:
        for fault in attack.faults[:SHOWN]:
            print(f"FAULT found by {attack.name}: {fault}")
    for line in outcome.log_faults[:SHOWN]:
        print(f"FAULT in the log: {line}")
    print(*outcome.details, sep="\n")
    print(*outcome.figures, sep="\n")
    print(f"load of the machine {_load()}, {os.cpu_count()} processors")


def _load() -> str:
    """Return the load average of one minute."""
    return f"{os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    sys.exit(main())
