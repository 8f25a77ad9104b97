"""`python -m tests.cloud_bridge.vehicles.race`: many processes refresh one account at once, and are killed meanwhile.

The maker ends the whole grant if a refresh token is used twice, except for a second chance as real makers give (Smartcar a
minute, Tesla a day). In every round, all workers want the next generation at the same moment; some of them and the refreshing
process are killed with SIGKILL at a random time. Afterwards the grant must be alive, the vault must contain its newest token,
and no token may have been used twice unless a refresher was killed.

`--second-chance 0` is a maker without one, such as oidc-provider. There, no client can keep a grant whose refresher was
killed; such grants are counted, detected at once, and linked again.
"""

import argparse
import random
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import uvicorn
from rich.progress import track

from cloud_bridge.store.access import Role
from cloud_bridge.store.database import open_database
from cloud_bridge.store.people import add_person
from cloud_bridge.vehicles import repository
from cloud_bridge.vehicles.accounts import Accounts
from cloud_bridge.vehicles.linking.authorization_requests import begin
from cloud_bridge.vehicles.linking.oauth_callback import finish
from cloud_bridge.vehicles.providers.provider import ProviderError
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from cloud_bridge.vehicles.tokens.vault import StoredGrant
from hil_tests.sim.car_account import Car, CarAccount
from hil_tests.sim.car_account_web import create_app
from tests.cloud_bridge.vehicles.crowd import NoAnswer, Worker, gather, kill_who_refreshes, open_folder

KILL_WITHIN_S = 0.15  # for the kills of workers
SEEN_WITHIN_S = 1.0  # for finding the refreshing process
ANSWER_S = 0.03  # time for which the maker's answer is on its way
STORE_S = 0.01  # time until it is stored
REFRESH_S = 0.03 + ANSWER_S + STORE_S  # without interference
SECOND_CHANCE_S = 60.0  # Smartcar's, the shortest documented
CLIENT = "chargekeeper"


class Figures(NamedTuple):
    rounds: int
    workers_killed: int
    refreshers_killed: int
    second_chances: int  # refreshes whose answer was lost with the refresher, and that were repeated in time
    lost: int  # grants, for a maker without second chances
    worst_round_s: float


class Lost(AssertionError):
    """A grant is gone that could have been kept."""


@contextmanager
def _maker(second_chance_s: float) -> Iterator[tuple[CarAccount, str]]:
    account = CarAccount(CLIENT, "http://127.0.0.1/", [Car("car", "VIN1", "Demo", dict)])
    account.second_chance_s, account.answer_s = second_chance_s, ANSWER_S
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(account), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield account, f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def _settle(folder: Path, address: str) -> Accounts:
    """Make a data folder with one driver."""
    (folder / "vehicles.toml").write_text(
        f'public_url = "http://127.0.0.1"\n[provider.demo]\nkind = "generic"\nclient_id = "{CLIENT}"\n'
        f'authorise_url = "{address}/authorize"\ntoken_url = "{address}/token"\napi_url = "{address}/api"\n'
        'scopes = ["offline_access", "vehicle:read"]\n'
    )
    database = open_database(folder)
    with database.writing() as connection:
        add_person(connection, "ann", "a hash", Role.DRIVER, 0)
    database.close()
    return open_folder(folder)


def _link(accounts: Accounts, account: CarAccount) -> None:
    """Link the account as the driver does on the maker's page, at first and after a loss."""
    asked = parse_qs(urlsplit(begin(accounts, 1, "s", "demo", None)).query)
    code = account.consent(asked["code_challenge"][0], accounts.catalogue.return_uri("demo"))
    finish(accounts, 1, "s", "demo", {"state": asked["state"][0], "code": code})


def _kept(accounts: Accounts) -> StoredGrant:
    with accounts.database.reading() as connection:
        kept = accounts.grants.vault.get(connection, repository.of_person(connection, 1)[0].grant_id or "")
    assert kept is not None
    return kept


def race(rounds: int, workers: int, kills: int, second_chance_s: float, seed: int) -> Figures:
    """Run the race. Raises Lost, with the round and the seed, if a grant is gone that could have been kept."""
    dice = random.Random(seed)
    refreshers_killed, lost, worst_s = 0, 0, 0.0
    with tempfile.TemporaryDirectory() as name, _maker(second_chance_s) as (account, address):
        folder = Path(name)
        accounts = _settle(folder, address)
        _link(accounts, account)
        crowd = gather(folder, workers)
        try:
            for number in track(range(rounds), "rounds", disable=not sys.stdout.isatty()):
                began_s, before = time.monotonic(), copy(account)
                kept = _kept(accounts)
                for worker in crowd:
                    worker.ask(kept.id, kept.generation)
                killed = _kill_refresher(dice, crowd, account)
                victims = dice.sample(crowd, kills)
                for victim in victims:
                    time.sleep(dice.uniform(0, KILL_WITHIN_S / kills))
                    victim.kill()
                crowd = [worker for worker in crowd if worker not in victims]
                refreshers_killed += killed
                try:
                    _hear(crowd)
                    _check(accounts, kept.generation)
                    if account.second_chances - before.second_chances > killed:
                        raise Lost("a token was used twice, and no refresher had died")
                except Lost as loss:
                    if second_chance_s or account.reuses - before.reuses != killed:
                        raise Lost(f"round {number} of seed {seed}: {loss}") from loss
                    lost += 1
                    _link(accounts, account)
                worst_s = max(worst_s, time.monotonic() - began_s)
                crowd += gather(folder, kills)
        finally:
            for worker in crowd:
                worker.dismiss()
            accounts.close()
            accounts.database.close()
        return Figures(rounds, kills * rounds, refreshers_killed, account.second_chances, lost, round(worst_s, 2))


def _kill_refresher(dice: random.Random, crowd: list[Worker], account: CarAccount) -> bool:
    """Kill the refresher: half of the time at a random moment, half of the time when the maker has just used the token up."""
    before = account.refreshes
    if dice.random() < 0.5:
        return kill_who_refreshes(crowd, lambda: True, SEEN_WITHIN_S, dice.uniform(0, REFRESH_S))
    return kill_who_refreshes(
        crowd, lambda: account.refreshes > before, SEEN_WITHIN_S, dice.uniform(0, ANSWER_S + STORE_S)
    )


def _hear(crowd: list[Worker]) -> None:
    """Wait for all workers, also if the first reports trouble."""
    try:
        troubles: set[Trouble | None] = {worker.answer() for worker in crowd}
    except NoAnswer:
        raise Lost("a worker never came back") from None
    if troubles != {None}:
        raise Lost(", ".join(sorted(filter(None, troubles))))


def _check(accounts: Accounts, generation: int) -> None:
    kept = _kept(accounts)
    try:
        accounts.provider("demo").cars(kept.grant.access_token)
    except ProviderError as error:
        raise Lost(str(error)) from error
    if kept.generation != generation + 1:
        raise Lost(f"generation {kept.generation} after {generation}")


def main() -> int:
    parser = argparse.ArgumentParser(description="20 workers refresh one account at once, with kill -9 in between")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--workers", type=int, default=20)
    parser.add_argument("--kills", type=int, default=2, help="workers killed in each round, beside the refresher")
    parser.add_argument(
        "--second-chance", type=float, default=SECOND_CHANCE_S, help="seconds; 0 is a maker without one"
    )
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    try:
        figures = race(options.rounds, options.workers, options.kills, options.second_chance, options.seed)
    except Lost as lost:
        print(f"LOST: {lost}")
        return 1
    print("  ".join(f"{name} {value}" for name, value in figures._asdict().items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
