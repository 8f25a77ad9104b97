"""`python -m hil_tests.bench.scale logins|revocations`: what is promised of a large fleet.

Exits 1 if it is not held.
"""

import argparse
import sys
from collections.abc import Callable

from hil_tests.bench.scale.logins import logins
from hil_tests.bench.scale.revocations import revocations

BENCHES: dict[str, Callable[[argparse.Namespace], bool]] = {
    "logins": lambda chosen: logins(chosen.units),
    "revocations": lambda _chosen: revocations(),
}


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.bench.scale", description=__doc__)
    parser.add_argument("what", choices=BENCHES)
    parser.add_argument("--units", type=int, default=20_000)
    chosen = parser.parse_args()
    return 0 if BENCHES[chosen.what](chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
