"""Before a person goes: the car makers are told that our access to their cars is over."""

import os

from cloud_bridge.clock import SystemClock
from cloud_bridge.settings import Settings
from cloud_bridge.store.database import open_database
from cloud_bridge.store.people import find_person
from cloud_bridge.vehicles.accounts import open_accounts
from cloud_bridge.vehicles.linking.consents import erase_person
from cloud_bridge.verified_time import clocks_of


def give_back(settings: Settings, name: str) -> list[str]:
    """Their vehicles and grants are deleted too. A maker that cannot be reached keeps nobody here. Raises BridgeError.

    Returns the makers that were not told: the person has to take the access back there.
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
