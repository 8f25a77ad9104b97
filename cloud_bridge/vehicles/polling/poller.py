"""Polls every car when it is due, so that the dashboard reports a lost access before the driver looks there."""

import asyncio
import logging
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.duties import Duties
from cloud_bridge.errors import BridgeError
from cloud_bridge.vehicles import repository
from cloud_bridge.vehicles.accounts import Accounts
from cloud_bridge.vehicles.linking.unlink import drop
from cloud_bridge.vehicles.polling.poll import poll
from cloud_bridge.vehicles.repository import Vehicle

EVERY_S = 5.0
IN_ONE_ROUND = 100
TURN_MS = 120_000  # longer than any poll

_log = logging.getLogger(__name__)


async def poll_for_ever(accounts: Accounts, duties: Duties) -> None:
    """Run until cancelled. A slow maker delays its own cars and no others."""
    own_thread = ThreadPoolExecutor(1, "vehicles")  # for the store; the polls run on accounts.calls
    loop = asyncio.get_running_loop()
    try:
        await duties.every(EVERY_S, "vehicles", lambda: loop.run_in_executor(own_thread, begin_due_polls, accounts))
    finally:
        own_thread.shutdown(wait=False)  # the event loop must not wait for a store that does not answer


def poll_due(accounts: Accounts) -> int:
    """Run one round to its end. Return how many cars were polled."""
    begun = begin_due_polls(accounts)
    wait([*begun.looks, *begun.drops])
    return len(begun.looks)


class Begun(NamedTuple):
    """Calls in progress: polls, and grants that are revoked because their drivers did not select vehicles in time."""

    looks: list[Future[Any]]
    drops: list[Future[Any]]


def begin_due_polls(accounts: Accounts) -> Begun:
    """Start everything that is due and not in progress. An error of one call does not affect the others. Raises
    SQLAlchemyError."""
    with accounts.database.writing() as connection:
        repository.lapse_requests(connection, accounts.verified_ms())
    with accounts.database.reading() as connection:
        unchosen = accounts.grants.vault.unselected(connection, accounts.verified_ms())
        due = repository.due(connection, accounts.clock.now_ms(), IN_ONE_ROUND)
    begin = accounts.calls.for_poller
    looks = [begin(vehicle.provider, partial(_poll_in_turn, accounts, vehicle), vehicle.id) for vehicle in due]
    drops = [begin(maker, partial(_drop, accounts, grant_id), grant_id) for grant_id, maker in unchosen]
    return Begun(*([future for future in begun if future is not None] for begun in (looks, drops)))


def _drop(accounts: Accounts, grant_id: str) -> None:
    try:
        drop(accounts, grant_id)
    except Exception as error:  # nobody reads the future's result
        _log_failure("a grant without vehicles cannot be revoked", error)


def _poll_in_turn(accounts: Accounts, vehicle: Vehicle) -> None:
    try:
        with accounts.database.writing() as connection:
            ours = repository.claim_poll(connection, vehicle, accounts.clock.now_ms() + TURN_MS)
        if ours:
            poll(accounts, vehicle)
    except Exception as error:  # nobody reads the future's result
        _log_failure(f"vehicle {vehicle.id} cannot be polled", error)


def _log_failure(what: str, error: Exception) -> None:
    known = isinstance(error, BridgeError | SQLAlchemyError)
    _log.error("%s: %s", what, type(error).__name__, exc_info=None if known else error)
