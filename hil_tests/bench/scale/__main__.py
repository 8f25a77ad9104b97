"""`python -m hil_tests.bench.scale NAME`: measure what is promised of a large fleet. Exits with 1 if it is not held."""

import argparse
import sys
from collections.abc import Callable
from typing import NamedTuple

from hil_tests.bench.scale.across import across
from hil_tests.bench.scale.alerts import alerts
from hil_tests.bench.scale.conformance import conformance
from hil_tests.bench.scale.hearing import hearing
from hil_tests.bench.scale.intake import intake
from hil_tests.bench.scale.logins import logins
from hil_tests.bench.scale.nodes import nodes
from hil_tests.bench.scale.pages import pages
from hil_tests.bench.scale.peers import peers
from hil_tests.bench.scale.restart import restart
from hil_tests.bench.scale.retention import retention
from hil_tests.bench.scale.revocations import revocations
from hil_tests.bench.scale.roles import roles
from hil_tests.bench.scale.signal_bytes import signal_bytes
from hil_tests.bench.scale.start import start
from hil_tests.bench.scale.worker import worker


class Bench(NamedTuple):
    """The options of a benchmark with their defaults, and the function that runs it."""

    options: dict[str, object]
    run: Callable[..., bool]


BENCHES = {
    "alerts": Bench({"rounds": 50, "seed": 1}, alerts),
    "conformance": Bench({"rounds": 50, "seed": 1}, conformance),
    "worker": Bench({"messages": 60_000, "rounds": 5, "units": 200}, worker),
    "logins": Bench({"units": 20_000}, logins),
    "revocations": Bench({}, revocations),
    "pages": Bench({"units": 1_000_000, "database": "sqlite", "count": 200}, pages),
    "start": Bench({"units": 1_000_000}, start),
    "hearing": Bench({}, hearing),
    "nodes": Bench({"units": "1000,2000"}, nodes),
    "roles": Bench({"known": 100_000}, roles),
    "across": Bench({"count": 200}, across),
    "peers": Bench({}, peers),
    "intake": Bench({"units": "1000,100000,1000000"}, intake),
    "restart": Bench({"units": 10_000}, restart),
    "retention": Bench({"rows": 1_000_000}, retention),
    "signal-bytes": Bench({"units": 10}, signal_bytes),
}


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.bench.scale", description=__doc__)
    names = parser.add_subparsers(dest="name", required=True)
    for name, bench in BENCHES.items():
        options = names.add_parser(name)
        for option, default in bench.options.items():
            options.add_argument(f"--{option}", type=type(default), default=default)
    chosen = vars(parser.parse_args())
    return 0 if BENCHES[chosen.pop("name")].run(**chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
