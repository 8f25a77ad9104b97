"""The commands `make cluster` and `make cluster-stop`.

Three nodes, a PostgreSQL server and two processes of each role run on loopback as children of this process, and end with it in
any case. If one of them ends earlier, for example by `kill`, that is shown; it stays down until the user types `restart`.
"""

import argparse
import asyncio
import os
import select
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from rich.console import Console as Screen

from hil_tests.cluster.accounts import Made, make_accounts
from hil_tests.cluster.folder import kept_secret, sole_run, stop, write_environment
from hil_tests.cluster.layout import FIRST_PORT, Layout, layout
from hil_tests.cluster.processes import Processes, StartFailed
from hil_tests.cluster.summary import summary
from hil_tests.fixtures.bridge_process import CHECKOUT, BridgeFailed
from hil_tests.fixtures.nats_cluster import nats_server
from hil_tests.fixtures.postgresql import BINARIES
from hil_tests.rig.preconditions import SettingError, check_folder, check_port

LOOK_EVERY_S = 0.5
RESTART = "restart"

screen = Screen()


class Progress:
    """Prints lines with the seconds since the start, because the first run takes a while."""

    def __init__(self) -> None:
        self._started_s = time.monotonic()

    def __call__(self, what: str) -> None:
        screen.print(f"[dim]{time.monotonic() - self._started_s:5.1f} s[/]  {what}")


def main() -> int:
    """Return the exit code; 1, with one line of text, if something prevents the start."""
    parser = argparse.ArgumentParser(
        prog="python -m hil_tests.cluster",
        description="Three brokers, a PostgreSQL and two processes of each role on this machine, until Ctrl-C.",
    )
    parser.add_argument(
        "--folder", type=Path, default=CHECKOUT / "var" / "cluster", help="folder for data, kept between runs"
    )
    parser.add_argument("--first-port", type=int, default=FIRST_PORT, help="the first of consecutive ports")
    parser.add_argument("--stop", action="store_true", help="end the cluster that runs in the folder")
    options = parser.parse_args()
    folder: Path = options.folder.absolute()
    try:
        if options.stop:
            print("the cluster is stopped" if stop(folder) else "no cluster runs here")
            return 0
        check_folder(folder, "--folder")
        with sole_run(folder):
            where = layout(options.first_port)
            _check(where)
            return _run(folder, where)
    except (SettingError, StartFailed, BridgeFailed, TimeoutError) as error:
        print(f"chargekeeper: {error}", file=sys.stderr)
        return 1


def _check(where: Layout) -> None:
    if not BINARIES:
        raise SettingError("PostgreSQL is not installed: apt-get install postgresql")
    try:
        nats_server()
    except FileNotFoundError as error:
        raise SettingError(str(error)) from error
    for port, what in where.ports:
        check_port(port, what, "--first-port")


def _run(folder: Path, where: Layout) -> int:
    _end_by_sigterm()
    processes = Processes(folder, where, kept_secret(folder))
    try:
        made = _start(processes, where, Progress())
        screen.print(summary(folder, where, processes, made))
        _watch(processes)
    except KeyboardInterrupt:
        pass
    finally:
        screen.print("stopping …")
        processes.stop()
    return 0


def _start(processes: Processes, where: Layout, progress: Progress) -> Made:
    progress("PostgreSQL starts")
    database = processes.start_database()
    progress("three nodes start")
    processes.start_nodes()
    ours = {
        "CHARGEKEEPER_DATA": str(processes.folder / "data"),
        "CHARGEKEEPER_DATABASE": database,
        "CHARGEKEEPER_NATS": str(processes.nats_file),
        "CHARGEKEEPER_PUBLIC_URL": f"http://127.0.0.1:{where.workers[0].port}",
    }
    write_environment(processes.folder, ours)
    processes.environment = os.environ | ours
    progress("the unit and the logins are made")
    made = asyncio.run(make_accounts(processes.folder, processes.environment))
    progress("two processes of each role start")
    processes.start_workers(progress)
    return made


def _watch(processes: Processes) -> None:
    """Report processes that end, until Ctrl-C."""
    listens = sys.stdin.isatty()
    while True:
        for one in processes.ended():
            how = f"killed by {signal.Signals(-one.code).name}" if one.code < 0 else f"exit code {one.code}"
            screen.print(f"[red]{one.name} (process {one.pid}) has ended: {how}[/]; type {RESTART} to start it again")
        if _typed(listens) == RESTART:
            try:
                screen.print(f"started again: {', '.join(processes.restart()) or 'nothing had ended'}")
            except StartFailed as failure:
                screen.print(f"[red]{failure}[/]")


def _typed(listens: bool) -> str:
    """Return a line from the terminal, or "" if there is none within LOOK_EVERY_S."""
    if not listens:
        time.sleep(LOOK_EVERY_S)
        return ""
    ready, _, _ = select.select([sys.stdin], [], [], LOOK_EVERY_S)
    return sys.stdin.readline().strip() if ready else ""


def _end_by_sigterm() -> None:
    """Handle SIGTERM like Ctrl-C."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
