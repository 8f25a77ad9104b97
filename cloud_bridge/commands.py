"""What the operator types beside the running bridge: units, tokens and users. Each prints its secret once."""

from typing import Any

from cloud_bridge.clock import SystemClock
from cloud_bridge.settings import Settings
from cloud_bridge.store.database import open_database
from cloud_bridge.store.people import Role, add_person
from cloud_bridge.store.secrets import new_secret
from cloud_bridge.store.tokens import add_token
from cloud_bridge.store.units import add_unit, visible_units

PASSWORD_LENGTH = 16  # of 64 symbols: 96 bits, and still typed on a phone


def unit_add(settings: Settings, unit_id: str) -> dict[str, Any]:
    with open_database(settings.folder).writing() as connection:
        return add_unit(connection, unit_id, SystemClock().now_ms())._asdict()


def unit_list(settings: Settings) -> list[dict[str, Any]]:
    with open_database(settings.folder).reading() as connection:
        return [{"id": unit.id} for unit in visible_units(connection, None)]


def token_add(settings: Settings) -> dict[str, Any]:
    with open_database(settings.folder).writing() as connection:
        return {"token": add_token(connection, SystemClock().now_ms())}


def user_add(settings: Settings, name: str, role: Role) -> dict[str, Any]:
    password = new_secret()[:PASSWORD_LENGTH]
    with open_database(settings.folder).writing() as connection:
        add_person(connection, name, password, role, SystemClock().now_ms())
    return {"user": name, "password": password}
