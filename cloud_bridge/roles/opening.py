"""Opens what every process of ours needs: store, clock, and the way in for units or the way out to them."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from socket import gethostname

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.alerts.letters import Letters
from cloud_bridge.alerts.mail import read_server
from cloud_bridge.alerts.push_key import PushKey
from cloud_bridge.app_state import AppState, Broker
from cloud_bridge.client_address import Proxies
from cloud_bridge.clock import Clock
from cloud_bridge.counters import Counters
from cloud_bridge.errors import StoreUnusable
from cloud_bridge.ingest.admission import Admission
from cloud_bridge.ingest.cluster.command_sender import CommandSender
from cloud_bridge.ingest.cluster.membership import Membership
from cloud_bridge.ingest.cluster.ocpp_link import OcppLink
from cloud_bridge.ingest.credentials import LOOKUPS_AT_ONCE, Credentials
from cloud_bridge.ingest.embedded import EmbeddedBroker
from cloud_bridge.ingest.home_assistant import Discovery
from cloud_bridge.ingest.inbound import Ingest, Reporting
from cloud_bridge.ingest.jetstream import JetStreamIngest
from cloud_bridge.ingest.mqtt import MqttIngest
from cloud_bridge.ingest.ocpp.door import Limits, OcppDoor
from cloud_bridge.ingest.ocpp.others import Alone, Others
from cloud_bridge.ingest.ocpp.stored_charger import stored_charger
from cloud_bridge.ingest.shard import AT_DOOR, NONE
from cloud_bridge.ingest.unit_registry import UnitRegistry
from cloud_bridge.ingest.unknown_clients import UnknownClients
from cloud_bridge.ingest.update_pieces import UpdatePieces
from cloud_bridge.passwords import Passwords, PasswordTurns
from cloud_bridge.paths import OCPP, OCPP_NAME
from cloud_bridge.roles.process import connection_budget
from cloud_bridge.roles.role import Role
from cloud_bridge.second_factor import SecondFactors
from cloud_bridge.security_log import SecurityLog
from cloud_bridge.settings import Settings
from cloud_bridge.store.database import RESTORE, Database, open_database, open_standby
from cloud_bridge.store.leadership import Leadership, lock_of
from cloud_bridge.store.recorder import Recorder
from cloud_bridge.store.shard_lock import ShardLock, hold_shard
from cloud_bridge.store.standby import Standby
from cloud_bridge.store.units import Protocol
from cloud_bridge.timekeeping import begin_time, begin_time_beside, follow_steps, follow_steps_beside
from cloud_bridge.unit_reports import UnitReports
from cloud_bridge.upkeep import Upkeep
from cloud_bridge.vehicles.accounts import open_accounts
from cloud_bridge.vehicles.tokens.keys import key_source
from cloud_bridge.verified_time import Clocks

CHECK_WITHIN_S = 10.0  # for the check of the database at start; `doctor` checks a larger one completely


def _open_sound(where: Path | str) -> Database:
    """Open the database and check it first, so that nothing is written to a damaged one. Raises StoreUnusable."""
    database = open_database(where)
    try:
        damage = database.damage(CHECK_WITHIN_S)
    except SQLAlchemyError as error:
        damage = str(getattr(error, "orig", None) or error)
    if damage is not None:
        database.close()
        raise StoreUnusable(f"the database is damaged: {damage}. {RESTORE}")
    return database


@asynccontextmanager
async def open_app_state(
    settings: Settings, clock_from: Callable[[int], Clock], role: Role = Role.ALL
) -> AsyncIterator[AppState]:
    """Open the store and build everything on it; at the end, write what waits. It does not listen on any port yet.

    `clock_from` makes the clock, given the latest time that the store knows. Raises StoreUnusable, SettingError and
    ShardTaken.
    """
    database = _open_sound(settings.store)
    try:
        takes_part = role.has_way_in and settings.cluster is None
        # Before anything is written in its name.
        with hold_shard(database, settings.shard.number, is_shared=not takes_part) as shard_lock:
            async with _app_state_on(database, shard_lock, settings, clock_from, role) as app_state:
                yield app_state
    finally:
        database.close()


@asynccontextmanager
async def _app_state_on(
    database: Database, shard_lock: ShardLock, settings: Settings, clock_from: Callable[[int], Clock], role: Role
) -> AsyncIterator[AppState]:
    if settings.cluster is None and not role.has_way_in:
        shard = NONE
        clock, live, ledger, verified, between = begin_time_beside(database, clock_from)
    else:
        shard, paths = settings.shard, None if settings.cluster is None else settings.cluster.paths
        if role is Role.OCPP:
            shard, paths = AT_DOOR, {OCPP: OCPP_NAME}
        clock, live, ledger, verified, between = begin_time(database, clock_from, shard, paths)
    # Before any thread: it may refuse the settings.
    accounts = open_accounts(database, Clocks(clock, verified), settings, os.environ)
    passwords = Passwords()
    loop = asyncio.get_running_loop()
    recording, at_the_door = database.separate(1), database.separate(LOOKUPS_AT_ONCE)
    recorder = Recorder(recording, loop, clock.now_ms, ledger)
    counters = Counters()
    security_log = SecurityLog(database, Clocks(clock, verified))
    door = f"ocpp {gethostname()}:{settings.ocpp_port or settings.ocpps_port}" if role is Role.OCPP else ""
    unit_reports = UnitReports(
        database, clock, door or f"part {shard.number}"
    )  # in a cluster, only for a door for OCPP
    unit_reports.all_away()
    unknown_clients = UnknownClients(database)
    of_updates = database.separate(1)
    pieces = UpdatePieces(of_updates, verified, counters, settings.update_bytes, loop.time)
    reporting = Reporting(counters, security_log, unit_reports, unknown_clients, pieces)
    ingest = Ingest(live, recorder, reporting, Clocks(clock, verified), shard)
    broker: Broker
    others: Others = Alone()
    if settings.cluster is not None and role is Role.OCPP:
        broker = others = OcppLink(settings.cluster, door, ingest.duties)
    elif settings.cluster is not None:
        broker = commands = CommandSender(settings.cluster, f"chargekeeper {role}", clock, counters, ingest.duties)
        if role.has_way_in:
            broker = JetStreamIngest(settings.cluster, ingest, Membership(at_the_door), unknown_clients, commands)
    elif settings.broker is not None:
        unit_registry = UnitRegistry(at_the_door, clock)
        discovery = Discovery(settings.public_url) if settings.home_assistant else None
        broker = MqttIngest(settings.broker, ingest, unit_registry, unknown_clients, discovery)
    else:
        broker = EmbeddedBroker(ingest, Credentials(at_the_door), unknown_clients, security_log, connection_budget())
    ocpp = None
    if role in (Role.ALL, Role.OCPP) and (settings.ocpp_port is not None or settings.ocpps_port is not None):
        at_its_door = Credentials(at_the_door, protocol=Protocol.OCPP)
        admission = Admission(at_its_door, unknown_clients, security_log, counters, clock)
        limits = Limits(connection_budget(), Proxies(settings.proxies))
        ocpp = OcppDoor(ingest, admission, partial(stored_charger, database), limits, others)
    letters = Letters(settings.mail, counters)
    standby = _standby_of(settings, database, counters)
    upkeep = Upkeep(database, live, ledger, Clocks(clock, verified), shard)
    if role.has_way_in:
        moved = NONE if role is Role.OCPP else shard  # the path shared by all doors follows no single clock
        follow_steps(clock, live, ledger, verified, recorder, upkeep, counters, moved.number, between)
    else:
        follow_steps_beside(clock, ledger, verified, upkeep)
    leadership = Leadership(lock_of(database), clock)
    try:
        yield AppState(
            settings,
            clock,
            database,
            recorder,
            live,
            ledger,
            counters,
            broker,
            upkeep,
            unknown_clients,
            accounts,
            PasswordTurns(passwords),
            loop,
            security_log,
            ingest.duties,
            verified,
            SecondFactors(database, key_source(settings.folder, os.environ)),
            letters,
            unit_reports,
            shard_lock,
            standby,
            PushKey(settings.folder, push_contact(settings)),
            leadership,
            pieces,
            ocpp,
        )
    finally:
        accounts.close()
        await asyncio.to_thread(leadership.close)
        await asyncio.to_thread(letters.close)
        with suppress(SQLAlchemyError):
            await asyncio.to_thread(security_log.write)
            await asyncio.to_thread(unknown_clients.write)
            await asyncio.to_thread(unit_reports.write)
            await asyncio.to_thread(unit_reports.all_away)
        await asyncio.to_thread(recorder.close)
        if recorder.trouble is None:
            with suppress(SQLAlchemyError):  # if it fails, what was stored a minute ago stays valid
                await asyncio.to_thread(upkeep.keep_time)
        await asyncio.to_thread(passwords.close)
        if standby is not None:
            standby.close()
        for one in (recording, at_the_door, of_updates):
            one.close()


def _standby_of(settings: Settings, database: Database, counters: Counters) -> Standby | None:
    def fell_back() -> None:
        counters.standby_fallbacks += 1

    if settings.database_read is None:
        return None
    return Standby(open_standby(settings.database_read), database, fell_back)


def push_contact(settings: Settings) -> str:
    """How push services can reach the operator (RFC 8292, section 2.1): the address of the pages, else the sender
    address of our e-mails."""
    if settings.public_url is not None and settings.public_url.startswith("https://"):
        return settings.public_url
    return f"mailto:{read_server(settings.mail).sender if settings.mail else 'chargekeeper@localhost'}"
