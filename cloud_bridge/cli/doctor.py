"""`python -m cloud_bridge doctor`: checks what the bridge depends on. Each failed check says what to do."""

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
    """A failed check. The text says what is wrong, and what to do."""


def run(settings: Settings, _options: argparse.Namespace) -> Answer:
    """Run all checks. Returns one row for each."""
    rows = []
    for check in CHECKS:
        try:
            rows.append({"check": check.__name__, "ok": True, "found": check(settings)})
        except (Ill, BridgeError) as ill:
            rows.append({"check": check.__name__, "ok": False, "found": str(ill)})
    return rows


def clock(_settings: Settings) -> str:
    """Check that this machine's clock is synchronised: every contact is stamped with it."""
    buffer = ctypes.create_string_buffer(512)  # struct timex; modes = 0 only reads it
    try:
        state = ctypes.CDLL(None).adjtimex(buffer)
    except AttributeError:
        return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC; this system does not report whether it is synchronised"
    if state == CLOCK_UNSYNCHRONISED:
        raise Ill("the clock is not synchronised: start chrony or systemd-timesyncd")
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, synchronised"


def disk(settings: Settings) -> str:
    there = next(
        path for path in (settings.folder, *settings.folder.parents) if path.exists()
    )  # the folder does not exist before the first start
    try:
        free = shutil.disk_usage(there).free
    except OSError as error:
        raise Ill(f"{settings.folder}: {error.strerror}") from error
    if free < FREE_BYTES:
        raise Ill(
            f"{free // 1_000_000} MB free in {settings.folder}: free some space, or messages cannot be acknowledged"
        )
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
    """Ask the running bridge whether it receives its canary."""
    said = _health(settings)
    if "listening" not in said:
        return _told_a_stranger(said, "whether it receives its canary")
    if not said["listening"]:
        raise Ill(
            "the bridge runs, but does not receive its canary through the broker, or the process of another part of the "
            "units (CHARGEKEEPER_PART) is not running: see their logs"
        )
    return f"listening, {said['connections']} connections"


def duties(settings: Settings) -> str:
    """Check that the running bridge's duties have succeeded recently."""
    said = _health(settings)
    if "duties" not in said:
        return _told_a_stranger(said, "when each duty last succeeded")
    states = said["duties"]
    ill = [
        f"{name} last succeeded {state['age_s']:.0f} s ago, {state['failures']} failures"
        for name, state in states.items()
        if state["late"]
    ]
    if ill:
        raise Ill(f"{'; '.join(ill)}: see the log of the bridge")
    ages = ", ".join(f"{name} {state['age_s']:.0f} s" for name, state in states.items())
    return f"all on time; last success of {ages or 'none'} ago"


def _told_a_stranger(said: dict[str, Any], more: str) -> str:
    """Return the result for a bridge that reports only its status, because there is no token. Raises Ill."""
    if said.get("status") != "ok":
        raise Ill("the bridge is in trouble: set CHARGEKEEPER_API_TOKEN to see why, or read its log")
    return f"all on time; set CHARGEKEEPER_API_TOKEN to see {more}"


def _health(settings: Settings) -> dict[str, Any]:
    """Return /healthz of the running bridge. Raises Ill."""
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
    """Check the limit on open files: each connection is one. The bridge raises its soft limit to the hard limit."""
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
            f"at most {hard:,} open files, but {count:,} units need {needed:,}: raise the limit (LimitNOFILE= in systemd)"
        )
    return f"{'any number of' if hard == resource.RLIM_INFINITY else f'{hard:,}'} open files, {needed:,} are needed"


def tls(settings: Settings) -> str:
    if settings.tls_cert is None:
        return "none: units can connect only on this machine, or to an outside broker"
    try:
        certificate = x509.load_pem_x509_certificate(settings.tls_cert.read_bytes())
    except OSError as error:
        raise Ill(f"CHARGEKEEPER_TLS_CERT, {settings.tls_cert}, cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise Ill(f"CHARGEKEEPER_TLS_CERT, {settings.tls_cert}, contains no certificate in PEM format") from error
    ends = certificate.not_valid_after_utc
    if ends - datetime.now(UTC) < SOON:
        raise Ill(f"the certificate expires on {ends:%d %b %Y}: renew it; the bridge loads it without a restart")
    authority = present_authority(settings)
    if authority is None:
        return f"valid until {ends:%d %b %Y}"
    authority_ends = datetime.fromtimestamp(authority.expires_ms / 1000, UTC)
    if authority_ends - datetime.now(UTC) < timedelta(days=SOONEST_DAYS):
        raise Ill(
            f"the authority that units trust expires on {authority_ends:%d %b %Y}, and then no unit can connect: create and "
            "order the next one with `tls next` and `tls order`"
        )
    return f"valid until {ends:%d %b %Y}, its authority until {authority_ends:%d %b %Y}"


def plaintext(settings: Settings) -> str:
    """Check for connections that leave this machine without TLS: passwords, sessions and units' secrets could be read on the
    way."""
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
        return "none: unencrypted connections stay on this machine"
    return f"none beyond the proxy of {settings.public_url}: let only the proxy reach port {settings.http_port}"


def links(settings: Settings) -> str:
    """Check where the links in letters and alerts lead."""
    if settings.public_url is not None:
        return f"every link begins with {settings.public_url}"
    if settings.mail is not None:
        raise Ill(f"links in letters lead to {settings.public_address}: set CHARGEKEEPER_PUBLIC_URL=https://...")
    return "none leave the service (CHARGEKEEPER_PUBLIC_URL)"


def proxies(settings: Settings) -> str:
    """Check CHARGEKEEPER_PROXIES: if a proxy is not trusted, all people have its address and share its limits."""
    if settings.proxies:
        return f"X-Forwarded-For is trusted from {', '.join(settings.proxies)}"
    if (settings.public_url or "").startswith("https://"):
        raise Ill(
            f"all who use the proxy of {settings.public_url} have its address, and share its limits: set "
            "CHARGEKEEPER_PROXIES to the addresses that it connects from, such as 127.0.0.1,::1"
        )
    return "none: X-Forwarded-For is trusted from nobody (CHARGEKEEPER_PROXIES)"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def files(settings: Settings) -> str:
    """Check that only their owner can access the files with secrets. Files of another user may be open to their group."""
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
        raise Ill(f"{error.filename} cannot be checked: {error.strerror}") from error
    commands = [shlex.join(["chmod", f"{who}=", *map(str, paths)]) for who, paths in closing.items() if paths]
    if commands:
        raise Ill(f"others on this machine can access files with secrets: run {' && '.join(commands)}")
    return f"{len(private)} with secrets, closed to others"


def _private_paths(settings: Settings) -> set[Path]:
    folder = settings.folder.resolve()
    named = [
        folder,
        *(Path(named) for name in ("CHARGEKEEPER_NATS", "CHARGEKEEPER_SETTINGS") if (named := os.environ.get(name))),
        Path(os.environ.get(catalogue.VARIABLE) or folder / catalogue.FILE_NAME),
    ]
    if key := settings.tls_key or settings.tls_cert:  # without a file for the key, it is in the file of the certificate
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
            f"the mail server {server.host} does not answer on port {server.port}, so no e-mail is sent"
        ) from error
    return f"{server.host} answers on port {server.port}"


def vehicles(settings: Settings) -> str:
    """Read the car makers' settings, and check that every stored grant can be decrypted."""
    makers = read_catalogue(settings.folder, os.environ).providers
    keys = key_source(settings.folder, os.environ)
    opened = open_database(settings.store)
    try:
        with opened.reading() as connection:
            used = Vault(keys).key_ids(connection)
    finally:
        opened.close()
    if gone := used - set(keys.keys().keys if used else ()):
        raise Ill(
            f"the key {', '.join(sorted(gone))} of stored grants is missing: restore it, or drivers have to connect again"
        )
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
