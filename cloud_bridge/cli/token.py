"""`python -m cloud_bridge token ...`: API tokens and their scopes."""

import argparse
from contextlib import closing
from typing import Any

from cloud_bridge.cli.area import Answer, Area
from cloud_bridge.cli.security_log import record
from cloud_bridge.clock import SystemClock, iso_utc
from cloud_bridge.durations import DAY_MS
from cloud_bridge.errors import BridgeError
from cloud_bridge.settings import Settings
from cloud_bridge.store import tokens
from cloud_bridge.store.access import Scope
from cloud_bridge.store.database import open_database
from cloud_bridge.store.people import find_person
from cloud_bridge.store.security_events import Kind

DAYS_MAX = 3650


def declare(area: Area) -> None:
    new = area.command("add", "create an API token, and print it once", add)
    new.add_argument("--name", default="", help="purpose of the token")
    new.add_argument("--user", help="person whose access the token has; default: access to everything")
    new.add_argument(
        "--scope", action="append", choices=[scope.value for scope in Scope], help="scope of the token; may be repeated"
    )
    new.add_argument("--days", type=days, help="days until the token expires; default: never")
    area.command("list", "list the API tokens", show)
    area.command("remove", "remove an API token", remove).add_argument("number", type=int)


def add(settings: Settings, options: argparse.Namespace) -> Answer:
    scopes = [Scope(scope) for scope in options.scope or [Scope.READ]]
    with closing(open_database(settings.store)) as database, database.writing() as connection:
        person_id = None if options.user is None else find_person(connection, options.user).id
        now_ms = SystemClock().now_ms()
        ends_ms = None if options.days is None else now_ms + options.days * DAY_MS
        record(connection, Kind.TOKEN_ADDED, " ".join(scopes), person_id)
        return {"token": tokens.add_token(connection, now_ms, scopes, options.name, person_id, ends_ms)}


def show(settings: Settings, _options: argparse.Namespace) -> Answer:
    with closing(open_database(settings.store)) as database, database.reading() as connection:
        return [_readable(row) for row in tokens.list_tokens(connection)]


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row with its times as ISO 8601."""
    times = {name.removesuffix("_ms"): row.pop(name) for name in ("created_ms", "expires_ms", "used_ms")}
    return row | {name: None if at_ms is None else iso_utc(at_ms) for name, at_ms in times.items()}


def days(text: str) -> int:
    """Parse the lifetime of a token for argparse."""
    if not text.isdecimal() or not 1 <= int(text) <= DAYS_MAX:
        raise argparse.ArgumentTypeError(f"1 to {DAYS_MAX} days")
    return int(text)


def remove(settings: Settings, options: argparse.Namespace) -> Answer:
    with closing(open_database(settings.store)) as database, database.writing() as connection:
        if not 0 < options.number < 2**63 or not tokens.remove_token(connection, options.number):
            raise BridgeError(f"there is no token number {options.number}")
        record(connection, Kind.TOKEN_REMOVED, f"number {options.number}")
    return {"number": options.number, "removed": True}
