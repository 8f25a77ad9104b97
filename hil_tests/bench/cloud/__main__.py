"""`python -m hil_tests.bench.cloud [NAME ...]`: measure what the cloud side promises. Exits with 1 if it is not held."""

import sys
from collections.abc import Callable

from hil_tests.bench.cloud.fleet import fleet
from hil_tests.bench.cloud.live import live
from hil_tests.bench.cloud.logins import logins
from hil_tests.bench.cloud.ocpp_fleet import ocpp_fleet
from hil_tests.bench.cloud.ocpp_outages import ocpp_outages
from hil_tests.bench.cloud.outages import outages
from hil_tests.bench.cloud.pages import pages
from hil_tests.bench.cloud.revoked import revoked
from hil_tests.bench.cloud.slow_maker import slow_maker
from hil_tests.bench.cloud.throughput import embedded, ocpp_door, outside

BENCHES: dict[str, Callable[[], bool]] = {
    "embedded": embedded,
    "outside": outside,
    "ocpp": ocpp_door,
    "ocpp-fleet": ocpp_fleet,
    "ocpp-outages": ocpp_outages,
    "fleet": fleet,
    "live": live,
    "logins": logins,
    "pages": pages,
    "outages": outages,
    "slow-maker": slow_maker,
    "revoked": revoked,
}


def main(names: list[str]) -> int:
    unknown = set(names) - set(BENCHES)
    if unknown:
        print(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    fallen_short = [name for name in names or BENCHES if not BENCHES[name]()]
    if fallen_short:
        print(f"not held: {', '.join(fallen_short)}")
    return int(bool(fallen_short))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
