"""The way to a refreshed grant: asks the refresher process, and waits where another process is already at it."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

from cloud_bridge.vehicles.refreshing import Outcome
from cloud_bridge.vehicles.trouble import Trouble

ANSWER_S = 45.0  # longer than calls.TOTAL_S and a busy database
BUSY_S = 30.0
LOOK_EVERY_S = 0.05


class RefreshDoor(Protocol):
    """Given to whoever needs an access token; tests give one that works in the same process."""

    def refresh(self, vehicle_id: int, generation: int) -> Outcome: ...
    def close(self) -> None: ...


class _Refresher(NamedTuple):
    """The process with its two pipes; a line is a JSON object."""

    process: subprocess.Popen[str]
    orders: IO[str]
    answers: IO[str]


class RefresherProcess:
    """Starts the refresher when it is first needed, and again when it has died. Thread-safe."""

    def __init__(self, folder: Path, database_url: str | None) -> None:
        self._where = {"folder": str(folder), "database": database_url}
        self._lock = threading.Lock()
        self._refresher: _Refresher | None = None
        self._waiting: dict[int, Future[Outcome]] = {}
        self._count = 0

    def refresh(self, vehicle_id: int, generation: int) -> Outcome:
        """Blocks. Never raises: a refresher that does not answer is an outage of ours, which is transient."""
        answer: Future[Outcome] = Future()
        with self._lock:
            refresher = self._running()
            self._count += 1
            number = self._count
            self._waiting[number] = answer
            order = {"id": number, "vehicle": vehicle_id, "generation": generation}
            try:
                refresher.orders.write(json.dumps(order) + "\n")
                refresher.orders.flush()
            except OSError:
                answer.set_result(Outcome(trouble=Trouble.OUTAGE))
        try:
            return answer.result(ANSWER_S)
        except NoAnswer:
            return Outcome(trouble=Trouble.OUTAGE)
        finally:
            with self._lock:
                self._waiting.pop(number, None)

    def close(self) -> None:
        """Lets it finish what it has begun; does not wait for it."""
        with self._lock:
            if self._refresher is not None:
                self._refresher.orders.close()
                self._refresher = None

    def _running(self) -> _Refresher:
        if self._refresher is None or self._refresher.process.poll() is not None:
            self._refresher = _start()
            self._refresher.orders.write(json.dumps(self._where) + "\n")  # not an argument: it may hold a password
            threading.Thread(target=self._listen, args=[self._refresher], daemon=True, name="refresher").start()
        return self._refresher

    def _listen(self, refresher: _Refresher) -> None:
        with refresher.answers as lines:
            for line in lines:
                said: dict[str, Any] = json.loads(line)
                self._settle(said.pop("id"), said)
        refresher.process.wait()
        with self._lock:
            if self._refresher is refresher:
                lost, self._waiting = self._waiting, {}
                for answer in lost.values():
                    answer.set_result(Outcome(trouble=Trouble.OUTAGE))

    def _settle(self, number: int, said: dict[str, Any]) -> None:
        trouble = said.pop("trouble")
        outcome = Outcome(trouble=None if trouble is None else Trouble(trouble), **said)
        with self._lock:
            answer = self._waiting.pop(number, None)
        if answer is not None:
            answer.set_result(outcome)


def _start() -> _Refresher:
    process = subprocess.Popen(
        [sys.executable, "-m", "cloud_bridge.vehicles.refresher"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a kill of our process group passes it by
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a process without the pipes that it was started with")
    return _Refresher(process, process.stdin, process.stdout)


def wait_while_busy(ask: Callable[[], Outcome], generation_now: Callable[[], int | None], generation: int) -> Outcome:
    """Ask for a refresh. While another process is refreshing the same grant, wait for what it brings."""
    until_s = time.monotonic() + BUSY_S
    while (outcome := ask()).busy:
        while generation_now() == generation:
            if time.monotonic() > until_s:  # it died with the lease, which ends by itself
                return Outcome(trouble=Trouble.OUTAGE)
            time.sleep(LOOK_EVERY_S)
        if generation_now() is not None:
            return Outcome(refreshed=True)
    return outcome
