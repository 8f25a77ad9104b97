"""The way to a refreshed grant: asks the refresher process, and asks the next one at once should that one die."""

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

from cloud_bridge.vehicles.providers.provider_errors import Trouble
from cloud_bridge.vehicles.tokens.token_refresh import Outcome

ANSWER_S = 60.0  # longer than token_refresh.BUSY_S and a call to the provider
TRIES = 3  # refreshers that may die over one refresh

OUTAGE = Outcome(Trouble.OUTAGE)
REFRESH_WORKER = (sys.executable, "-m", "cloud_bridge.vehicles.tokens.refresh_worker")


class RefreshClient(Protocol):
    """Given to whoever needs an access token; tests give one that works in the same process."""

    def refresh(self, grant_id: str, generation: int) -> Outcome: ...
    def close(self) -> None: ...


class _Refresher(NamedTuple):
    """The process with its two pipes; a line is a JSON object."""

    process: subprocess.Popen[str]
    orders: IO[str]
    answers: IO[str]
    waiting: dict[int, Future[Outcome | None]]  # whoever takes one out settles it, so each is settled once


class RefreshWorkerProcess:
    """Starts the refresher when it is first needed, and again when it has died. Thread-safe."""

    def __init__(self, folder: Path, database_url: str | None, command: Sequence[str] = REFRESH_WORKER) -> None:
        self._where = {"folder": str(folder), "database": database_url}
        self._command = command
        self._lock = threading.Lock()
        self._refresher: _Refresher | None = None
        self._count = 0

    def refresh(self, grant_id: str, generation: int) -> Outcome:
        """Blocks. Never raises: a refresher that does not answer is an outage of ours, which is transient."""
        for _ in range(TRIES):
            outcome = self._ask(grant_id, generation)
            if outcome is not None:
                return outcome
        return OUTAGE

    def close(self) -> None:
        """Lets it finish what it has begun; does not wait for it."""
        with self._lock:
            if self._refresher is not None:
                _end_orders(self._refresher)
                self._refresher = None

    def _ask(self, grant_id: str, generation: int) -> Outcome | None:
        """None: it died before it answered."""
        answer: Future[Outcome | None] = Future()
        with self._lock:
            self._count += 1
            number = self._count
            try:
                refresher = self._running()
            except (OSError, RuntimeError):  # the machine has no process or thread left for us
                return OUTAGE
            refresher.waiting[number] = answer
            try:
                _write(refresher, {"id": number, "grant": grant_id, "generation": generation})
            except OSError:  # it is dying; the others that wait hear it from _listen
                self._refresher = None
                del refresher.waiting[number]
                return None
        try:
            return answer.result(ANSWER_S)
        except NoAnswer:
            return OUTAGE
        finally:
            with self._lock:
                refresher.waiting.pop(number, None)

    def _running(self) -> _Refresher:
        """Raises OSError or RuntimeError when none can be started."""
        if self._refresher is None or self._refresher.process.poll() is not None:
            refresher = _start(self._command)
            threading.Thread(target=self._listen, args=[refresher], daemon=True, name="refresher").start()
            _write(refresher, self._where)  # not an argument: it may hold a password
            self._refresher = refresher
        return self._refresher

    def _listen(self, refresher: _Refresher) -> None:
        with refresher.answers as lines, suppress(ValueError):  # killed in the middle of a line
            for line in lines:
                said: dict[str, Any] = json.loads(line)
                self._settle(refresher, said.pop("id"), said)
        refresher.process.wait()
        with self._lock:
            _end_orders(refresher)
            lost = list(refresher.waiting.values())
            refresher.waiting.clear()
        for answer in lost:
            answer.set_result(None)

    def _settle(self, refresher: _Refresher, number: int, said: dict[str, Any]) -> None:
        trouble = said.pop("trouble")
        outcome = Outcome(None if trouble is None else Trouble(trouble), **said)
        with self._lock:
            answer = refresher.waiting.pop(number, None)
        if answer is not None:
            answer.set_result(outcome)


def _start(command: Sequence[str]) -> _Refresher:
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a kill of our process group passes it by
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a process without the pipes that it was started with")
    return _Refresher(process, process.stdin, process.stdout, {})


def _write(refresher: _Refresher, said: dict[str, Any]) -> None:
    """Raises OSError."""
    refresher.orders.write(json.dumps(said) + "\n")
    refresher.orders.flush()


def _end_orders(refresher: _Refresher) -> None:
    with suppress(OSError):  # what a dead process has not read
        refresher.orders.close()
