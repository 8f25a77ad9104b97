"""The way to a refreshed grant: asks the refresher process, and waits where another process is already at it."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

from cloud_bridge.vehicles.refreshing import Outcome
from cloud_bridge.vehicles.trouble import Trouble

ANSWER_S = 45.0  # longer than calls.TOTAL_S and a busy database
BUSY_S = 30.0
LOOK_EVERY_S = 0.05

OUTAGE = Outcome(trouble=Trouble.OUTAGE)
REFRESHER = (sys.executable, "-m", "cloud_bridge.vehicles.refresher")


class RefreshDoor(Protocol):
    """Given to whoever needs an access token; tests give one that works in the same process."""

    def refresh(self, vehicle_id: int, generation: int) -> Outcome: ...
    def close(self) -> None: ...


class _Refresher(NamedTuple):
    """The process with its two pipes; a line is a JSON object."""

    process: subprocess.Popen[str]
    orders: IO[str]
    answers: IO[str]
    waiting: dict[int, Future[Outcome]]  # whoever takes one out settles it, so each is settled once


class RefresherProcess:
    """Starts the refresher when it is first needed, and again when it has died. Thread-safe."""

    def __init__(self, folder: Path, database_url: str | None, command: Sequence[str] = REFRESHER) -> None:
        self._where = {"folder": str(folder), "database": database_url}
        self._command = command
        self._lock = threading.Lock()
        self._refresher: _Refresher | None = None
        self._count = 0

    def refresh(self, vehicle_id: int, generation: int) -> Outcome:
        """Blocks. Never raises: a refresher that does not answer is an outage of ours, which is transient."""
        answer: Future[Outcome] = Future()
        with self._lock:
            self._count += 1
            number = self._count
            try:
                refresher = self._running()
            except (OSError, RuntimeError):  # the machine has no process or thread left for us
                return OUTAGE
            refresher.waiting[number] = answer
            try:
                _write(refresher, {"id": number, "vehicle": vehicle_id, "generation": generation})
            except OSError:  # it is dying; the others that wait hear it from _listen
                self._refresher = None
                del refresher.waiting[number]
                return OUTAGE
        try:
            return answer.result(ANSWER_S)
        except NoAnswer:
            return OUTAGE
        finally:
            with self._lock:
                refresher.waiting.pop(number, None)

    def close(self) -> None:
        """Lets it finish what it has begun; does not wait for it."""
        with self._lock:
            if self._refresher is not None:
                _end_orders(self._refresher)
                self._refresher = None

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
            answer.set_result(OUTAGE)

    def _settle(self, refresher: _Refresher, number: int, said: dict[str, Any]) -> None:
        trouble = said.pop("trouble")
        outcome = Outcome(trouble=None if trouble is None else Trouble(trouble), **said)
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


def wait_while_busy(ask: Callable[[], Outcome], generation_now: Callable[[], int | None], generation: int) -> Outcome:
    """Ask for a refresh. While another process is refreshing the same grant, wait for what it brings."""
    until_s = time.monotonic() + BUSY_S
    while (outcome := ask()).busy:
        while generation_now() == generation:
            if time.monotonic() > until_s:  # it died with the lease, which ends by itself
                return OUTAGE
            time.sleep(LOOK_EVERY_S)
        if generation_now() is not None:
            return Outcome(refreshed=True)
    return outcome
