"""Runs one story from beginning to end, and returns the result."""

import gc
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from hil_tests.years.bounds import bytes_on_air
from hil_tests.years.promises import Broken, Day
from hil_tests.years.story import Story
from hil_tests.years.world import Trace, new_world

MEMORY = "/dev/shm"  # a file system in memory, which is faster than a disk
# New objects between two searches for cycles: a story creates millions of short-lived objects, but few cycles.
GARBAGE = 50_000
_CPU_S = time.process_time


class Told(NamedTuple):
    """The result of a story. `digest` is a hash of the trace, and the same for each run of the same story."""

    story: Story
    broken: tuple[Broken, ...]
    digest: str
    cpu_s: float
    messages: int
    on_air_bytes: int  # both directions, with what TLS would add
    logins: int
    flash_writes: int
    resets: int
    rested: float  # the fraction of the main thread's time that was skipped
    by_day: tuple[Day, ...]


def tell(story: Story, jumps: bool = True, keep: list[str] | None = None) -> Told:
    """Run a story. `jumps`: skip idle time. `keep` receives the lines of the trace."""
    begun_s = _CPU_S()
    gc.set_threshold(GARBAGE, 10, 10)
    trace = Trace(keep is not None)
    memory = MEMORY if Path(MEMORY).is_dir() else None
    with (
        tempfile.TemporaryDirectory(dir=memory) as folder,
        new_world(story.seed, Path(folder) / "world", story.epoch_s, trace, jumps) as world,
    ):
        world.tell(story)
        assert world.watch is not None
        told = Told(
            story,
            tuple(world.watch.broken),
            trace.digest,
            _CPU_S() - begun_s,
            len(world.broker.acknowledged),
            bytes_on_air(world.broker),
            world.broker.logins,
            world.flash.writes,
            len(world.processor.resets),
            world.processor.rested_ms / (story.days * 86_400_000),
            tuple(world.watch.days),
        )
    if keep is not None:
        keep += trace.lines or []
    return told
