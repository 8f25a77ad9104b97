"""`python -m hil_tests.cortex_m`: build the 32-bit machine and print what the firmware needs on it, against the
budgets.

`--build` only builds. `--if-built` measures only if the machine is built already, and never fetches anything.
"""

import argparse
import sys

from hil_tests.cortex_m import figures
from hil_tests.environment.cortex_m import build
from hil_tests.environment.errors import SetUpError


def main() -> int:
    """Run the command line. Return 1 if a budget is exceeded, and 2 without a machine."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.cortex_m")
    parser.add_argument("--build", action="store_true")
    parser.add_argument("--if-built", action="store_true")
    wanted = parser.parse_args()
    if wanted.if_built and not figures.is_built():
        print("\n32 bits: `make cortex-m` builds the machine on which this is measured")
        return 0
    try:
        if wanted.build:
            for machine in ("bare", "frozen"):
                build(machine)
            return 0
        found = figures.measure()
    except SetUpError as error:
        print(f"no 32-bit machine: {error}", file=sys.stderr)
        return 2
    print("\n32 bits (Cortex-M3):")
    print("\n".join(figures.table(found)))
    over = figures.broken(found)
    print("\n".join(over), file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
