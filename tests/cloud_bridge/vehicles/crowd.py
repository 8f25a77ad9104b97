"""Processes that use the same vehicle account, each with its own refresher process, and how they are killed."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from cloud_bridge.clock import SystemClock
from cloud_bridge.settings import read_settings
from cloud_bridge.store.database import open_database
from cloud_bridge.vehicles.accounts import Accounts, open_accounts
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from cloud_bridge.verified_time import clocks_of

ANSWER_S = 60.0
AT_ONCE = 3
LOOK_EVERY_S = 0.0005
LOCKS = Path("/proc/locks")  # proc(5): "1: FLOCK  ADVISORY  WRITE pid device:inode 0 EOF"

_fork = multiprocessing.get_context("forkserver")
_fork.set_forkserver_preload([__name__])


class NoAnswer(Exception):
    """A worker did not answer."""


class Worker:
    def __init__(self, folder: Path) -> None:
        self._pipe, theirs = _fork.Pipe()
        self.process: BaseProcess = _fork.Process(target=_work, args=(folder, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def await_ready(self) -> None:
        assert self._pipe.poll(ANSWER_S), "a worker that does not start"
        self._pipe.recv()

    def ask(self, grant_id: str, generation: int) -> None:
        """Ask for a refresh of this generation."""
        self._pipe.send((grant_id, generation))

    def answer(self) -> Trouble | None:
        """Return the result. Raises NoAnswer."""
        if not self._pipe.poll(ANSWER_S):
            raise NoAnswer
        trouble: Trouble | None = self._pipe.recv()
        return trouble

    def refreshers(self) -> list[int]:
        """Return its refresher's pid in a list, which is empty if the refresher has just died."""
        pid = self.process.pid
        try:
            return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except OSError:
            return []

    def kill(self) -> None:
        os.kill(self.process.pid or 0, signal.SIGKILL)
        self.process.join()

    def dismiss(self) -> None:
        self._pipe.close()
        self.process.join()


def gather(folder: Path, count: int) -> list[Worker]:
    """Start workers, a few at a time: each first checks the database's tables, and would wait for the others."""
    workers: list[Worker] = []
    while len(workers) < count:
        group = [Worker(folder) for _ in range(min(AT_ONCE, count - len(workers)))]
        for worker in group:
            worker.await_ready()
        workers += group
    return workers


def kill_who_refreshes(crowd: list[Worker], begun: Callable[[], bool], within_s: float, delay_s: float) -> bool:
    """Kill the refresher that has the lock, `delay_s` after it has `begun`. Return False if there was none in time."""
    refreshers = {pid for worker in crowd for pid in worker.refreshers()}
    until_s = time.monotonic() + within_s
    while not begun() or (holder := _holder(refreshers)) is None:
        if time.monotonic() > until_s:
            return False
        time.sleep(LOOK_EVERY_S)
    time.sleep(delay_s)
    with suppress(ProcessLookupError):
        os.kill(holder, signal.SIGKILL)
    return True


def open_folder(folder: Path) -> Accounts:
    settings = read_settings({"CHARGEKEEPER_DATA": str(folder)})
    return open_accounts(open_database(settings.store), clocks_of(SystemClock()), settings, {})


def _holder(pids: Collection[int]) -> int | None:
    locks = (line.split() for line in LOCKS.read_text().splitlines() if " FLOCK " in line)
    return next((pid for words in locks if "->" not in words and (pid := int(words[4])) in pids), None)


def _work(folder: Path, pipe: Connection) -> None:
    accounts = open_folder(folder)
    accounts.grants.refresh_client.refresh("nobody's", 0)  # only starts the refresher
    pipe.send("ready")
    while True:
        try:
            grant_id, generation = pipe.recv()
        except EOFError:
            accounts.grants.refresh_client.close()
            return
        pipe.send(accounts.grants.refresh_client.refresh(grant_id, generation).trouble)
