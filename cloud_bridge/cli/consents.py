"""Ends our access to a person's vehicles at the car makers, before the person is removed."""

import os

from cloud_bridge.clock import SystemClock
from cloud_bridge.settings import Settings
from cloud_bridge.store.database import open_database
from cloud_bridge.store.people import find_person
from cloud_bridge.vehicles.accounts import open_accounts
from cloud_bridge.vehicles.linking.consents import erase_person
from cloud_bridge.verified_time import clocks_of


def give_back(settings: Settings, name: str) -> list[str]:
    """Revoke the person's grants, and delete their vehicles and grants. A maker that cannot be reached does not stop the
    removal. Raises BridgeError.

    Returns the makers that could not be told: the person has to revoke the access there.
    """
    database = open_database(settings.store)
    accounts = open_accounts(database, clocks_of(SystemClock()), settings, os.environ)
    try:
        with database.reading() as connection:
            person = find_person(connection, name)
        return erase_person(accounts, person.id)
    finally:
        accounts.close()
        database.close()
