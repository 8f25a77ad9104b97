"""The simulated modem on a pty, for any program that speaks AT commands: `python -m hil_tests.sim.modem`."""

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
from hil_tests.sim.modem.recording import BadRecording
from hil_tests.sim.modem.replay import Replay, open_replay
from hil_tests.sim.modem.simcom import Modem
from hil_tests.sim.modem.world_file import BadWorld, Scene, load, play
from hil_tests.sim.pty import Pty

NAPS, NAP_S = 20, 0.05  # a second in total, in which a quick modem boots and registers
UP = "it is up"


async def live(scene: Scene, link: Path | None, seed: int) -> None:
    """Run a modem, switched on at once, until SIGINT or SIGTERM."""
    stop = _stopped()
    modem = Modem(scene.world, scene.personality, scene.memory)
    pty = Pty(lambda chunk: modem.receive(speed.heard(chunk)), link)
    speed = LineSpeed(lambda: modem.memory.baud, pty.baud, random.Random(seed))
    noise = Noise(lambda chunk: pty.write(speed.heard(chunk)), random.Random(seed), scene.urc_one_in, scene.lose_one_in)
    modem.wire(noise.write)
    modem.supply(True)
    modem.power_on()
    happening = asyncio.create_task(play(scene.events, modem, noise))
    print(f"a {scene.personality.model} at {link or pty.path} (seed {seed}); Ctrl-C ends it", flush=True)
    coming_up = asyncio.create_task(_tell_when_up())
    with contextlib.closing(pty), contextlib.closing(modem):
        await stop.wait()
        happening.cancel()
        coming_up.cancel()


async def _tell_when_up() -> None:
    """Print UP after a second of short sleeps: if this process stands still, only one of them passes in the meantime."""
    for _ in range(NAPS):
        await asyncio.sleep(NAP_S)
    print(UP, flush=True)


async def replayed(replay: Replay, link: Path | None) -> None:
    """Run a modem that plays a recording back, until SIGINT or SIGTERM."""
    stop = _stopped()
    loop = asyncio.get_running_loop()
    due: asyncio.PriorityQueue[tuple[int, int, bytes]] = asyncio.PriorityQueue()
    woken = asyncio.Event()
    numbers = iter(range(sys.maxsize))  # keeps the order of what is due at the same time

    def now_ms() -> int:
        return int(loop.time() * 1000)

    def receive(chunk: bytes) -> None:
        for at_ms, data in replay.receive(now_ms(), chunk):
            due.put_nowait((at_ms, next(numbers), data))
        woken.set()

    async def send() -> None:
        while True:
            woken.clear()
            at_ms, number, data = await due.get()
            if at_ms > now_ms():
                due.put_nowait((at_ms, number, data))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), (at_ms - now_ms()) / 1000)
            else:
                pty.write(data)

    pty = Pty(receive, link)
    with contextlib.closing(pty):
        sending = asyncio.create_task(send())
        print(f"a recording of {len(replay)} commands at {link or pty.path}; Ctrl-C ends it", flush=True)
        await stop.wait()
        sending.cancel()
    counts = f"{replay.in_order} in order, {replay.moved} out of order, {replay.unknown} not in the recording"
    print(f"commands: {counts}", file=sys.stderr)


def _stopped() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m hil_tests.sim.modem",
        description="A simulated modem: a SIM800L, the model that the world names, or a recorded one.",
    )
    parser.add_argument("--link", type=Path, help="path of a symlink to the modem's pty")
    plays = parser.add_mutually_exclusive_group()
    plays.add_argument("--world", type=Path, help="a JSON file with the world around the modem; see world_file.py")
    plays.add_argument("--replay", type=Path, help="a recording of `python -m modem trace` to play back; see replay.py")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same delays, same noise")
    arguments = parser.parse_args()
    try:
        if arguments.replay:
            doing = replayed(open_replay(arguments.replay, _report), arguments.link)
        else:
            scene = load(arguments.world, arguments.seed) if arguments.world else Scene(World(arguments.seed))
            doing = live(scene, arguments.link, arguments.seed)
    except (BadWorld, BadRecording, OSError) as error:
        sys.exit(str(error))
    asyncio.run(doing)


def _report(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
