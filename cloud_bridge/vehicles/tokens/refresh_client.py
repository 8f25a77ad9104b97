"""Refreshes grants through the worker process (refresh_worker.py). If the worker dies, a new one is started and asked at
once."""

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
TRIES = 3  # workers that may die during one refresh

OUTAGE = Outcome(Trouble.OUTAGE)
REFRESH_WORKER = (sys.executable, "-m", "cloud_bridge.vehicles.tokens.refresh_worker")


class RefreshClient(Protocol):
    """Passed to everything that needs an access token. Tests use a client that works in the same process."""

    def refresh(self, grant_id: str, generation: int) -> Outcome:
        """Refresh the grant of this generation, unless it is newer already. Blocks."""
        ...

    def close(self) -> None:
        """Close the client. Does not wait for a refresh in progress."""
        ...


class _Worker(NamedTuple):
    """The worker process with its two pipes. Each line is a JSON object."""

    process: subprocess.Popen[str]
    orders: IO[str]
    answers: IO[str]
    waiting: dict[int, Future[Outcome | None]]  # whoever removes a future resolves it, so each is resolved once


class RefreshWorkerProcess:
    """Starts the worker when it is first needed, and again when it has died. Thread-safe."""

    def __init__(self, folder: Path, database_url: str | None, command: Sequence[str] = REFRESH_WORKER) -> None:
        self._where = {"folder": str(folder), "database": database_url}
        self._command = command
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._count = 0

    def refresh(self, grant_id: str, generation: int) -> Outcome:
        """Refresh a grant. Blocks. Never raises: a worker that does not answer is a transient outage of ours."""
        for _ in range(TRIES):
            outcome = self._ask(grant_id, generation)
            if outcome is not None:
                return outcome
        return OUTAGE

    def close(self) -> None:
        """Close the worker's input: it finishes the refreshes in progress. Does not wait for that."""
        with self._lock:
            if self._worker is not None:
                _end_orders(self._worker)
                self._worker = None

    def _ask(self, grant_id: str, generation: int) -> Outcome | None:
        """Ask the worker once. Return None if it died before it answered."""
        answer: Future[Outcome | None] = Future()
        with self._lock:
            self._count += 1
            number = self._count
            try:
                worker = self._running()
            except (OSError, RuntimeError):  # the machine has no process or thread left
                return OUTAGE
            worker.waiting[number] = answer
            try:
                _write(worker, {"id": number, "grant": grant_id, "generation": generation})
            except OSError:  # the worker is dying; _listen resolves the other waiting futures
                self._worker = None
                del worker.waiting[number]
                return None
        try:
            return answer.result(ANSWER_S)
        except NoAnswer:
            return OUTAGE
        finally:
            with self._lock:
                worker.waiting.pop(number, None)

    def _running(self) -> _Worker:
        """Return the running worker, or start one. Raises OSError or RuntimeError if that is impossible."""
        if self._worker is None or self._worker.process.poll() is not None:
            worker = _start(self._command)
            threading.Thread(target=self._listen, args=[worker], daemon=True, name="worker").start()
            with suppress(BrokenPipeError):  # it died at once; writing the order will fail
                _write(worker, self._where)  # not an argument: it may contain a password
            self._worker = worker
        return self._worker

    def _listen(self, worker: _Worker) -> None:
        with worker.answers as lines, suppress(ValueError):  # killed in the middle of a line
            for line in lines:
                message: dict[str, Any] = json.loads(line)
                self._settle(worker, message.pop("id"), message)
        worker.process.wait()
        with self._lock:
            _end_orders(worker)
            lost = list(worker.waiting.values())
            worker.waiting.clear()
        for answer in lost:
            answer.set_result(None)

    def _settle(self, worker: _Worker, number: int, message: dict[str, Any]) -> None:
        trouble = message.pop("trouble")
        outcome = Outcome(None if trouble is None else Trouble(trouble), **message)
        with self._lock:
            answer = worker.waiting.pop(number, None)
        if answer is not None:
            answer.set_result(outcome)


def _start(command: Sequence[str]) -> _Worker:
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # signals to our process group do not reach it
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a process without the pipes that it was started with")
    return _Worker(process, process.stdin, process.stdout, {})


def _write(worker: _Worker, message: dict[str, Any]) -> None:
    """Write one message to the worker. Raises OSError."""
    worker.orders.write(json.dumps(message) + "\n")
    worker.orders.flush()


def _end_orders(worker: _Worker) -> None:
    with suppress(OSError):  # with data that a dead process has not read
        worker.orders.close()
