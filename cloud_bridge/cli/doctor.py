"""`python -m cloud_bridge doctor`: is everything that the bridge stands on in order? Each answer says what to do."""

import argparse
import ctypes
import ipaddress
import json
import os
import resource
import shlex
import shutil
import socket
import stat
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

from cloud_bridge.alerts.mail import read_server
from cloud_bridge.authority_files import present_authority
from cloud_bridge.cli.area import Answer
from cloud_bridge.connection_limits import files_for
from cloud_bridge.errors import BridgeError
from cloud_bridge.settings import Settings, as_host, reachable
from cloud_bridge.store.database import RESTORE, open_database
from cloud_bridge.store.units import count_units
from cloud_bridge.troubles import SOONEST_DAYS
from cloud_bridge.vehicles.providers import catalogue
from cloud_bridge.vehicles.providers.catalogue import read_catalogue
from cloud_bridge.vehicles.tokens.keys import key_source
from cloud_bridge.vehicles.tokens.vault import Vault

FREE_BYTES = 500_000_000
SOON = timedelta(days=21)
ANSWER_WITHIN_S = 5
CLOCK_UNSYNCHRONISED = 5  # TIME_ERROR, adjtimex(2)
PRIVATE = (
    "chargekeeper.db*",
    "vehicle-keys.json",
    "vehicles.toml",
    "tls/*.key",
    "tls-next/*.key",
    "mosquitto/*",
)  # in the data folder
OTHERS, GROUP = stat.S_IRWXO, stat.S_IRWXG


class Ill(Exception):
    """What is not in order, and what to do."""


def run(settings: Settings, _options: argparse.Namespace) -> Answer:
    """One row for each check."""
    rows = []
    for check in CHECKS:
        try:
            rows.append({"check": check.__name__, "ok": True, "found": check(settings)})
        except (Ill, BridgeError) as ill:
            rows.append({"check": check.__name__, "ok": False, "found": str(ill)})
    return rows


def clock(_settings: Settings) -> str:
    """Whether somebody keeps this machine's time: every contact is stamped with it."""
    buffer = ctypes.create_string_buffer(512)  # struct timex, only to be read: modes = 0
    try:
        state = ctypes.CDLL(None).adjtimex(buffer)
    except AttributeError:
        return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC; this system does not tell whether it is synchronised"
    if state == CLOCK_UNSYNCHRONISED:
        raise Ill("the clock is not synchronised: start chrony or systemd-timesyncd")
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, synchronised"


def disk(settings: Settings) -> str:
    there = next(
        path for path in (settings.folder, *settings.folder.parents) if path.exists()
    )  # before the first start
    try:
        free = shutil.disk_usage(there).free
    except OSError as error:
        raise Ill(f"{settings.folder}: {error.strerror}") from error
    if free < FREE_BYTES:
        raise Ill(f"{free // 1_000_000} MB free in {settings.folder}: make room, or nothing can be acknowledged")
    return f"{free // 1_000_000} MB free in {settings.folder}"


def database(settings: Settings) -> str:
    opened = open_database(settings.store)
    try:
        damage = opened.damage()
        if damage is not None:
            raise Ill(f"the database is damaged: {damage}. {RESTORE}")
        return f"{opened.kind}, in order"
    finally:
        opened.close()


def broker(settings: Settings) -> str:
    """The running bridge says whether its canary comes through."""
    said = _health(settings)
    if "listening" not in said:
        return _told_a_stranger(said, "whether its canary comes through")
    if not said["listening"]:
        raise Ill(
            "the bridge runs, but its canary does not come through the broker, or a process of another part of the units "
            "(CHARGEKEEPER_PART) does not run: see their logs"
        )
    return f"listening, {said['connections']} connections"


def duties(settings: Settings) -> str:
    """Whether what the running bridge does again and again has succeeded lately."""
    said = _health(settings)
    if "duties" not in said:
        return _told_a_stranger(said, "when each succeeded last")
    states = said["duties"]
    ill = [
        f"{name} last succeeded {state['age_s']:.0f} s ago, {state['failures']} failures"
        for name, state in states.items()
        if state["late"]
    ]
    if ill:
        raise Ill(f"{'; '.join(ill)}: see the log of the bridge")
    ages = ", ".join(f"{name} {state['age_s']:.0f} s" for name, state in states.items())
    return f"all in time; last success of {ages or 'none'} ago"


def _told_a_stranger(said: dict[str, Any], more: str) -> str:
    """What the bridge tells whoever has no token. Raises Ill."""
    if said.get("status") != "ok":
        raise Ill("the bridge is in trouble: set CHARGEKEEPER_API_TOKEN to be told why, or see its log")
    return f"all in time; set CHARGEKEEPER_API_TOKEN to be told {more}"


def _health(settings: Settings) -> dict[str, Any]:
    """What the running bridge says of itself. Raises Ill."""
    url = f"http://{as_host(reachable(settings.host))}:{settings.http_port}/healthz"
    try:
        headers = {} if settings.api_token is None else {"Authorization": f"Bearer {settings.api_token}"}
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=ANSWER_WITHIN_S) as answer:
            said: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        error.close()
        raise Ill(f"the bridge is in trouble: {url} answers {error.code}") from error
    except (OSError, ValueError) as error:
        raise Ill(f"the bridge does not answer at {url}: start it") from error
    return said


def limits(settings: Settings) -> str:
    """Every connection is an open file; the bridge raises its soft limit to the hard one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = open_database(settings.store)
    try:
        with opened.reading() as connection:
            count = count_units(connection)
    finally:
        opened.close()
    needed = files_for(0 if settings.broker else count)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise Ill(
            f"at most {hard:,} open files, and {count:,} units want {needed:,}: raise it (LimitNOFILE= of systemd)"
        )
    return f"at most {'any number' if hard == resource.RLIM_INFINITY else f'{hard:,}'}, {needed:,} are enough"


def tls(settings: Settings) -> str:
    if settings.tls_cert is None:
        return "none: units reach us only on this machine, or behind a broker"
    try:
        certificate = x509.load_pem_x509_certificate(settings.tls_cert.read_bytes())
    except OSError as error:
        raise Ill(f"CHARGEKEEPER_TLS_CERT, {settings.tls_cert}, cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise Ill(f"CHARGEKEEPER_TLS_CERT, {settings.tls_cert}, holds no certificate in PEM") from error
    ends = certificate.not_valid_after_utc
    if ends - datetime.now(UTC) < SOON:
        raise Ill(f"the certificate ends on {ends:%d %b %Y}: renew it; it is loaded without a restart")
    authority = present_authority(settings)
    if authority is None:
        return f"good until {ends:%d %b %Y}"
    authority_ends = datetime.fromtimestamp(authority.expires_ms / 1000, UTC)
    if authority_ends - datetime.now(UTC) < timedelta(days=SOONEST_DAYS):
        raise Ill(
            f"the authority that units trust ends on {authority_ends:%d %b %Y}, and then no unit connects: order the next "
            "one, `tls next` and `tls order`"
        )
    return f"good until {ends:%d %b %Y}, its authority until {authority_ends:%d %b %Y}"


def plaintext(settings: Settings) -> str:
    """What leaves this machine without TLS: passwords, sessions and units' secrets can be read on the way."""
    ill = []
    behind_tls = (settings.public_url or "").startswith("https://")
    if not _is_loopback(settings.host) and not behind_tls:
        ill.append(
            f"the pages are plain HTTP on {settings.host}:{settings.http_port}. Let a proxy end TLS in front of them and "
            "say so with CHARGEKEEPER_PUBLIC_URL=https://..., or set CHARGEKEEPER_HOST=127.0.0.1"
        )
    if settings.mqtt_plain_anywhere and settings.broker is None and not _is_loopback(settings.host):
        ill.append(
            f"units log in over plain MQTT on {settings.host}:{settings.mqtt_port}. Set CHARGEKEEPER_TLS_CERT and unset "
            "CHARGEKEEPER_MQTT_PLAIN"
        )
    if settings.ocpp_plain_anywhere and settings.ocpp_port is not None and not _is_loopback(settings.host):
        ill.append(
            f"chargers log in over plain OCPP on {settings.host}:{settings.ocpp_port}. Point them at CHARGEKEEPER_OCPPS_PORT "
            "and unset CHARGEKEEPER_OCPP_PLAIN"
        )
    if settings.broker is not None and settings.broker.tls is None and not _is_loopback(settings.broker.host):
        ill.append(
            f"the broker {settings.broker.host} gets our secret over plain MQTT. Use mqtts:// in CHARGEKEEPER_BROKER"
        )
    server = None if settings.mail is None else read_server(settings.mail)
    if server is not None and server.mode == "insecure" and server.password and not _is_loopback(server.host):
        ill.append(
            f"the mail server {server.host} gets our password over plain SMTP. Use mailtos:// in CHARGEKEEPER_MAIL"
        )
    if ill:
        raise Ill("; ".join(ill))
    if _is_loopback(settings.host):
        return "none: what is plain stays on this machine"
    return f"none beyond the proxy of {settings.public_url}: let only the proxy reach port {settings.http_port}"


def links(settings: Settings) -> str:
    """Where the links of letters and alerts lead."""
    if settings.public_url is not None:
        return f"every link begins with {settings.public_url}"
    if settings.mail is not None:
        raise Ill(f"links in letters lead to {settings.public_address}: set CHARGEKEEPER_PUBLIC_URL=https://...")
    return "none leave the service (CHARGEKEEPER_PUBLIC_URL)"


def proxies(settings: Settings) -> str:
    """Behind a proxy that is not believed, all people have its address, and share its limits."""
    if settings.proxies:
        return f"X-Forwarded-For is believed from {', '.join(settings.proxies)}"
    if (settings.public_url or "").startswith("https://"):
        raise Ill(
            f"everybody who comes through the proxy of {settings.public_url} has its address, and shares its limits: set "
            "CHARGEKEEPER_PROXIES to where it connects from, as 127.0.0.1,::1"
        )
    return "none: X-Forwarded-For is believed from nobody (CHARGEKEEPER_PROXIES)"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def files(settings: Settings) -> str:
    """Whether only their owner can read the files with secrets. Those of somebody else may be open to a group."""
    try:
        private = sorted(path for path in _private_paths(settings) if path.exists())
        keeper = settings.folder.stat().st_uid if settings.folder.exists() else os.geteuid()
        closing: dict[str, list[Path]] = {"go": [], "o": []}
        for path in private:
            status = path.stat()
            ours = status.st_uid == keeper
            if status.st_mode & (OTHERS | GROUP if ours else OTHERS):
                closing["go" if ours else "o"].append(path)
    except OSError as error:
        raise Ill(f"{error.filename} cannot be looked at: {error.strerror}") from error
    commands = [shlex.join(["chmod", f"{who}=", *map(str, paths)]) for who, paths in closing.items() if paths]
    if commands:
        raise Ill(f"others on this machine can reach files with secrets: type {' && '.join(commands)}")
    return f"{len(private)} with secrets, closed to others"


def _private_paths(settings: Settings) -> set[Path]:
    folder = settings.folder.resolve()
    named = [
        folder,
        *(Path(named) for name in ("CHARGEKEEPER_NATS", "CHARGEKEEPER_SETTINGS") if (named := os.environ.get(name))),
        Path(os.environ.get(catalogue.VARIABLE) or folder / catalogue.FILE_NAME),
    ]
    if key := settings.tls_key or settings.tls_cert:  # where there is no file for the key, it is with the certificate
        named.append(key)
    return {path for pattern in PRIVATE for path in folder.glob(pattern)} | {path.resolve() for path in named}


def mail(settings: Settings) -> str:
    if settings.mail is None:
        return "none: alerts go by webhook and push only (CHARGEKEEPER_MAIL)"
    server = read_server(settings.mail)
    try:
        socket.create_connection((server.host, server.port), ANSWER_WITHIN_S).close()
    except OSError as error:
        raise Ill(
            f"the mail server {server.host} does not answer on port {server.port}: nobody gets a letter"
        ) from error
    return f"{server.host} answers on port {server.port}"


def vehicles(settings: Settings) -> str:
    """The makers' settings, and whether every grant that is kept can be opened."""
    makers = read_catalogue(settings.folder, os.environ).providers
    keys = key_source(settings.folder, os.environ)
    opened = open_database(settings.store)
    try:
        with opened.reading() as connection:
            used = Vault(keys).key_ids(connection)
    finally:
        opened.close()
    if gone := used - set(keys.keys().keys if used else ()):
        raise Ill(f"the key {', '.join(sorted(gone))} of stored grants is gone: put it back, or those cars reconnect")
    return ", ".join(makers) or "none: no car maker is set up (vehicles.toml)"


CHECKS: list[Callable[[Settings], str]] = [
    clock,
    disk,
    database,
    broker,
    duties,
    limits,
    tls,
    plaintext,
    links,
    proxies,
    files,
    mail,
    vehicles,
]
