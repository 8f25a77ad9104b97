"""`python -m hil_tests.steady [--runs N] [--busy M]`: are the tests reliable? Run `.ci/run` N times in succession.

The last M runs have two busy loops beside them. Each run's output is stored in build/steady. Prints every finished run,
and a table at the end. Exits with 1 unless every run was without failure and skip, and in time when alone.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hil_tests.fixtures.children import die_with_parent
from hil_tests.fixtures.progress import bar
from hil_tests.steady.results import Run, counts, failed, line, report

CHECKOUT = Path(__file__).resolve().parents[2]
KEPT = CHECKOUT / "build" / "steady"
RUNS, BUSY = 10, 3
LOOPS = 2
RUN_WITHIN_MIN = 60  # so that a run that hangs ends
STOP_WITHIN_S = 30


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """Run programs that take all the processor time they can get."""
    loops = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"], preexec_fn=die_with_parent) for _ in range(count)
    ]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def run_once(number: int, beside: int) -> Run:
    """Run `.ci/run` once, with `beside` busy loops."""
    KEPT.mkdir(parents=True, exist_ok=True)
    kept = KEPT / f"run-{number}.log"
    started_s = time.monotonic()
    with busy_loops(beside), kept.open("w") as output:
        process = subprocess.Popen(
            [CHECKOUT / ".ci" / "run"],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait(60 * RUN_WITHIN_MIN)
        except subprocess.TimeoutExpired:
            print(f"run {number} hangs and was stopped")
        finally:
            _end(process)
    said = kept.read_text("utf-8", "replace")
    minutes = (time.monotonic() - started_s) / 60
    return Run(number, beside, minutes, process.returncode, counts(said), failed(said))


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the run, with all that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, number)
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            continue


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.steady", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help=f"number of runs (default {RUNS})")
    parser.add_argument(
        "--busy", type=int, default=BUSY, help=f"number of runs beside {LOOPS} busy loops (default {BUSY})"
    )
    asked = parser.parse_args()
    runs: list[Run] = []
    with bar("runs", asked.runs, lambda: len(runs)):
        for number in range(1, asked.runs + 1):
            beside = LOOPS if number > asked.runs - asked.busy else 0
            runs.append(run_once(number, beside))
            print(line(runs[-1]), flush=True)
    print("", *report(runs), f"their output is in {KEPT}", sep="\n")
    return 0 if all(run.steady for run in runs) else 1


if __name__ == "__main__":
    sys.exit(main())
