"""The command line of `python -m hil_tests.rig`: a virtual unit on its own, with its panel. It starts without a cloud."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from hil_tests.rig.panel.server import serving
from hil_tests.rig.preconditions import SettingError, check_folder, check_port
from hil_tests.rig.processor import FirmwareDied
from hil_tests.rig.unit import Unit

CONSOLE_WITHIN_S = 30


async def _run(folder: Path, port: int, seed: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    unit = Unit(folder, seed)
    await unit.start()
    try:
        async with serving(unit, port) as address:
            await unit.answers(CONSOLE_WITHIN_S)
            print(f"panel    {address}\nfolder   {folder}\nCtrl-C ends it", flush=True)
            await stop.wait()
    finally:
        await unit.stop()


def main() -> int:
    """Run the command line. Return 1 if the port or the folder is not available, or if the firmware does not run."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.rig", description="A virtual unit alone.")
    parser.add_argument("--folder", type=Path, default=Path("var/rig"), help="where it keeps its flash")
    parser.add_argument("--port", type=int, default=8081, help="of the panel, on 127.0.0.1")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same delays of the mobile network")
    arguments = parser.parse_args()
    try:
        check_port(arguments.port, "the panel", "--port")
        check_folder(arguments.folder, "--folder")
    except SettingError as error:
        print(f"chargekeeper: {error}", file=sys.stderr)
        return 1
    try:
        asyncio.run(_run(arguments.folder.absolute(), arguments.port, arguments.seed))
    except FirmwareDied as error:
        print(f"chargekeeper: {error}", file=sys.stderr)
        return 1
    return 0
