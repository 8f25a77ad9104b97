"""`python -m cloud_bridge unit ...`: charge points. The running bridge notices the changes within a second.

An outside broker stores secrets of its own. After `add`, `secret` and `revoke` it is reloaded if possible; otherwise the
answer says what is left to do, and what applies until then (mosquitto_reload.py).
"""

import argparse
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from cloud_bridge.cli import unit_northbound
from cloud_bridge.cli.area import Answer, Area
from cloud_bridge.cli.mosquitto_reload import reload_broker
from cloud_bridge.cli.security_log import record
from cloud_bridge.cli.unit_file import read_ids
from cloud_bridge.cli.unit_label import label, new_label
from cloud_bridge.clock import SystemClock, iso_utc
from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.errors import BridgeError
from cloud_bridge.ingest.ocpp.identity import encoded, unit_id_of, why_not
from cloud_bridge.settings import Settings, as_host, reachable
from cloud_bridge.store import claims, units
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.people import find_person
from cloud_bridge.store.secrets import is_authorization_key, is_strong
from cloud_bridge.store.security_events import Kind
from cloud_bridge.store.units import Protocol
from cloud_bridge.text import is_storable


def declare(area: Area) -> None:
    adding = area.command("add", "add one or more charge points, and print secret and claim code of each once", add)
    adding.add_argument("id", nargs="?")
    adding.add_argument("--file", type=Path, help="add the ids in this file, one on each line: all or none")
    about = (
        "it speaks OCPP 1.6J or 2.0.1 instead of our own wire format; its secret is the AuthorizationKey, 20 characters"
    )
    adding.add_argument("--ocpp", action="store_true", help=about)
    about = "set after how many minutes without a message it counts as silent; default: 30"
    area.command("silence", about, silence, "id").add_argument("minutes", type=int)
    area.command("list", "list the charge points: protocol, owner, last contact", show)
    changing = area.command("secret", "set a new secret, and print it once; ends its connection", secret, "id")
    for parser in (adding, changing):
        parser.add_argument("--secret", choices=["-"], help="read the secret that the unit made from standard input")
    adding.add_argument("--label", metavar="FILE.svg", help="write its label, with the claim code, to this new file")
    about = "write its label to a new file, with a new claim code; the former label becomes invalid"
    labelling = area.command("label", about, label, "id")
    labelling.add_argument("--out", required=True, metavar="FILE.svg")
    labelling.add_argument("--code", choices=["-"], help="use the present code, read from standard input")
    area.command("revoke", "revoke its secret, and end its connection", revoke, "id")
    about = "claim it for a driver, with the code on its label; - reads the code from standard input"
    area.command("claim", about, claim, "code", "user")
    area.command("release", "remove its owner", release, "id")
    area.command("assign", "assign it to an installer: they see it, and no other installer does", assign, "id", "user")
    area.command("withdraw", "withdraw it from an installer, who then no longer sees it", withdraw, "id", "user")
    unit_northbound.declare(area)


def add(settings: Settings, options: argparse.Namespace) -> Answer:
    if (options.id is None) == (options.file is None):
        raise BridgeError("give one id, or a --file with several")
    if options.file is not None:
        return _add_many(settings, options)
    protocol = _protocol(options)
    made = _made_by_the_unit(options, protocol)
    with ExitStack() as stack:
        file = None if options.label is None else stack.enter_context(new_label(settings, options.label))
        database = stack.enter_context(closing(open_database(settings.store)))
        unit_id = _unit_id(options.id, protocol)
        with database.writing() as connection:
            new = units.add_unit(connection, unit_id, SystemClock().now_ms(), made, protocol)._asdict()
            record(connection, Kind.UNIT_ADDED, unit_id)
        if file is not None:
            file.write(unit_id, new["claim_code"])
        if made:
            del new["secret"]  # the caller knows it already
        if protocol is Protocol.OCPP:
            return new | _at_the_door(settings, options.id)
        return new | _at_the_broker(settings, database, "it cannot log in")


def _add_many(settings: Settings, options: argparse.Namespace) -> Answer:
    if options.secret is not None or options.label is not None:
        raise BridgeError("--secret and --label are for one charge point")
    ids = [_unit_id(one, _protocol(options)) for one in read_ids(options.file)]
    with closing(open_database(settings.store)) as database:
        with database.writing() as connection:
            now_ms = SystemClock().now_ms()
            added = [
                units.add_unit(connection, unit_id, now_ms, protocol=_protocol(options))._asdict() for unit_id in ids
            ]
            record(connection, Kind.UNIT_ADDED, ids[0] if len(ids) == 1 else f"{ids[0]} and {len(ids) - 1} more")
        at_the_broker = _at_the_broker(settings, database, "it cannot log in")
    return [new | at_the_broker for new in added]


def show(settings: Settings, _options: argparse.Namespace) -> Answer:
    with closing(open_database(settings.store)) as database, database.reading() as connection:
        return [
            {
                "id": one.unit_id,
                "protocol": one.protocol,
                "owner": one.owner,
                "claimed": _when(one.claimed_ms),
                "last_contact": _when(one.last_contact_ms),
                "silent_after_minutes": one.silent_after_ms // MINUTE_MS,
            }
            for one in units.listed(connection)
        ]


def silence(settings: Settings, options: argparse.Namespace) -> Answer:
    with closing(open_database(settings.store)) as database, database.writing() as connection:
        units.set_silent_after(connection, options.id, options.minutes * MINUTE_MS)
    return {"id": options.id, "silent_after_minutes": options.minutes}


def secret(settings: Settings, options: argparse.Namespace) -> Answer:
    with closing(open_database(settings.store)) as database:
        with database.reading() as connection:
            protocol = units.protocol_of(connection, options.id)
        made = _made_by_the_unit(options, protocol)
        with database.writing() as connection:
            new = units.change_secret(connection, options.id, SystemClock().now_ms(), made)
            record(connection, Kind.UNIT_SECRET, options.id)
        changed = {"id": options.id} if made else {"id": options.id, "secret": new}
        return changed | _at_the_broker(
            settings,
            database,
            "the old secret is accepted and the new one is not, and a connection with the old one stays open",
        )


def _when(at_ms: int | None) -> str | None:
    return None if at_ms is None else iso_utc(at_ms)


def _unit_id(given: str, protocol: Protocol) -> str:
    """Return the id of a unit. An OCPP charger is given by its identity, which may not be a valid id."""
    if protocol is not Protocol.OCPP:
        return given
    if (reason := why_not(given)) is not None:
        raise BridgeError(f"{given!r} is not an identity of a charger: {reason}")
    return unit_id_of(given)


def _protocol(options: argparse.Namespace) -> Protocol:
    return Protocol.OCPP if options.ocpp else Protocol.MQTT


def _made_by_the_unit(options: argparse.Namespace, protocol: Protocol) -> str | None:
    """Return the secret on standard input, or None without --secret. It is never an argument, because other users can read
    those."""
    if options.secret is None:
        return None
    given = sys.stdin.readline().strip()
    if protocol is Protocol.OCPP:
        if not is_authorization_key(given):
            raise BridgeError("a charger's AuthorizationKey has 16 to 40 characters, without spaces")
        return given
    if not is_strong(given):
        raise BridgeError("a unit's secret has 64 hexadecimal digits, as its console shows it")
    return given


def revoke(settings: Settings, options: argparse.Namespace) -> Answer:
    with closing(open_database(settings.store)) as database:
        with database.writing() as connection:
            units.revoke(connection, options.id, SystemClock().now_ms())
            record(connection, Kind.UNIT_REVOKED, options.id)
        return {"id": options.id, "revoked": True} | _at_the_broker(
            settings,
            database,
            "its secret is accepted and its connection stays open; the bridge ignores its messages after 2 s at most",
        )


def _at_the_door(settings: Settings, identity: str) -> dict[str, Any]:
    """Return the URL and the user name to enter in the charger. The host may have another name in the operator's network."""
    scheme, port = ("wss", settings.ocpps_port) if settings.ocpps_port else ("ws", settings.ocpp_port)
    if not port:
        return {"connect_to": "nowhere yet: set CHARGEKEEPER_OCPP_PORT or CHARGEKEEPER_OCPPS_PORT", "user": identity}
    where = f"{scheme}://{as_host(reachable(settings.host))}:{port}/ocpp/{encoded(identity)}"
    return {"connect_to": where, "user": identity}


def _at_the_broker(settings: Settings, database: Database, until_then: str) -> dict[str, Any]:
    """Return what happened at an outside broker. Empty for the embedded broker, which reads the store."""
    done = reload_broker(settings, database)
    if done is None:
        return {}
    return {
        "broker_reloaded": done.is_done,
        "broker": done.text if done.is_done else f"{done.text}. Until then {until_then}",
    }


def claim(settings: Settings, options: argparse.Namespace) -> Answer:
    code = sys.stdin.readline().strip() if options.code == "-" else options.code
    if not is_storable(code):
        raise BridgeError("this code is not right")
    with closing(open_database(settings.store)) as database, database.writing() as connection:
        person = find_person(connection, options.user)
        unit_id = claims.claim(connection, person, code, SystemClock().now_ms())
        record(connection, Kind.CLAIMED, unit_id, person.id)
    return {"id": unit_id, "owner": person.name}


def release(settings: Settings, options: argparse.Namespace) -> Answer:
    with closing(open_database(settings.store)) as database, database.writing() as connection:
        if not claims.release(connection, options.id, now_ms=SystemClock().now_ms()):
            raise BridgeError(f"there is no unit {options.id} with an owner")
        record(connection, Kind.RELEASED, options.id)
    return {"id": options.id, "owner": None}


def assign(settings: Settings, options: argparse.Namespace) -> Answer:
    with closing(open_database(settings.store)) as database, database.writing() as connection:
        if options.id not in units.unit_ids(connection):
            raise BridgeError(f"there is no unit {options.id}")
        person = find_person(connection, options.user)
        claims.assign(connection, options.id, person, SystemClock().now_ms())
        record(connection, Kind.INSTALLER_ASSIGNED, options.id, person.id)
    return {"id": options.id, "installer": options.user}


def withdraw(settings: Settings, options: argparse.Namespace) -> Answer:
    with closing(open_database(settings.store)) as database, database.writing() as connection:
        person = find_person(connection, options.user)
        if not claims.withdraw(connection, options.id, person.id, SystemClock().now_ms()):
            raise BridgeError(f"there is no unit {options.id} that is assigned to {options.user}")
        record(connection, Kind.INSTALLER_WITHDRAWN, options.id, person.id)
    return {"id": options.id, "installer": None}
