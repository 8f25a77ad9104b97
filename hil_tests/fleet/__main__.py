"""`python -m hil_tests.fleet [SCENARIO] [--units N]`: a fleet of simulated units, and proof that nothing is lost.

Each unit has its own connection and speaks the real wire format. At the end, each acknowledged message is looked up in the
database. Exits with 1 if a message is lost, doubled or has a false stamp. With the same seed, the same units do the same.

One process can run as many units as it may have open files (`ulimit -Hn`), and the same holds for the broker: 100,000
concurrent units need 100,000 files on both sides. On smaller machines, use `sleeping`: units connect, publish and disconnect,
with a login each time.

Against a cluster that was started separately:
    umask 077; python -m cloud_bridge unit add --file ids.txt --json > secrets.json
    CHARGEKEEPER_DATABASE=... python -m hil_tests.fleet reconnect --against host:port,host:port --secrets secrets.json
"""

import argparse
import json
import os
import random
import resource
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from hil_tests.cluster.processes import StartFailed
from hil_tests.fixtures.bridge_process import BridgeFailed
from hil_tests.fleet.clouds import CLUSTER, EMBEDDED, MOSQUITTO, Doors, OthersCloud, OwnCloud
from hil_tests.fleet.link import Door
from hil_tests.fleet.own_cluster import OwnCluster
from hil_tests.fleet.report import Run, as_json, page, rows
from hil_tests.fleet.run import Plan, run
from hil_tests.fleet.scenarios import KILLS, KILLS_OF_CLUSTER, SCENARIOS, Cast
from hil_tests.fleet.workers import WorkerFailed

UNITS = 1000
EVERY_S = 60.0
LOGINS_PER_S = 150  # for the first connection of the units
UNITS_OF_PROCESS = 10_000
KEPT_FILES = 100  # files of a process other than its connections


def main() -> int:
    """Return exit code 1 for a lost or doubled message or a false stamp, and 2 for what is impossible here."""
    parser = _parser()
    asked = parser.parse_args()
    seed = random.randrange(10**6) if asked.seed is None else asked.seed
    plan = _plan(asked, seed)
    if (reason := _impossible(asked, plan)) is not None:
        parser.error(reason)
    again = f"python -m hil_tests.fleet {' '.join(sys.argv[1:])}{'' if asked.seed is not None else f' --seed {seed}'}"
    print(f"seed {seed}; {plan.cast.units:,} units in {plan.processes} processes: {plan.scenario.about}", flush=True)
    with tempfile.TemporaryDirectory(prefix="chargekeeper-fleet-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if asked.against:
            doors = Doors(_doors(asked.against), _doors(asked.against_tls), asked.ca)
            against = OthersCloud(doors, asked.database, asked.secrets)
            done = run(folder, against, plan, f"{plan.scenario.about}; against {asked.against}", again)
        else:
            cloud = _own_cloud(folder, asked, plan)
            try:
                store = "PostgreSQL" if asked.postgresql or asked.broker == CLUSTER else "SQLite"
                done = run(folder, cloud, plan, f"{plan.scenario.about}; {asked.broker} broker, {store}", again)
            except (BridgeFailed, StartFailed, WorkerFailed) as failure:
                print(f"{failure}\n{cloud.log_tail()}", file=sys.stderr)
                return 1
            finally:
                cloud.close()
    _show(done)
    if asked.json is not None:
        asked.json.write_text(json.dumps(as_json(done), indent=1) + "\n")
    if asked.html is not None:
        asked.html.write_text(page(done))
    return 0 if done.verdict.is_good and done.verdict.acknowledged and not done.real else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hil_tests.fleet", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    about = "; ".join(f"{name}: {scenario.about}" for name, scenario in SCENARIOS.items())
    parser.add_argument("scenario", nargs="?", choices=SCENARIOS, default="steady", help=about)
    parser.add_argument("--units", type=int, default=UNITS)
    parser.add_argument("--every", type=float, default=EVERY_S, help="seconds between heartbeats (60)")
    parser.add_argument("--seconds", type=float, help="duration after all have connected (the scenario's own)")
    parser.add_argument(
        "--ramp", type=float, help=f"seconds for the first connection of all units ({LOGINS_PER_S} units a second)"
    )
    parser.add_argument("--processes", type=int, help=f"processes that run the units (one for {UNITS_OF_PROCESS:,})")
    parser.add_argument(
        "--addresses",
        type=int,
        default=64,
        help="number of loopback addresses of the units; 0: the system's choice (64)",
    )
    parser.add_argument("--tls", type=float, default=0.0, metavar="SHARE", help="share of units that use TLS, 0 to 1")
    parser.add_argument("--real", type=int, default=0, help="additional units with the real firmware")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--broker", choices=(EMBEDDED, MOSQUITTO, CLUSTER), default=EMBEDDED)
    parser.add_argument("--known", type=int, default=0, help="additional units in a cluster's store that never connect")
    parser.add_argument("--postgresql", action="store_true", help="use a new PostgreSQL server instead of SQLite")
    parser.add_argument("--against", metavar="HOST:PORT,...", help="doors of a broker that is already running")
    parser.add_argument("--against-tls", metavar="HOST:PORT,...", default="", help="its doors with TLS")
    parser.add_argument(
        "--database", metavar="URL", help="database of that cloud: postgresql://... or the path of a SQLite file"
    )
    parser.add_argument(
        "--secrets", type=Path, metavar="FILE", help="its units, as `unit add --file --json` prints them"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as HTML, with charts")
    return parser


def _own_cloud(folder: Path, asked: argparse.Namespace, plan: Plan) -> OwnCloud | OwnCluster:
    if asked.broker == CLUSTER:
        return OwnCluster(folder, asked.known)
    return OwnCloud(folder, asked.broker, asked.postgresql, plan.cast.tls > 0 or plan.real > 0)


def _plan(asked: argparse.Namespace, seed: int) -> Plan:
    scenario = SCENARIOS[asked.scenario]
    if asked.seconds is not None:
        scenario = scenario._replace(seconds=asked.seconds)
    ramp_s = asked.units / LOGINS_PER_S if asked.ramp is None else asked.ramp
    processes = asked.processes or -(-asked.units // UNITS_OF_PROCESS)
    cast = Cast(asked.units, ramp_s, asked.tls)
    is_near = not asked.against or all(door.host.startswith("127.") for door in _doors(asked.against))
    return Plan(scenario, cast, seed, asked.every, processes, asked.addresses if is_near else 0, asked.real)


def _impossible(asked: argparse.Namespace, plan: Plan) -> str | None:
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    if plan.cast.units < 1 or not 0 <= plan.cast.tls <= 1:
        return "there has to be a unit, and the share with TLS is from 0 to 1"
    if plan.cast.units / plan.processes + KEPT_FILES > files:
        return f"a process may have {files:,} open files here (ulimit -Hn): more --processes, or fewer units"
    if any(urlsplit(word.partition("=")[2] or word).password for word in sys.argv if "://" in word):
        return "others can read arguments: put a URL with a password into CHARGEKEEPER_DATABASE"
    if asked.against and (asked.database is None or asked.secrets is None):
        return "--against needs --database and --secrets"
    kills = {step.do for step in plan.scenario.steps} & set(KILLS)
    if asked.against and kills:
        return "this scenario kills processes, and those of others are not ours to kill: see --help for the others"
    if kills and (asked.broker == CLUSTER) != (kills <= set(KILLS_OF_CLUSTER)):
        return "a scenario that kills a node or a worker is for --broker cluster, one that kills the bridge is not"
    if (plan.cast.tls or plan.real) and asked.broker == CLUSTER and not asked.against:
        return "the cluster has no certificate here: --tls and --real are for the embedded broker, or --against"
    if plan.cast.tls and asked.broker == MOSQUITTO and not asked.against:
        return "mosquitto has no certificate here: --tls is for the embedded broker, or --against"
    return None


def _doors(text: str) -> list[Door]:
    return [Door(host, int(port)) for host, _, port in (one.rpartition(":") for one in text.split(",") if one)]


def _show(done: Run) -> None:
    table = Table(title=done.about, show_header=False, title_justify="left")
    for row in rows(done):
        table.add_row(row.name, row.value, style="bold red" if row.is_bad else None)
    Console(width=max(100, min(160, os.get_terminal_size().columns)) if sys.stdout.isatty() else 140).print(table)
    for fault in done.verdict.faults:
        print(f"FAULT {fault}")
    print(done.again)


if __name__ == "__main__":
    sys.exit(main())
