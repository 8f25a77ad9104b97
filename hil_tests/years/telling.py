"""Tells one story from its beginning to its end, and says what came of it."""

import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from hil_tests.bench.air import RECORD_BYTES, SEGMENT_BYTES
from hil_tests.years.promises import Broken, Day
from hil_tests.years.story import Story
from hil_tests.years.world import Trace, new_world

MEMORY = "/dev/shm"  # a file system in memory: nothing waits for a disk
_CPU_S = time.process_time


HANDSHAKE_BYTES = 5000  # a connection's, with the authority's chain


class Told(NamedTuple):
    """`digest` is that of all that happened; the same story has the same, always."""

    story: Story
    broken: tuple[Broken, ...]
    digest: str
    cpu_s: float
    messages: int
    carried_bytes: int  # of MQTT, both ways
    logins: int
    flash_writes: int
    resets: int
    rested: float  # the part of the time that was not stepped
    by_day: tuple[Day, ...]


def bytes_on_air(told: Told) -> int:
    """With what TLS 1.3 and TCP would add, as hil_tests/bench/air.py counts it: two records and three segments a message."""
    return told.carried_bytes + told.messages * (2 * RECORD_BYTES + 3 * SEGMENT_BYTES) + told.logins * HANDSHAKE_BYTES


def tell(story: Story, jumps: bool = True, keep: list[str] | None = None) -> Told:
    """`keep` takes the lines of the trace."""
    begun_s = _CPU_S()
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
            sum(world.broker.carried.values()),
            world.broker.logins,
            world.flash.writes,
            len(world.processor.resets),
            world.processor.rested_ms / (story.days * 86_400_000),
            tuple(world.watch.days),
        )
    if keep is not None:
        keep += trace.lines or []
    return told
