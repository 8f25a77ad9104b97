"""`python -m hil_tests.bench.scale NAME [--rounds N] [--seed N]`: what several processes on one PostgreSQL promise, measured.

Exits 1 if it is not held.
"""

import argparse
import sys
from collections.abc import Callable

from hil_tests.bench.scale.alerts import alerts

BENCHES: dict[str, Callable[[int, int], bool]] = {  # given the number of rounds and the seed
    "alerts": alerts,
}
ROUNDS = 50


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.bench.scale", description=__doc__)
    parser.add_argument("what", choices=sorted(BENCHES))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    return 0 if BENCHES[arguments.what](arguments.rounds, arguments.seed) else 1


if __name__ == "__main__":
    sys.exit(main())
