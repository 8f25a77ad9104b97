"""The simulated modem by itself, on a pty, for any program that talks AT: `python -m hil_tests.sim.modem`."""

import argparse
import asyncio
import contextlib
import random
import signal
import sys
from pathlib import Path

from hil_tests.sim.modem.line_speed import LineSpeed
from hil_tests.sim.modem.noise import Noise
from hil_tests.sim.modem.radio import World
from hil_tests.sim.modem.simcom import Modem
from hil_tests.sim.modem.world_file import BadWorld, Scene, load, play
from hil_tests.sim.pty import Pty


async def live(scene: Scene, link: Path, seed: int) -> None:
    """A modem that is switched on at once, until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    modem = Modem(scene.world, scene.personality, scene.memory)
    pty = Pty(lambda chunk: modem.receive(speed.heard(chunk)), link)
    speed = LineSpeed(lambda: modem.memory.baud, pty.baud, random.Random(seed))
    noise = Noise(lambda chunk: pty.write(speed.heard(chunk)), random.Random(seed), scene.urc_one_in, scene.lose_one_in)
    modem.wire(noise.write)
    modem.supply(True)
    modem.power_on()
    happening = asyncio.create_task(play(scene.events, modem, noise))
    print(f"a {scene.personality.model} at {link} (seed {seed}); Ctrl-C ends it", flush=True)
    with contextlib.closing(pty), contextlib.closing(modem):
        await stop.wait()
        happening.cancel()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m hil_tests.sim.modem",
        description="A simulated modem: a SIM800L, or the model that the world names.",
    )
    parser.add_argument("--link", type=Path, required=True, help="where to put a symlink to its pty")
    parser.add_argument("--world", type=Path, help="a JSON file with the world around it; see world_file.py")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same delays, same noise")
    arguments = parser.parse_args()
    try:
        scene = load(arguments.world, arguments.seed) if arguments.world else Scene(World(arguments.seed))
    except (BadWorld, OSError) as error:
        sys.exit(str(error))
    asyncio.run(live(scene, arguments.link, arguments.seed))


if __name__ == "__main__":
    main()
