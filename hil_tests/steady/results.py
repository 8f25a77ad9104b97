"""What one run of `.ci/run` found, read from its output, and whether a series of runs is steady."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

LIMIT_MIN = 12  # of a run beside which nothing else works
COUNTED = ("passed", "failed", "error", "skipped", "xfailed")
_SUMMARY = re.compile(r"^=+ (.*) in [\d.]+s(?: \(.*\))? =+$")
_COUNT = re.compile(r"(\d+) (passed|failed|error|skipped|xfailed)s?")


@dataclass(frozen=True)
class Run:
    """`beside` is what else worked on the machine meanwhile: our busy loops."""

    number: int
    beside: int
    minutes: float
    exit_code: int
    counts: dict[str, int]
    failed: tuple[str, ...]  # tests, by pytest's names

    @property
    def steady(self) -> bool:
        """No failure, no skip, and in time when alone."""
        clean = self.exit_code == 0 and not any(self.counts.get(name) for name in ("failed", "error", "skipped"))
        return clean and (self.beside > 0 or self.minutes <= LIMIT_MIN)


def counts(output: str) -> dict[str, int]:
    """The sums over the summaries of all kinds of tests."""
    total: Counter[str] = Counter()
    for line in output.splitlines():
        if summary := _SUMMARY.match(line.strip()):
            for number, name in _COUNT.findall(summary[1]):
                total[name] += int(number)
    return {name: total[name] for name in COUNTED if total[name]}


def failed(output: str) -> tuple[str, ...]:
    """The names of tests that failed or could not begin, in order, each once."""
    names = [line.split()[1] for line in output.splitlines() if line.startswith(("FAILED ", "ERROR ")) and "::" in line]
    return tuple(dict.fromkeys(names))


def line(run: Run) -> str:
    """One run, for a person."""
    found = ", ".join(f"{number} {name}" for name, number in run.counts.items()) or "no tests"
    beside = f"beside {run.beside} busy loops" if run.beside else "alone"
    verdict = "steady" if run.steady else f"NOT STEADY (exit code {run.exit_code})"
    return f"run {run.number:2}  {beside:20}  {run.minutes:5.1f} min  {found}  {verdict}"


def report(runs: Sequence[Run]) -> list[str]:
    """All runs, then each test that failed with how often."""
    often = Counter(name for run in runs for name in run.failed)
    return [
        *map(line, runs),
        f"{sum(run.steady for run in runs)} of {len(runs)} steady",
        *(f"  {number} x {name}" for name, number in often.most_common()),
    ]
