"""One charge point with its car, its mobile networks and its cloud, on one clock and from one seed."""

import asyncio
import hashlib
import random
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from firmware.storage import record_file
from hil_tests.sim.modem.radio import Latencies, Span
from hil_tests.sim.modem.radio import World as Radio
from hil_tests.years.bridge import Bridge
from hil_tests.years.broker import PORT, Broker
from hil_tests.years.doors import Time
from hil_tests.years.faults import BY_NAME, CLOUD, NETWORK, told
from hil_tests.years.flash import Flash
from hil_tests.years.hardware import Hardware
from hil_tests.years.main_rest import HELD_BRIEFLY_MS, HELD_MS
from hil_tests.years.owners import Owners
from hil_tests.years.processor import Processor
from hil_tests.years.promises import Watch
from hil_tests.years.story import DAY_S, Happening, Story
from hil_tests.years.virtual_loop import VirtualLoop

# Delays of each modem command, and of a TCP segment in good coverage. They are constant within a story, because main_rest.py
# skips only turns that repeat exactly.
TURNAROUND_MS = 5
ONE_WAY_MS = (80, 100, 120, 140)
DANGERS = {"rcd_ac", "rcd_dc", "pilot_short"}
LIGHT_AFTER_S = 1.0  # from the beginning of a fault to a check of the light
UNIT, SECRET = "cp-1", "a-secret-of-years"
SETTINGS = {
    "id": UNIT,
    "secret": SECRET,
    "broker": "127.0.0.1",
    "port": PORT,
    "plain_mqtt": True,
    "installer_max_a": 32,
    "schedule": "off",
    "random_delay_max_s": 0,
}


class Trace:
    """What happened, in order. The digest is the same for the same seed."""

    def __init__(self, keep: bool = False) -> None:
        self._hash = hashlib.sha256()
        self.lines: list[str] | None = [] if keep else None
        self.count = 0

    def add(self, at_ms: int, what: str) -> None:
        line = f"{at_ms} {what}"
        self.count += 1
        self._hash.update(line.encode() + b"\n")
        if self.lines is not None:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()[:16]


class World:
    """`run_until_s` advances it. Everything else may be changed in between, or in callbacks of the loop."""

    def __init__(self, seed: int, folder: Path, epoch_s: int, trace: Trace, jumps: bool) -> None:
        self.seed, self.folder, self.trace = seed, folder, trace
        self.loop = VirtualLoop()
        self.time = Time(self.loop, epoch_s)
        self.failures: list[str] = []  # exceptions in strands and in callbacks of the loop
        self.watch: Watch | None = None
        self.unit_id = UNIT
        self.commands = self.happened = 0
        self.lose_one_in = 0  # loses one in so many bytes from modem to processor; 0: none
        self.car_is_plain = False
        one_way_ms = random.Random(f"{seed} air").choice(ONE_WAY_MS)
        steady = Latencies(turnaround=Span(TURNAROUND_MS, TURNAROUND_MS), one_way=Span(one_way_ms, one_way_ms))
        self.radio = Radio(seed, latencies=steady)
        self.flash = Flash(folder / "flash")
        self.hardware = Hardware(self.loop, self.radio, self.flash)
        self.hardware.world = self
        self.hardware.processor = self.processor = Processor(self.hardware, seed, jumps)

    @contextmanager
    def open(self) -> Iterator["World"]:
        with ExitStack() as stack:
            stack.enter_context(self.time.in_force())
            stack.enter_context(self.processor.in_force())
            stack.enter_context(self.flash.in_force())
            asyncio.set_event_loop(self.loop)
            asyncio._set_running_loop(None)
            record_file.save(str(self.flash.folder) + "/settings", SETTINGS)
            self.loop.set_exception_handler(self._failed_in_loop)
            self.bridge = Bridge(self.loop, self.time, self.folder / "bridge", self._failed)
            self.bridge.add(UNIT, SECRET)
            self.owners = Owners(self.bridge.database, UNIT, self.loop.time)
            self.broker = Broker(self.loop, self.bridge)
            self.broker.secrets[UNIT] = SECRET
            self.broker.heard = self._heard
            self.loop.call_soon(self._begin)
            try:
                yield self
            finally:
                self._end()

    def _begin(self) -> None:
        self.bridge.start()
        self.broker.start()
        self.hardware.mains(True)

    def _end(self) -> None:
        if self.bridge.running:
            self.bridge.kill()
        if self.processor.running:
            self.processor.stop()
        self.loop.call_soon(self.hardware.modem.close)
        self.run_until_s(self.loop.time() + 1)
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.run_until_s(self.loop.time() + 1)
        self.bridge.database.close()
        self.loop.close()
        asyncio.set_event_loop(None)

    # Actions of people and the cloud.

    def order(self, said: dict[str, Any]) -> None:
        """Send a command from the cloud. It is lost if the unit is not connected."""
        self.trace.add(self.hardware.now_ms(), f"ordered {said}")
        if self.watch is not None:
            self.watch.orders.ordered(said)
        self.broker.send(UNIT, told(said))

    @property
    def onlooker(self) -> Watch | None:
        return self.watch

    def enclosure_opened(self) -> None:
        """Inform the checks that a person opens the enclosure."""
        if self.watch is not None:
            self.watch.records.opened()

    def button_pressed(self) -> None:
        if self.watch is not None:
            self.watch.orders.pressed()

    def say_on_line(self, line: bytes) -> None:
        """Let the modem send an unsolicited line."""
        self.hardware.modem._terminal.carry(line)

    def happen(self, one: Happening) -> None:
        """Begin a happening, and schedule its end."""
        kind = BY_NAME[one.kind]
        self.trace.add(self.hardware.now_ms(), f"{one.kind} for {one.lasts_s} s")
        held_ms = HELD_MS if set(kind.touches) & {NETWORK, CLOUD} else HELD_BRIEFLY_MS
        self.processor.hold(held_ms)
        assert self.watch is not None
        self.watch.begins(kind.touches)
        self.happened += 1
        end = kind.begin(self, random.Random(one.draw))
        if kind.touches and set(kind.touches) & {"board"} and self.hardware.board.faults & DANGERS:
            self.watch.must_open(one.kind)

        self.loop.call_later(LIGHT_AFTER_S, self.watch.light)

        def over() -> None:
            self.processor.hold(held_ms)
            if end is not None:
                end()
            assert self.watch is not None
            self.watch.ends(kind.touches)

        self.loop.call_later(one.lasts_s, over)

    def tell(self, story: Story) -> None:
        """Run a whole story."""
        self.watch = Watch(self)
        for one in story.happenings:
            self.loop.call_at(one.at_s, self.happen, one)
        self.run_until_s(story.days * DAY_S)
        self.watch.end()

    def run_until_s(self, until_s: float) -> None:
        self.loop.call_at(until_s, self.loop.stop)
        self.loop.run_forever()

    def _heard(self, kind: str, payload: bytes) -> None:
        self.trace.add(self.hardware.now_ms(), f"{kind} {payload!r}")
        if self.watch is not None:
            self.watch.published(kind, payload)

    def _failed(self, error: BaseException) -> None:
        self.failures.append(repr(error))
        self.loop.call_exception_handler({"message": "a strand", "exception": error})

    def _failed_in_loop(self, loop: Any, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.failures.append(f"{context['message']}: {error!r}")
        if error is not None:
            import traceback

            traceback.print_exception(error)


@contextmanager
def new_world(seed: int, folder: Path, epoch_s: int, trace: Trace, jumps: bool = True) -> Iterator[World]:
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with World(seed, folder, epoch_s, trace, jumps).open() as world:
            yield world
    finally:
        shutil.rmtree(folder, ignore_errors=True)
