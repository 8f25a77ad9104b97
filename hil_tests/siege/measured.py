"""A measured crowd as a process of its own, so that attackers do not make it wait for the interpreter.

It gets one line of JSON, prints READY when everybody is there, goes on until its input ends, and prints what it has seen
as JSON.
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
    """A measured process ended before it was ready, or never ended."""


class MeasuredCrowd:
    """Started at once."""

    def __init__(self, module: str, port: int, asked: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, str(port)],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,
            start_new_session=True,  # a share of the processors of its own, as each has in life (attackers_apart.py)
        )
        _input(self._process).write(json.dumps(asked) + "\n")
        _input(self._process).flush()

    def wait_until_ready(self) -> None:
        """Raises CrowdFailed when it has ended instead."""
        assert self._process.stdout is not None
        if (line := self._process.stdout.readline()) != READY:
            raise CrowdFailed(f"not ready: {line!r}")

    def stop(self) -> Any:
        """What it has seen. Raises CrowdFailed."""
        try:
            seen, _ = self._process.communicate(timeout=END_WITHIN_S)
            return json.loads(seen)
        except (subprocess.TimeoutExpired, ValueError) as error:
            raise CrowdFailed(str(error)) from None
        finally:
            self.kill()

    def kill(self) -> None:
        """Ends it, whatever it does."""
        self._process.kill()
        self._process.wait()


def asked_on_stdin() -> tuple[Any, threading.Event]:
    """Inside the process: what it was given, and an event that is set when its input ends."""
    asked, over = json.loads(sys.stdin.readline()), threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    return asked, over


def _input(process: "subprocess.Popen[str]") -> TextIO:
    assert process.stdin is not None
    return process.stdin  # type: ignore[return-value]  # IO[str], and a TextIO
