"""`python -m hil_tests.siege [--minutes N] [--seed S] [--units 200] [--readers 20] [--only ATTACKER ...]`

A siege of a running bridge on loopback. Attackers, one module each in attackers/, do all that a stranger, a driver and a
unit can do at once, while good units and readers go on in processes of their own. Prints each figure beside its bound, what
the attackers did, and the load of the machine; exits 1 if a bound is broken. The same seed makes each attacker choose the
same in the same order. Attackers run with a lower priority than bridge, units and readers: theirs would be other machines.
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
SHOWN = 20  # faults of each kind


def main() -> int:
    """Exit code 1 if a bound is broken; the bridge's folder is kept then."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.siege", description=__doc__.partition("\n\n")[2])
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--units", type=int, default=UNITS, help="good ones, a message every 5 s each")
    parser.add_argument("--readers", type=int, default=READERS, help="people who look at a page a second each")
    parser.add_argument("--only", nargs="+", choices=ATTACKERS, default=list(ATTACKERS), help="attackers (default all)")
    asked = parser.parse_args()
    print(f"seed {asked.seed}; load of the machine {_load()}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="chargekeeper-siege-"))
    plan = Plan(asked.minutes * 60, asked.seed, asked.units, asked.readers, tuple(asked.only))
    outcome = besiege(folder, plan)
    _report(outcome)
    if any(one.is_broken for one in outcome.figures):
        print(f"the bridge's log and store are in {folder}; again with --seed {asked.seed}")
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
    """The average of one minute."""
    return f"{os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    sys.exit(main())
