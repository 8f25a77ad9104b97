"""What `make run` does: the whole system on this machine.

One virtual unit with its panel in this process, its firmware in a child, the cloud side in another. If
one of them stops it is said here, and the others go on; but a firmware that never ran is an error.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys

from rich.console import Console as Screen
from rich.panel import Panel
from rich.table import Table

from hil_tests.demo import demo_car
from hil_tests.demo.installation import LOGIN, Installation
from hil_tests.demo.settings import VARIABLES, Settings, check, read_settings
from hil_tests.fixtures.bridge_process import BridgeFailed, BridgeProcess
from hil_tests.rig.console import ConsoleError, ConsoleSilent
from hil_tests.rig.panel.server import serving
from hil_tests.rig.preconditions import SettingError
from hil_tests.rig.processor import FirmwareDied
from hil_tests.rig.unit import Unit

HEARTBEAT_S = {"heartbeat_idle_s": 15, "heartbeat_charging_s": 10}  # a visitor does not wait five minutes
CONSOLE_WITHIN_S = 30

screen = Screen()


async def run(settings: Settings) -> None:
    """Everything, until Ctrl-C or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    bridge = BridgeProcess(settings.http_port, settings.mqtt_port, settings.folder)
    unit = Unit(settings.unit_folder, alarm=_complain)
    account = demo_car.open_account(unit, settings.folder, bridge.address)
    await unit.start()
    try:
        async with serving(unit, settings.panel_port, account) as panel, asyncio.TaskGroup() as tasks:
            demo_car.introduce(settings.folder, bridge.address, panel)
            work = [tasks.create_task(_cloud(settings, bridge, unit, panel))]
            await stop.wait()
            for task in work:
                task.cancel()
    finally:
        screen.print("stopping …")
        await unit.stop()
        await bridge.stop()


async def _cloud(settings: Settings, bridge: BridgeProcess, unit: Unit, panel: str) -> None:
    """Brings up the cloud side, introduces the unit to it, and watches it."""
    try:
        await bridge.start()
        installation = Installation(settings.folder)
        secret = await _unit_secret(bridge, installation, settings.unit_id)
        password = await _login(bridge, installation, settings.unit_id)
        await unit.answers(CONSOLE_WITHIN_S)
    except BridgeFailed as failure:
        await unit.answers(CONSOLE_WITHIN_S)
        _complain(f"the cloud side is not there: {failure}")
        screen.print(f"the unit charges without it; panel {panel}")
        return
    screen.print(_summary(settings, bridge, panel, installation, password))
    await _provision(unit, settings, secret, bridge)
    said = await bridge.ended()
    _complain(f"the cloud side stopped, {said}\nThe unit charges on. The log is {bridge.log}")


async def _login(bridge: BridgeProcess, installation: Installation, unit_id: str) -> str | None:
    """The password of the login, who owns the unit, if it has just been made; None if it was made before."""
    if installation.login is not None:
        return None
    made = await bridge.command("user", "add", LOGIN, "--role", "driver")
    unit = installation.unit(unit_id)
    if unit is not None:
        await bridge.command("unit", "claim", unit["claim_code"], LOGIN)
    installation.remember_login(made["user"])
    password: str = made["password"]
    return password


async def _unit_secret(bridge: BridgeProcess, installation: Installation, unit_id: str) -> str:
    known = installation.unit(unit_id)
    if known is None:
        known = await bridge.command("unit", "add", unit_id)
        installation.remember_unit(unit_id, known)
    return known["secret"]


async def _provision(unit: Unit, settings: Settings, secret: str, bridge: BridgeProcess) -> None:
    """Tells the unit over its service console who it is and whom to call."""
    wanted = {
        "id": settings.unit_id,
        "secret": secret,
        "broker": "127.0.0.1",
        "port": bridge.mqtts_port,
        "installer_max_a": 32,
        "tethered": False,
        **HEARTBEAT_S,
    }
    try:
        async with asyncio.timeout(CONSOLE_WITHIN_S):
            while True:
                with contextlib.suppress(ConsoleSilent):
                    for words in (*bridge.authority_words(), f"provision {json.dumps(wanted)}"):
                        await unit.ask(words)
                    return
                await asyncio.sleep(0.2)
    except ConsoleError as refused:
        _complain(f"the unit refused its settings: {refused}")
    except TimeoutError:
        _complain(f"the unit's console did not answer within {CONSOLE_WITHIN_S} s")


def _summary(
    settings: Settings, bridge: BridgeProcess, panel: str, installation: Installation, password: str | None
) -> Panel:
    lines = Table.grid(padding=(0, 2))
    lines.add_row("dashboard", f"[bold link={bridge.address}]{bridge.address}[/]", "what the driver sees")
    lines.add_row("panel", f"[bold link={panel}]{panel}[/]", "the unit on its wall: plug in, cut the network, …")
    lines.add_row("login", f"[bold]{installation.login}[/]", "")
    if password is not None:
        lines.add_row("password", f"[bold]{password}[/]", "[yellow]printed this once[/]")
    else:
        anew = f"{os.path.relpath(sys.executable)} -m cloud_bridge user password {installation.login}"
        lines.add_row("password", "printed when it was made", f"a new one: [bold]{anew}[/]")
    lines.add_row("unit", settings.unit_id, f"its data and the cloud's: {settings.folder}")
    return Panel(lines, title="Chargekeeper", subtitle="Ctrl-C ends it", expand=False, border_style="green")


def _complain(what: str) -> None:
    screen.print(f"[red]{what}[/]")


def main() -> int:
    """The command line: exit code 1 if a setting is in the way, in one line, or the firmware died, with its last words."""
    argparse.ArgumentParser(
        prog="python -m hil_tests",
        description="The whole system on this machine, until Ctrl-C.",
        epilog=f"Settings, from the environment: {', '.join(VARIABLES)}.",
    ).parse_args()
    try:
        settings = read_settings(os.environ)
        check(settings)
        return _run(settings)
    except SettingError as error:
        print(f"chargekeeper: {error}", file=sys.stderr)
        return 1


def _run(settings: Settings) -> int:
    code = 0
    try:
        asyncio.run(run(settings))
    except* FirmwareDied as died:
        print(f"chargekeeper: {died.exceptions[0]}", file=sys.stderr)
        code = 1
    return code
