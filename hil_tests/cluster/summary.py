"""The summary that is printed when a cluster runs: addresses, logins, and what to try."""

import os
import sys
from pathlib import Path

from rich.console import Group
from rich.panel import Panel
from rich.table import Table

from hil_tests.cluster.accounts import UNIT, Made
from hil_tests.cluster.folder import ENVIRONMENT
from hil_tests.cluster.layout import Layout
from hil_tests.cluster.processes import Processes
from hil_tests.demo.installation import LOGINS


def summary(folder: Path, where: Layout, processes: Processes, made: Made) -> Panel:
    rows = Table.grid(padding=(0, 2))
    for _ in range(3):
        rows.add_column(overflow="fold")  # a truncated secret would be useless
    for worker in where.workers:
        if worker.role == "web":
            address = f"http://127.0.0.1:{worker.port}"
            rows.add_row("pages", f"[bold link={address}]{address}[/]", "either shows the same")
    doors = ", ".join(f"127.0.0.1:{port}" for port in processes.doors.values())
    rows.add_row("doors", doors, "MQTT, for units")
    rows.add_row("unit", f"[bold]{UNIT}[/]", f"secret [bold]{made.unit_secret}[/]")
    for name, role in LOGINS.items():
        meant = f"[bold]{name}[/]" if name == role else f"[bold]{name}[/] ({role})"
        password = made.passwords.get(name)
        rows.add_row(
            "login", meant, f"password [bold]{password}[/]" if password else "password printed when it was made"
        )
    if made.passwords:
        rows.add_row("", "", "[yellow]passwords are printed this once[/]")
    python, file = os.path.relpath(sys.executable), os.path.relpath(folder / ENVIRONMENT)
    rows.add_row("commands", f". {file}", f"{python} -m cloud_bridge user password NAME")
    door = next(iter(processes.doors.values()))
    rows.add_row(
        "a message", f"mosquitto_pub -p {door} -i {UNIT} -u {UNIT}", f"-P SECRET -q 1 -t cp/{UNIT}/heartbeat -m '{{}}'"
    )
    rows.add_row("processes", _pids(processes), "kill one and look; type restart to start it again")
    return Panel(
        Group(rows), title="Chargekeeper, a cluster", subtitle="Ctrl-C ends it", expand=False, border_style="green"
    )


def _pids(processes: Processes) -> str:
    return "\n".join(f"{pid:>7} {name}" for name, pid in processes.pids().items())
