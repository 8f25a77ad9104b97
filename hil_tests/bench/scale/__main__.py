"""`python -m hil_tests.bench.scale pages|hearing`: what is promised of a large fleet, measured. Exits 1 if it is not held."""

import argparse
import sys
from collections.abc import Callable

from hil_tests.bench.scale.hearing import hearing
from hil_tests.bench.scale.pages import pages

BENCHES: dict[str, Callable[[argparse.Namespace], bool]] = {
    "pages": lambda chosen: pages(chosen.units, chosen.database, chosen.count),
    "hearing": lambda _chosen: hearing(),
}


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.bench.scale", description=__doc__)
    parser.add_argument("what", choices=BENCHES)
    parser.add_argument("--units", type=int, default=1_000_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--count", type=int, default=200, help="of times that each page is asked for")
    chosen = parser.parse_args()
    return 0 if BENCHES[chosen.what](chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
