"""Looks at every car when it is due, so that a lost access is on the dashboard before the driver looks there."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.errors import BridgeError
from cloud_bridge.vehicles import rows
from cloud_bridge.vehicles.accounts import Accounts
from cloud_bridge.vehicles.leaving import drop_unchosen
from cloud_bridge.vehicles.looking import look
from cloud_bridge.vehicles.rows import Vehicle

EVERY_S = 5.0
AT_ONCE = 4
IN_ONE_ROUND = 100
TURN_MS = 120_000  # longer than a look can take

_log = logging.getLogger(__name__)


async def watch(accounts: Accounts) -> None:
    """For as long as the bridge runs."""
    while True:
        await asyncio.to_thread(look_at_due, accounts)
        await asyncio.sleep(EVERY_S)


def look_at_due(accounts: Accounts) -> int:
    """One round. Returns how many cars were looked at. What goes wrong with one does not touch the others."""
    try:
        with accounts.database.writing() as connection:
            rows.lapse(connection, accounts.clock.now_ms())
        drop_unchosen(accounts)
        with accounts.database.reading() as connection:
            due = rows.due(connection, accounts.clock.now_ms(), IN_ONE_ROUND)
    except SQLAlchemyError as error:
        _log.error("the vehicles cannot be read: %s", type(error).__name__)
        return 0

    def one(vehicle: Vehicle) -> None:
        try:
            with accounts.database.writing() as connection:
                ours = rows.take_turn(connection, vehicle, accounts.clock.now_ms() + TURN_MS)
            if ours:
                look(accounts, vehicle)
        except (BridgeError, SQLAlchemyError) as error:
            _log.error("vehicle %d cannot be looked at: %s", vehicle.id, type(error).__name__)

    with ThreadPoolExecutor(AT_ONCE) as workers:
        list(workers.map(one, due))
    return len(due)
