"""Run the whole system on this machine: `make run`.

One virtual unit with its panel runs in this process, its firmware in a child, the cloud side in another. A child that
ends by itself is restarted, and that is printed. A firmware that never ran is an error.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Coroutine
from typing import Any, NamedTuple

import httpx
from rich.console import Console as Screen
from rich.panel import Panel
from rich.table import Table

from hil_tests.demo import demo_car
from hil_tests.demo.browser import Browser, PageUnexpected
from hil_tests.demo.cloud import Cloud
from hil_tests.demo.folder_lock import sole_run
from hil_tests.demo.installation import INSTALLER, LOGIN, LOGINS, OPERATOR, Installation
from hil_tests.demo.month import Month, month_before, write_month
from hil_tests.demo.settings import VARIABLES, Settings, check, read_settings
from hil_tests.fixtures.bridge_process import BridgeFailed, BridgeProcess
from hil_tests.rig.commissioning import COMMISSION
from hil_tests.rig.console import ConsoleError, ConsoleSilent
from hil_tests.rig.hardware import set_meter
from hil_tests.rig.panel.server import serving
from hil_tests.rig.preconditions import SettingError, check_folder
from hil_tests.rig.processor import FirmwareDied
from hil_tests.rig.unit import Unit

HEARTBEAT_S = {"heartbeat_idle_s": 15, "heartbeat_charging_s": 10}  # short for a visitor; the default is 5 min
CONSOLE_WITHIN_S = 30

screen = Screen()


async def run(settings: Settings) -> None:
    """Run everything until Ctrl-C or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    bridge = BridgeProcess(settings.http_port, settings.mqtt_port, settings.folder)
    installation = Installation(settings.folder)
    cloud = Cloud(bridge, installation, _complain)
    progress = Progress()
    month = month_before(int(time.time() * 1000)) if installation.month_due and cloud.is_sqlite else None
    if month is not None:
        settings.unit_folder.mkdir(parents=True, exist_ok=True)
        set_meter(settings.unit_folder, month.energy_wh)
    unit = Unit(settings.unit_folder, alarm=_complain)
    account = demo_car.open_account(unit, settings.folder, bridge.address)
    progress("the unit is on its wall")
    await unit.start()
    try:
        async with serving(unit, settings.panel_port, account, cloud) as panel, asyncio.TaskGroup() as tasks:
            demo_car.introduce(settings.folder, bridge.address, panel)
            prepared = Preparation(settings, cloud, installation, month)
            work = [tasks.create_task(_cloud(prepared, unit, panel, progress))]
            await stop.wait()
            for task in work:
                task.cancel()
    finally:
        screen.print("stopping …")
        await unit.stop()
        await cloud.stop()


class Progress:
    """Print lines with the seconds since the start, because the first run takes a while."""

    def __init__(self) -> None:
        self._started_s = time.monotonic()

    def __call__(self, what: str) -> None:
        screen.print(f"[dim]{time.monotonic() - self._started_s:5.1f} s[/]  {what}")


class Preparation(NamedTuple):
    """What to set up."""

    settings: Settings
    cloud: Cloud
    installation: Installation
    month: Month | None  # of history, still to be written


async def _cloud(prepared: Preparation, unit: Unit, panel: str, progress: Progress) -> None:
    """Start the cloud side, connect the unit to it, and watch it."""
    settings, cloud, installation, month = prepared
    try:
        progress("the cloud side starts")
        await cloud.start()
        secret, passwords = await _introduce(cloud.bridge, installation, settings.unit_id, progress)
        if month is not None:
            progress("a month of history is written")
            database = settings.folder / "chargekeeper.db"
            await asyncio.to_thread(write_month, database, settings.unit_id, month, int(time.time() * 1000))
            installation.remember_month()
        await _visit_pages(cloud.bridge, installation, passwords, progress)
        progress("the unit is told its cloud")
        await unit.answers(CONSOLE_WITHIN_S)
    except BridgeFailed as failure:
        await unit.answers(CONSOLE_WITHIN_S)
        _complain(f"the cloud side is not there: {failure}")
        screen.print(f"the unit charges without the cloud; panel {panel}")
        return
    await _provision(unit, settings, secret, cloud.bridge)
    screen.print(_summary(settings, cloud.bridge, panel, passwords, installation.operator_key is not None))
    for name in passwords:
        installation.remember_login(name)
    await cloud.watch()


async def _introduce(
    bridge: BridgeProcess, installation: Installation, unit_id: str, progress: Progress
) -> tuple[str, dict[str, str]]:
    """Return the unit's secret, and the passwords of new logins by name. The driver owns the unit; the installer is
    assigned to it.

    A first run that was interrupted may have done part of this, so each of these commands may be repeated. Raises
    BridgeFailed.
    """
    missing = [name for name in LOGINS if name not in installation.logins]
    unit = installation.unit(unit_id)
    if missing:
        progress(f"logins are made: {', '.join(missing)}")
    if unit is None:
        unit = await _to_its_end(_add_unit(bridge, installation, unit_id))
    if not missing:
        return unit["secret"], {}
    was_begun = installation.begin_logins()
    added = await bridge.commands(*(("user", "add", name, "--role", LOGINS[name]) for name in missing))
    ours = []
    for name, answer in zip(missing, added, strict=True):
        if was_begun or not isinstance(answer, BridgeFailed):
            ours.append(name)
        else:  # the user's own login of that name
            installation.remember_login(name)
    answers = await bridge.commands(
        *(("user", "password", name) for name in ours),
        ("unit", "claim", unit["claim_code"], LOGIN),
        ("unit", "assign", unit_id, INSTALLER),
    )
    made = [answer for answer in answers if not isinstance(answer, BridgeFailed)]
    if len(made) < len(answers):
        raise next(answer for answer in answers if isinstance(answer, BridgeFailed))
    return unit["secret"], {name: login["password"] for name, login in zip(ours, made, strict=False)}


async def _add_unit(bridge: BridgeProcess, installation: Installation, unit_id: str) -> dict[str, str]:
    unit = await bridge.command("unit", "add", unit_id)
    installation.remember_unit(unit_id, unit)
    return unit


async def _to_its_end(step: Coroutine[Any, Any, dict[str, str]]) -> dict[str, str]:
    """Finish a step that cannot be repeated before Ctrl-C ends the run: a secret is printed only once."""
    task = asyncio.ensure_future(step)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


async def _visit_pages(
    bridge: BridgeProcess, installation: Installation, passwords: dict[str, str], progress: Progress
) -> None:
    """Do what people with a new login would do first. If a page is not as expected, the visitor can do it themselves."""
    try:
        if LOGIN in passwords:
            progress("the driver connects a car account")
            async with Browser(bridge.address) as browser:
                await browser.log_in(LOGIN, passwords[LOGIN])
                await browser.connect_vehicle(demo_car.PROVIDER)
        if OPERATOR in passwords and installation.operator_key is None:
            progress("the operator sets up a second factor")
            async with Browser(bridge.address) as browser:
                await browser.log_in(OPERATOR, passwords[OPERATOR])
                installation.remember_operator_key(await browser.set_up_second_factor())
    except (httpx.HTTPError, PageUnexpected) as failure:
        _complain(f"not everything was prepared: {failure!r}")


async def _provision(unit: Unit, settings: Settings, secret: str, bridge: BridgeProcess) -> None:
    """Provision the unit over its service console."""
    wanted = {
        "id": settings.unit_id,
        "secret": secret,
        "broker": "127.0.0.1",
        "port": bridge.mqtts_port,
        "tethered": False,
        **HEARTBEAT_S,
    }
    try:
        async with asyncio.timeout(CONSOLE_WITHIN_S):
            while True:
                with contextlib.suppress(ConsoleSilent):
                    for words in (*bridge.authority_words(), f"provision {json.dumps(wanted)}", COMMISSION):
                        await unit.ask(words)
                    return
                await asyncio.sleep(0.2)
    except ConsoleError as refused:
        _complain(f"the unit refused its settings: {refused}")
    except TimeoutError:
        _complain(f"the unit's console did not answer within {CONSOLE_WITHIN_S} s")


def _summary(settings: Settings, bridge: BridgeProcess, panel: str, passwords: dict[str, str], has_app: bool) -> Panel:
    lines = Table.grid(padding=(0, 2))
    lines.add_row("dashboard", f"[bold link={bridge.address}]{bridge.address}[/]", "what the driver sees")
    lines.add_row("panel", f"[bold link={panel}]{panel}[/]", "the unit on its wall: plug in, cut the network, …")
    for name, role in LOGINS.items():
        meant = f"[bold]{name}[/]" if name == role else f"[bold]{name}[/] ({role})"
        password = f"password [bold]{passwords[name]}[/]" if name in passwords else "password printed when it was made"
        lines.add_row("login", meant, password)
    if passwords:
        lines.add_row("", "", "[yellow]passwords are printed this once[/]")
    else:
        anew = f"{os.path.relpath(sys.executable)} -m cloud_bridge user password NAME"
        lines.add_row("", "", f"a new one: [bold]{anew}[/]")
    if has_app:
        lines.add_row("", "", "the operator's authenticator app is on the panel")
    lines.add_row("unit", settings.unit_id, f"its data and the cloud's: {settings.folder}")
    return Panel(lines, title="Chargekeeper", subtitle="Ctrl-C ends it", expand=False, border_style="green")


def _complain(what: str) -> None:
    screen.print(f"[red]{what}[/]")


def main() -> int:
    """Run the command line. Return 1, with one line, if a setting is unusable, or with its last output if the firmware
    died."""
    argparse.ArgumentParser(
        prog="python -m hil_tests",
        description="The whole system on this machine, until Ctrl-C.",
        epilog=f"Settings, from the environment: {', '.join(VARIABLES)}.",
    ).parse_args()
    try:
        settings = read_settings(os.environ)
        check_folder(settings.folder, "CHARGEKEEPER_DATA")
        with sole_run(settings.folder, f"http://127.0.0.1:{settings.http_port}"):
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
