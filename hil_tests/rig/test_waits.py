"""Does Waits count the time in which a unit's program is kept from running, and no other time?"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hil_tests.fixtures.children import die_with_parent
from hil_tests.rig.waits import Waits

SOON_S = 60
COMPUTES = "print(flush=True)\nwhile True: pass"
SLEEPS = "import time; print(flush=True); time.sleep(600)"


@contextmanager
def _running(program: str, processor: int, politeness: int) -> Iterator[int]:
    """Run a program in a process of its own on one processor; yield its pid when the program has begun."""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, preexec_fn=die_with_parent)
    try:
        os.sched_setaffinity(process.pid, {processor})
        os.setpriority(os.PRIO_PROCESS, process.pid, politeness)
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
    finally:
        process.kill()
        process.communicate()


def _until_it_is(pid: int, state: str) -> None:
    give_up_s = time.monotonic() + SOON_S
    while f") {state} " not in Path(f"/proc/{pid}/stat").read_text():
        assert time.monotonic() < give_up_s, f"it is never {state}"
        time.sleep(0.01)


def test_it_is_that_of_one_whose_processor_others_have() -> None:
    processor, waits = min(os.sched_getaffinity(0)), Waits()
    with _running(COMPUTES, processor, 0), _running(COMPUTES, processor, 19) as pid:
        give_up_s = time.monotonic() + SOON_S
        while waits.longest_s(pid, time.monotonic()) < 0.05:
            assert time.monotonic() < give_up_s, "the kernel counts nothing"
            time.sleep(0.01)


@pytest.mark.parametrize("is_stopped", [False, True])
def test_one_that_sleeps_or_is_stopped_waits_for_none(is_stopped: bool) -> None:
    waits = Waits()
    with _running(SLEEPS, min(os.sched_getaffinity(0)), 0) as pid:
        _until_it_is(pid, "S")
        if is_stopped:
            os.kill(pid, signal.SIGSTOP)
            _until_it_is(pid, "T")
        for now_s in (0.0, 100.0):
            waits.longest_s(pid, now_s)
        assert waits.longest_s(pid, 200.0) < 1.0
    assert waits.longest_s(pid, 300.0) == 0.0
