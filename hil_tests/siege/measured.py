"""A measured crowd in a separate process, so that attackers do not compete with it for the interpreter lock.

It reads one line of JSON, prints READY when everybody has connected, runs until the end of its input, and prints its
measurements as JSON.
"""

import json
import subprocess
import sys
import threading
from typing import Any, TextIO

from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.children import die_with_parent

READY = "ready\n"
END_WITHIN_S = 60.0


class CrowdFailed(Exception):
    """A measured process ended before it was ready, or did not end in time."""


class MeasuredCrowd:
    """The constructor starts the process."""

    def __init__(self, module: str, port: int, asked: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, str(port)],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,
            start_new_session=True,  # its own share of the processors, as another machine (attackers_apart.py)
        )
        _input(self._process).write(json.dumps(asked) + "\n")
        _input(self._process).flush()

    def wait_until_ready(self) -> None:
        """Wait for READY. Raises CrowdFailed if the process ends before."""
        assert self._process.stdout is not None
        if (line := self._process.stdout.readline()) != READY:
            raise CrowdFailed(f"not ready: {line!r}")

    def stop(self) -> Any:
        """End the crowd and return its measurements. Raises CrowdFailed."""
        try:
            seen, _ = self._process.communicate(timeout=END_WITHIN_S)
            return json.loads(seen)
        except (subprocess.TimeoutExpired, ValueError) as error:
            raise CrowdFailed(str(error)) from None
        finally:
            self.kill()

    def kill(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait()


def asked_on_stdin() -> tuple[Any, threading.Event]:
    """Return the request read from standard input, and an event that is set at the end of the input. Runs in the process."""
    asked, over = json.loads(sys.stdin.readline()), threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    return asked, over


def _input(process: "subprocess.Popen[str]") -> TextIO:
    assert process.stdin is not None
    return process.stdin  # type: ignore[return-value]  # IO[str], and a TextIO
