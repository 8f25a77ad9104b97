"""The processes that run the units of a fleet, seen from the parent."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.children import die_with_parent
from hil_tests.fleet.worker import READY


class WorkerFailed(Exception):
    """A process of units ended early, or did not end in time."""


class Worker:
    """The constructor starts the process, which waits for `begin`. `asked` is the input of worker.py, without the log."""

    def __init__(self, asked: dict[str, Any], log: Path) -> None:
        self.log = log
        self.acknowledged = 0  # so far
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hil_tests.fleet.worker"],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,
            start_new_session=True,  # Ctrl-C reaches the parent alone
        )
        self._listening = threading.Thread(target=self._listen, name="worker", daemon=True)
        self._tell(json.dumps(asked | {"log": str(log)}))

    @property
    def pid(self) -> int:
        return self._process.pid

    def begin(self, at_s: float) -> None:
        """Set the monotonic time at which the first unit connects. Raises WorkerFailed."""
        assert self._process.stdout is not None
        if (line := self._process.stdout.readline().strip()) != READY:
            raise WorkerFailed(f"not ready: {line!r}")
        self._tell(str(at_s))
        self._listening.start()

    def wait(self, within_s: float) -> None:
        """Wait for its end. Raises WorkerFailed."""
        try:
            code = self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise WorkerFailed(f"it did not end within {within_s:.0f} s") from None
        if code != 0:
            raise WorkerFailed(f"exit code {code}")

    def kill(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait()
        if self._listening.is_alive():
            self._listening.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def _tell(self, line: str) -> None:
        stdin: TextIO = self._process.stdin  # type: ignore[assignment]  # IO[str], and a TextIO
        try:
            stdin.write(line + "\n")
            stdin.flush()
        except BrokenPipeError:
            raise WorkerFailed("it has ended") from None

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.acknowledged = int(line)
