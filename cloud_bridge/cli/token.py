"""`python -m cloud_bridge token ...`: API tokens, each with what it may do."""

import argparse

from cloud_bridge.cli.area import Answer, Area
from cloud_bridge.cli.security_log import record
from cloud_bridge.clock import SystemClock
from cloud_bridge.errors import BridgeError
from cloud_bridge.settings import Settings
from cloud_bridge.store import tokens
from cloud_bridge.store.access import Scope
from cloud_bridge.store.database import open_database
from cloud_bridge.store.people import find_person
from cloud_bridge.store.security_events import Kind


def declare(area: Area) -> None:
    new = area.command("add", "make an API token; prints it once", add)
    new.add_argument("--name", default="", help="what it is for")
    new.add_argument("--user", help="sees what this person sees; without it, all")
    new.add_argument(
        "--scope", action="append", choices=[scope.value for scope in Scope], help="what it may do; may be repeated"
    )
    area.command("list", "list the API tokens", show)
    area.command("remove", "a token is of no use any more", remove).add_argument("number", type=int)


def add(settings: Settings, options: argparse.Namespace) -> Answer:
    scopes = [Scope(scope) for scope in options.scope or [Scope.READ]]
    with open_database(settings.store).writing() as connection:
        person_id = None if options.user is None else find_person(connection, options.user).id
        record(connection, Kind.TOKEN_ADDED, " ".join(scopes), person_id)
        return {"token": tokens.add_token(connection, SystemClock().now_ms(), scopes, options.name, person_id)}


def show(settings: Settings, _options: argparse.Namespace) -> Answer:
    with open_database(settings.store).reading() as connection:
        return tokens.list_tokens(connection)


def remove(settings: Settings, options: argparse.Namespace) -> Answer:
    with open_database(settings.store).writing() as connection:
        if not 0 < options.number < 2**63 or not tokens.remove_token(connection, options.number):
            raise BridgeError(f"there is no token number {options.number}")
        record(connection, Kind.TOKEN_REMOVED, f"number {options.number}")
    return {"number": options.number, "removed": True}
