"""Read the results of a run of `.ci/run` from its output, and decide whether a series of runs is steady."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

LIMIT_MIN = 12  # of a run without busy loops
COUNTED = ("passed", "failed", "error", "skipped", "xfailed")
_SUMMARY = re.compile(r"^=+ (.*) in [\d.]+s(?: \(.*\))? =+$")
_COUNT = re.compile(r"(\d+) (passed|failed|error|skipped|xfailed)s?")


@dataclass(frozen=True)
class Run:
    """The results of one run. `beside` is the number of busy loops during it."""

    number: int
    beside: int
    minutes: float
    exit_code: int
    counts: dict[str, int]
    failed: tuple[str, ...]  # pytest's names of tests

    @property
    def steady(self) -> bool:
        """Whether there was no failure, no skip, and the run was in time when alone."""
        clean = self.exit_code == 0 and not any(self.counts.get(name) for name in ("failed", "error", "skipped"))
        return clean and (self.beside > 0 or self.minutes <= LIMIT_MIN)


def counts(output: str) -> dict[str, int]:
    """Return the sums over the summaries of all kinds of tests."""
    total: Counter[str] = Counter()
    for line in output.splitlines():
        if summary := _SUMMARY.match(line.strip()):
            for number, name in _COUNT.findall(summary[1]):
                total[name] += int(number)
    return {name: total[name] for name in COUNTED if total[name]}


def failed(output: str) -> tuple[str, ...]:
    """Return the names of tests that failed or could not start, in order, each once."""
    names = [line.split()[1] for line in output.splitlines() if line.startswith(("FAILED ", "ERROR ")) and "::" in line]
    return tuple(dict.fromkeys(names))


def line(run: Run) -> str:
    """Return one run as a line."""
    found = ", ".join(f"{number} {name}" for name, number in run.counts.items()) or "no tests"
    beside = f"beside {run.beside} busy loops" if run.beside else "alone"
    verdict = "steady" if run.steady else f"NOT STEADY (exit code {run.exit_code})"
    return f"run {run.number:2}  {beside:20}  {run.minutes:5.1f} min  {found}  {verdict}"


def report(runs: Sequence[Run]) -> list[str]:
    """Return all runs as lines, then each failed test with its number of failures."""
    often = Counter(name for run in runs for name in run.failed)
    return [
        *map(line, runs),
        f"{sum(run.steady for run in runs)} of {len(runs)} steady",
        *(f"  {number} x {name}" for name, number in often.most_common()),
    ]
