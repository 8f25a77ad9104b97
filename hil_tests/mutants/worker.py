"""Runs tests in one copy of the tree. It has imported all dependencies of the tests, and forks for each run.

So a run starts quickly, and imports only our own code, with the mistake that is in the copy at that time. Each line of
JSON on standard input is a run. The answer is a line with its exit code.
"""

import builtins
import contextlib
import importlib
import json
import os
import resource
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from hil_tests.fixtures.children import die_with_parent

SURVIVED, FAILED, NO_TESTS = 0, 1, 5  # pytest's exit codes
MEMORY_MAX = 4 << 30  # bytes; ends a mutant that fills a list without end
LOOK_S = 0.005
OUTPUT = "output.txt"  # output of the last run, in the copy
TEMPORARY = "tmp"  # the temporary folders of the tests, in the copy
OPTIONS = (
    *("-q", "-p", "no:cacheprovider", "--basetemp", TEMPORARY),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # plugins are imported before pytest begins
)


class Chosen:
    """A pytest plugin that runs only these items, each for at most this many seconds of processor time."""

    def __init__(self, items: dict[str, int]) -> None:
        self._within_s = items

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self._within_s]

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        _, most_s = resource.getrlimit(resource.RLIMIT_CPU)
        ends_s = int(time.process_time()) + self._within_s[item.nodeid]
        resource.setrlimit(resource.RLIMIT_CPU, (min(ends_s, most_s), most_s))


class Reached:
    """A pytest plugin that records which functions each item calls (operators.marked), and its processor time (s)."""

    def __init__(self) -> None:
        self.items: dict[str, tuple[float, list[str]]] = {}
        self.failed: set[str] = set()
        self._begun: set[str] = set()
        self._while_importing: set[str] = set()
        setattr(builtins, "reached", self._begun.add)  # noqa: B010  # mypy knows no such builtin

    def pytest_collection_finish(self) -> None:
        self._while_importing = set(self._begun)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._begun.clear()
        started_s = time.process_time()
        done = yield
        self.items[item.nodeid] = (time.process_time() - started_s, sorted(self._begun | self._while_importing))
        return done

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)


def imported_of_others() -> list[str]:
    """Return the imported modules that are not part of the copy."""
    ours = [str(file) for file in Path.cwd().iterdir() if not file.is_symlink()]
    files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    return [name for name, file in files.items() if file and not file.startswith(tuple(ours))]


def measure(files: list[str], kept: str) -> int:
    """Run these test files, and write their measurements as JSON to the file `kept`. Return pytest's exit code."""
    reached = Reached()
    code = pytest.main([*files, *OPTIONS], plugins=[reached])
    Path(kept).write_text(
        json.dumps({"items": reached.items, "failed": sorted(reached.failed), "modules": imported_of_others()})
    )
    return code


def run(files: list[str], items: dict[str, int], timeout_s: int) -> int:
    """Run these items and return pytest's exit code. `timeout_s` ends a test that waits without end."""
    return pytest.main([*files, *OPTIONS, "-x", "--timeout", str(timeout_s)], plugins=[Chosen(items)])


def forked(order: dict[str, object], within_s: int) -> int:
    """Run the order in a child process, limited to `within_s` of processor time and ten times that in real time."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setsid()
            die_with_parent()
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            resource.setrlimit(resource.RLIMIT_CPU, (within_s, within_s))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
            output = os.open(OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(output, 1)
            os.dup2(output, 2)
            code = measure(**order) if "kept" in order else run(**order)  # type: ignore[arg-type]  # as __main__ sends it
        finally:
            os._exit(code)
    ends_s = time.monotonic() + 10 * within_s
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > ends_s:
            os.kill(child, signal.SIGKILL)
        time.sleep(LOOK_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # processes that it has started
    return os.waitstatus_to_exitcode(status)


def main() -> None:
    # A mutant has to end the same way each time, even on a loaded machine.
    settings.register_profile(
        "mutants", derandomize=True, database=None, deadline=None, suppress_health_check=HealthCheck
    )
    settings.load_profile("mutants")
    warnings.simplefilter("ignore")  # from imports before pytest begins
    for line in sys.stdin:
        order = json.loads(line)
        for name in order.pop("modules", ()):
            with contextlib.suppress(Exception):  # a module that cannot be imported on its own
                importlib.import_module(name)
        print(forked(order, order.pop("within_s")) if order else 0, flush=True)


if __name__ == "__main__":
    main()
