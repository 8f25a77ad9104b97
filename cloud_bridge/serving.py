"""The running bridge: broker, pages and recorder in one process on one event loop."""

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.alerts.alarm import Alarm
from cloud_bridge.alerts.delivery import Means
from cloud_bridge.alerts.letters import Letters
from cloud_bridge.alerts.mail import read_server
from cloud_bridge.alerts.push_key import PushKey
from cloud_bridge.app_state import AppState
from cloud_bridge.authority_files import know_present_authority
from cloud_bridge.authority_sender import AuthoritySender
from cloud_bridge.clock import Clock, SystemClock
from cloud_bridge.connection_limits import Budget, divide
from cloud_bridge.counters import Counters
from cloud_bridge.errors import PortBusy, SettingError, StoreUnusable
from cloud_bridge.ingest.certificate import Certificate
from cloud_bridge.ingest.credentials import LOOKUPS_AT_ONCE, Credentials
from cloud_bridge.ingest.embedded import EmbeddedBroker
from cloud_bridge.ingest.home_assistant import Discovery
from cloud_bridge.ingest.inbound import Ingest, Reporting
from cloud_bridge.ingest.mqtt import MqttIngest
from cloud_bridge.ingest.unit_registry import UnitRegistry
from cloud_bridge.ingest.unknown_clients import UnknownClients
from cloud_bridge.listening_sockets import LOOPBACK, open_sockets
from cloud_bridge.passwords import Passwords, PasswordTurns
from cloud_bridge.second_factor import SecondFactors
from cloud_bridge.security_log import SecurityLog
from cloud_bridge.settings import Settings
from cloud_bridge.store.database import RESTORE, Database, open_database
from cloud_bridge.store.recorder import Recorder
from cloud_bridge.store.shard_lock import LOOK_EVERY_S, ShardLock, ShardTaken, hold_shard
from cloud_bridge.telling_time import TimeTeller
from cloud_bridge.timekeeping import begin_time, follow_steps
from cloud_bridge.unit_reports import UnitReports
from cloud_bridge.upkeep import Upkeep
from cloud_bridge.vehicles.accounts import open_accounts
from cloud_bridge.vehicles.polling.poller import poll_for_ever
from cloud_bridge.vehicles.tokens.keys import key_source
from cloud_bridge.verified_time import Clocks
from cloud_bridge.web.app import create_app
from cloud_bridge.web.http_protocol import PageConnections
from cloud_bridge.web.server import PageServer

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)  # the last when a terminal is closed
_log = logging.getLogger(__name__)

CHECK_WITHIN_S = 10.0  # for the check of the database at a start; `doctor` checks all of a larger one


def _open_sound(where: Path | str) -> Database:
    """The database, after a look at the whole of it: a damaged one is not written to. Raises StoreUnusable."""
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
async def open_app_state(settings: Settings, clock_from: Callable[[int], Clock]) -> AsyncIterator[AppState]:
    """Open the store and build everything on it; at the end, write what waits. Listens nowhere yet.

    `clock_from` makes the clock, given the latest time that the store knows. Raises StoreUnusable, SettingError and
    ShardTaken.
    """
    database = _open_sound(settings.store)
    try:
        with hold_shard(database, settings.shard.number) as shard_lock:  # before anything is written in its name
            async with _app_state_on(database, shard_lock, settings, clock_from) as app_state:
                yield app_state
    finally:
        database.close()


@asynccontextmanager
async def _app_state_on(
    database: Database, shard_lock: ShardLock, settings: Settings, clock_from: Callable[[int], Clock]
) -> AsyncIterator[AppState]:
    clock, live, ledger, verified, between = begin_time(database, clock_from, settings.shard)
    # Before any thread: it may refuse the settings.
    accounts = open_accounts(database, Clocks(clock, verified), settings, os.environ)
    passwords = Passwords()
    loop = asyncio.get_running_loop()
    recording, at_the_door = database.separate(1), database.separate(LOOKUPS_AT_ONCE)
    recorder = Recorder(recording, loop, clock.now_ms, ledger)
    counters = Counters()
    security_log = SecurityLog(database, Clocks(clock, verified))
    unit_reports = UnitReports(database, clock, f"part {settings.shard.number}")
    unit_reports.all_away()
    reporting = Reporting(counters, security_log, unit_reports)
    ingest = Ingest(live, recorder, reporting, Clocks(clock, verified), settings.shard)
    unknown_clients = UnknownClients()
    broker: EmbeddedBroker | MqttIngest
    if settings.broker is None:
        broker = EmbeddedBroker(ingest, Credentials(at_the_door), unknown_clients, security_log, connection_budget())
    else:
        unit_registry = UnitRegistry(at_the_door, clock)
        discovery = Discovery(settings.public_url) if settings.home_assistant else None
        broker = MqttIngest(settings.broker, ingest, unit_registry, unknown_clients, discovery)
    letters = Letters(settings.mail, counters)
    upkeep = Upkeep(database, live, ledger, Clocks(clock, verified), settings.shard)
    follow_steps(clock, live, ledger, verified, recorder, upkeep, counters, settings.shard.number, between)
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
            PushKey(settings.folder, push_contact(settings)),
        )
    finally:
        accounts.close()
        await asyncio.to_thread(letters.close)
        with suppress(SQLAlchemyError):
            await asyncio.to_thread(security_log.write)
            await asyncio.to_thread(unit_reports.write)
            await asyncio.to_thread(unit_reports.all_away)
        await asyncio.to_thread(recorder.close)
        if recorder.trouble is None:
            with suppress(SQLAlchemyError):  # else what was stored a minute ago holds
                await asyncio.to_thread(upkeep.keep_time)
        await asyncio.to_thread(passwords.close)
        for one in (recording, at_the_door):
            one.close()


def push_contact(settings: Settings) -> str:
    """How push services reach whoever runs this (RFC 8292, section 2.1): by the pages, else by the sender of the letters."""
    if settings.public_url is not None and settings.public_url.startswith("https://"):
        return settings.public_url
    return f"mailto:{read_server(settings.mail).sender if settings.mail else 'chargekeeper@localhost'}"


async def serve(settings: Settings, ready: Callable[[int, int, int | None], None]) -> None:
    """Serve until a signal of ENDING. `ready(http_port, mqtt_port, mqtts_port)` is called once all are open.

    Raises StoreUnusable, SettingError, ShardTaken and PortBusy.
    """
    raise_file_limit()
    if settings.mail is not None:
        read_server(settings.mail)  # it may refuse the setting
    async with open_app_state(settings, SystemClock) as app_state:
        know_present_authority(app_state.database, settings)
        alarm = Alarm(
            app_state.database,
            app_state.clock,
            Means(settings.mail, settings.public_url, app_state.push_key),
            app_state.counters,
            {name: provider.title for name, provider in app_state.accounts.catalogue.providers.items()},
        )
        connections = PageConnections(connection_budget(), app_state.counters, settings.proxies)
        with _listen(settings.host, settings.http_port) as http:
            server = PageServer(create_app(app_state), connections, app_state.counters, settings.proxies)
            async with _way_in(app_state) as (mqtt_port, mqtts_port):
                duties = asyncio.gather(
                    app_state.broker.canary().run(app_state.duties),
                    TimeTeller(app_state).run(),
                    AuthoritySender(app_state).run(),
                    app_state.upkeep.run(alarm, app_state.duties),
                    app_state.security_log.run(app_state.duties),
                    app_state.unit_reports.run(app_state.duties),
                    _keep_shard(app_state, server.stop),
                    poll_for_ever(app_state.accounts, app_state.duties),
                )
                _end_by_signal(server.stop)
                _collect_less_garbage()
                ready(http[0].getsockname()[1], mqtt_port, mqtts_port)
                try:
                    await server.serve(sockets=http)
                finally:
                    duties.cancel()
                    with suppress(asyncio.CancelledError):
                        await duties
                    await asyncio.to_thread(alarm.close)
    if app_state.shard_lock.lost is not None:
        raise app_state.shard_lock.lost


async def serve_shard(settings: Settings) -> None:
    """Only take in one part of an outside broker's units, until a signal of ENDING; the pages are another process's.

    Raises StoreUnusable, ShardTaken, and SettingError when there is no such broker.
    """
    if settings.broker is None:
        raise SettingError("set CHARGEKEEPER_BROKER: only an outside broker's units can be shared by processes")
    raise_file_limit()
    stop = asyncio.Event()
    _end_by_signal(stop.set)
    async with open_app_state(settings, SystemClock) as app_state, _way_in(app_state):
        duties = asyncio.gather(
            app_state.broker.canary().run(app_state.duties),
            TimeTeller(app_state).run(),
            app_state.unit_reports.run(app_state.duties),
            _keep_shard(app_state, stop.set),
        )
        try:
            await stop.wait()
        finally:
            duties.cancel()
            with suppress(asyncio.CancelledError):
                await duties
    if app_state.shard_lock.lost is not None:
        raise app_state.shard_lock.lost


async def _keep_shard(app_state: AppState, stop: Callable[[], None]) -> None:
    """For ever. Ends a process whose shard another one has taken while the database was away."""

    def look() -> None:
        try:
            app_state.shard_lock.look()
        except ShardTaken:
            app_state.loop.call_soon_threadsafe(stop)
            raise

    await app_state.duties.every(LOOK_EVERY_S, "shard_lock", partial(asyncio.to_thread, look))


def _end_by_signal(end: Callable[[], None]) -> None:
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it for SIGHUP
            asyncio.get_running_loop().add_signal_handler(number, end)


def raise_file_limit() -> None:
    """Every connection is an open file, and the soft limit is often 1,024: up to the hard one, which is the operator's."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connection_budget() -> Budget:
    """For the files that this process may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return divide(soft if soft != resource.RLIM_INFINITY else sys.maxsize)


def _collect_less_garbage() -> None:
    """A full collection walks over every unit and session and stops the process for that long. What is there now stays
    for good, and what comes later is freed by reference counting but for a few cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


@contextmanager
def _listen(host: str, port: int) -> Generator[list[socket.socket], None, None]:
    try:
        listeners = open_sockets(host, port)
    except OSError as error:
        raise _port_busy("CHARGEKEEPER_HTTP_PORT", port, error) from error
    with ExitStack() as closing:
        for listener in listeners:
            closing.enter_context(listener)
        yield listeners


@asynccontextmanager
async def _way_in(app_state: AppState) -> AsyncIterator[tuple[int, int | None]]:
    """The ports we listen on for units: plain and TLS; 0 and None when their broker is an outside one.

    Closed at the end, and when only one of the ports could be had: a broker that was started has to be stopped.
    """
    try:
        if isinstance(app_state.broker, EmbeddedBroker):
            await _start_broker(app_state.settings, app_state.broker)
            yield app_state.broker.port, app_state.broker.tls_port
        elif isinstance(app_state.broker, MqttIngest):
            app_state.broker.start()
            yield 0, None
    finally:
        await app_state.broker.stop()


async def _start_broker(settings: Settings, broker: EmbeddedBroker) -> None:
    """Plain MQTT on this machine; TLS wherever asked for, when there is a certificate."""
    plain_host = settings.host if settings.mqtt_plain_anywhere else LOOPBACK
    try:
        await broker.start(plain_host, settings.mqtt_port)
    except OSError as error:
        raise _port_busy("CHARGEKEEPER_MQTT_PORT", settings.mqtt_port, error) from error
    if settings.tls_cert is None:
        return
    certificate = Certificate(settings.tls_cert, settings.tls_key or settings.tls_cert)
    try:
        await broker.start_tls(settings.host, settings.mqtts_port, certificate)
    except OSError as error:
        raise _port_busy("CHARGEKEEPER_MQTTS_PORT", settings.mqtts_port, error) from error


def _port_busy(variable: str, port: int, error: OSError) -> PortBusy:
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror  # asyncio's own is wordy
    return PortBusy(f"cannot listen on port {port} ({reason}): free it, or set {variable} to another port")
