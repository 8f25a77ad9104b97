"""`python -m tests.cloud_bridge.vehicles.race`: many processes refresh one account at once, and are killed meanwhile.

The maker ends the whole grant when a refresh token is used twice. In every round all workers want the next generation
at the same moment, some are killed with SIGKILL at a random moment of it, and afterwards the grant must be alive and
what is in the vault must be its newest.
"""

import argparse
import multiprocessing
import os
import random
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

import uvicorn

from cloud_bridge.clock import SystemClock
from cloud_bridge.settings import read_settings
from cloud_bridge.store.access import Role
from cloud_bridge.store.database import open_database
from cloud_bridge.store.people import add_person
from cloud_bridge.vehicles.accounts import Accounts, open_accounts
from cloud_bridge.vehicles.linking import begin, finish
from cloud_bridge.vehicles.provider import ProviderError
from cloud_bridge.vehicles.refresh_door import wait_while_busy
from hil_tests.sim.car_account import Car, CarAccount
from hil_tests.sim.car_account_web import create_app

ANSWER_S = 60.0
AT_ONCE = 3
KILL_WITHIN_S = 0.15  # a refresh takes some 30 ms when nobody is in the way
CLIENT = "chargekeeper"

_fork = multiprocessing.get_context("forkserver")
_fork.set_forkserver_preload([__name__])


class Figures(NamedTuple):
    rounds: int
    killed: int
    refreshes: int  # that reached the maker
    reuses: int  # of a refresh token: each of them would have cost the grant
    worst_round_s: float


class Lost(AssertionError):
    """The grant is gone."""


class Worker:
    """A process that looks after the same account as all the others."""

    def __init__(self, folder: Path) -> None:
        self.pipe, theirs = _fork.Pipe()
        self.process: BaseProcess = _fork.Process(target=_work, args=(folder, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def await_ready(self) -> None:
        assert self.pipe.poll(ANSWER_S), "a worker that does not start"
        self.pipe.recv()

    def kill(self) -> None:
        os.kill(self.process.pid or 0, signal.SIGKILL)
        self.process.join()


def _work(folder: Path, pipe: Connection) -> None:
    accounts = _open(folder)
    accounts.door.refresh(1, -1)  # of no generation: only starts the refresher
    pipe.send("ready")
    while True:
        try:
            generation: int = pipe.recv()
        except EOFError:
            accounts.door.close()
            return
        outcome = wait_while_busy(
            lambda: accounts.door.refresh(1, generation),  # noqa: B023  called in this round
            lambda: _generation(accounts),
            generation,
        )
        pipe.send(outcome.trouble)


def _open(folder: Path) -> Accounts:
    settings = read_settings({"CHARGEKEEPER_DATA": str(folder)})
    return open_accounts(open_database(settings.store), SystemClock(), settings, {})


def _generation(accounts: Accounts) -> int:
    with accounts.database.reading() as connection:
        kept = accounts.vault.get(connection, 1)
    assert kept is not None
    return kept.generation


@contextmanager
def _maker() -> Iterator[tuple[CarAccount, str]]:
    account = CarAccount(CLIENT, "http://127.0.0.1/", [Car("car", "VIN1", "Demo", dict)])
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(account), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield account, f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def _settle(folder: Path, account: CarAccount, address: str) -> Accounts:
    """A data folder with one linked car."""
    (folder / "vehicles.toml").write_text(
        f'public_url = "http://127.0.0.1"\n[provider.demo]\nkind = "generic"\nclient_id = "{CLIENT}"\n'
        f'authorise_url = "{address}/authorize"\ntoken_url = "{address}/token"\napi_url = "{address}/api"\n'
        'scopes = ["offline_access", "vehicle:read"]\n'
    )
    database = open_database(folder)
    with database.writing() as connection:
        add_person(connection, "ann", "correct horse", Role.DRIVER, 0)
    database.close()
    accounts = _open(folder)
    url = begin(accounts, 1, "s", "demo", None)
    asked = dict(part.split("=", 1) for part in url.split("?", 1)[1].split("&"))
    code = account.consent(asked["code_challenge"], accounts.catalogue.return_uri("demo"))
    finish(accounts, 1, "s", "demo", {"state": asked["state"], "code": code})
    return accounts


def race(rounds: int, workers: int, kills: int, seed: int) -> Figures:
    """Raises Lost with the round and the seed when the grant is gone."""
    dice = random.Random(seed)
    killed, worst_s = 0, 0.0
    with tempfile.TemporaryDirectory() as name, _maker() as (account, address):
        folder = Path(name)
        accounts = _settle(folder, account, address)
        crowd = _start(folder, workers)
        try:
            for number in range(rounds):
                began_s, generation = time.monotonic(), _generation(accounts)
                for worker in crowd:
                    worker.pipe.send(generation)
                victims = dice.sample(crowd, kills)
                for victim in victims:
                    time.sleep(dice.uniform(0, KILL_WITHIN_S / kills))
                    victim.kill()
                killed += kills
                crowd = [worker for worker in crowd if worker not in victims]
                _hear(crowd, number, seed)
                _check(accounts, account, generation, number, seed)
                worst_s = max(worst_s, time.monotonic() - began_s)
                crowd += _start(folder, kills)
        finally:
            for worker in crowd:
                worker.pipe.close()
                worker.process.join()
            accounts.close()
            accounts.database.close()
        return Figures(rounds, killed, account.refreshes, account.reuses, round(worst_s, 2))


def _start(folder: Path, count: int) -> list[Worker]:
    """A few at a time: each looks at the database's tables first, and would wait for all the others."""
    workers: list[Worker] = []
    while len(workers) < count:
        group = [Worker(folder) for _ in range(min(AT_ONCE, count - len(workers)))]
        for worker in group:
            worker.await_ready()
        workers += group
    return workers


def _hear(crowd: list[Worker], number: int, seed: int) -> None:
    for worker in crowd:
        if not worker.pipe.poll(ANSWER_S):
            raise Lost(f"round {number} of seed {seed}: a worker never came back")
        trouble = worker.pipe.recv()
        if trouble is not None:
            raise Lost(f"round {number} of seed {seed}: {trouble}")


def _check(accounts: Accounts, account: CarAccount, generation: int, number: int, seed: int) -> None:
    with accounts.database.reading() as connection:
        kept = accounts.vault.get(connection, 1)
    assert kept is not None
    try:
        accounts.provider("demo").cars(kept.grant.access_token)
    except ProviderError as error:
        raise Lost(f"round {number} of seed {seed}: {error}") from error
    if account.reuses or kept.generation != generation + 1:
        raise Lost(f"round {number} of seed {seed}: {account.reuses} reuses, generation {kept.generation}")


def main() -> int:
    parser = argparse.ArgumentParser(description="20 workers refresh one account at once, with kill -9 in between")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--workers", type=int, default=20)
    parser.add_argument("--kills", type=int, default=2, help="workers killed in each round")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    try:
        figures = race(options.rounds, options.workers, options.kills, options.seed)
    except Lost as lost:
        print(f"LOST: {lost}")
        return 1
    print("  ".join(f"{name} {value}" for name, value in figures._asdict().items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
