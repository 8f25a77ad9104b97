"""`python -m cloud_bridge mosquitto write`: writes a complete configuration for Debian's mosquitto, for the units in the
store.

Units are restricted to their own topics by their user name, which is also their client id. mosquitto cannot distinguish a will
from a publication, so a unit can set a will on any of its own topics, but on no others.

Our own clients are restricted to what they need (ingest/mqtt.py, ingest/canary.py, ingest/home_assistant.py).
"""

import argparse
import ipaddress
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from cloud_bridge.cli import mosquitto_files as files
from cloud_bridge.cli.area import Answer, Area
from cloud_bridge.cli.mosquitto_reload import signal_broker
from cloud_bridge.contact import UNIT_TOPICS
from cloud_bridge.errors import BridgeError
from cloud_bridge.ingest import home_assistant as home
from cloud_bridge.ingest.mqtt import IN_FLIGHT
from cloud_bridge.ingest.shard import Shard
from cloud_bridge.settings import Settings
from cloud_bridge.store.database import open_database
from cloud_bridge.store.secrets import broker_hash
from cloud_bridge.store.units import broker_passwords
from cloud_bridge.wire import MAX_PAYLOAD_BYTES

MAX_SHARDS = 8  # most processes that can share the units (CHARGEKEEPER_PART)
SHARDS = [Shard(number, MAX_SHARDS) for number in range(1, MAX_SHARDS + 1)]
MAX_PACKET_BYTES = MAX_PAYLOAD_BYTES + 256  # a message with its topic

CONFIGURATION = """\
# Written by `python -m cloud_bridge mosquitto write`; `unit add`, `unit secret` and `unit revoke`
# bring the password file up to date. Listeners and the user change with a restart only.
user {user}
per_listener_settings false
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
pid_file {folder}/mosquitto.pid
persistence true
persistence_location {folder}/
autosave_interval 60
# messages that wait while the bridge is away must not be dropped silently (the default is 1000 messages)
max_queued_messages 1000000
max_inflight_messages {in_flight}
max_packet_size {packet}
max_keepalive 3600
persistent_client_expiration 7d
"""

# Options of a listener have to follow its `listener` line; before the first one, they would open mosquitto's default listener
# on port 1883 as well.
LISTENER = """
listener {port} {host}
max_connections 10000
# the client id is the user name, so a client cannot disconnect another unit by using its client id
use_username_as_clientid true
"""
TLS = "certfile {cert}\nkeyfile {key}\ntls_version tlsv1.2\n"

PUBLISHED = (*sorted(UNIT_TOPICS), "lwt")  # by units
READ = ("command", "piece")  # by units
UNIT_ACCESS = "".join(
    [f"pattern write cp/%u/{kind}\n" for kind in PUBLISHED] + [f"pattern read cp/%u/{kind}\n" for kind in READ]
)


def declare(area: Area) -> None:
    write = area.command("write", "write its configuration, access list and password file", run)
    write.add_argument("--folder", type=Path, help="target folder; default: mosquitto/ in the data folder")
    write.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; needs TLS unless it is on this machine"
    )
    write.add_argument("--port", type=int, default=1883)
    write.add_argument(
        "--plain-anywhere",
        action="store_true",
        help="let other machines connect without TLS: secrets are sent in clear text",
    )


def run(settings: Settings, options: argparse.Namespace) -> Answer:
    """Write the files. Secrets are created at first and retained later. A mosquitto that runs with these files is reloaded."""
    _check_listener(settings, options.host, options.plain_anywhere)
    user = files.broker_user()
    folder: Path = options.folder.resolve() if options.folder else files.default_folder(settings)
    files.make_folder(folder, user)
    for file in filter(None, (settings.tls_cert, settings.tls_key)):
        if not files.may(user, "-r", file.resolve()):
            raise BridgeError(f"the user {user.name}, as which mosquitto runs, cannot read {file}")
    try:
        with (
            closing(open_database(settings.store)) as database,
            files.one_writer(database),
            database.reading() as connection,
        ):
            units = broker_passwords(connection)
            secret = _write_files(settings, options, folder, user, units)
            files.remember_folder(settings, folder)
    except OSError as error:
        raise BridgeError(f"cannot write the files for mosquitto in {folder}: {error.strerror}") from error
    scheme = "mqtt" if settings.tls_cert is None else "mqtts"
    host = f"[{options.host}]" if ":" in options.host else options.host
    return {
        "start": f"mosquitto -c {folder / 'mosquitto.conf'}",
        "units": len(units),
        "reloaded": signal_broker(folder / "mosquitto.conf").is_done,
        "CHARGEKEEPER_BROKER": f"{scheme}://:{secret}@{host}:{options.port}",
    }


def _write_files(
    settings: Settings,
    options: argparse.Namespace,
    folder: Path,
    user: files.BrokerUser,
    units: Iterable[tuple[str, str]],
) -> str:
    """Write the files, and return the secret of our own clients."""
    owner = (user.uid, user.gid)
    secret = files.kept_secret(folder / files.SECRET)
    own = [(name, broker_hash(secret)) for shard in SHARDS for name in (shard.bridge_id, shard.canary_id)]
    if settings.home_assistant:
        own.append((home.USER, broker_hash(files.kept_secret(folder / "home-assistant.secret"))))
    files.write_passwords(folder, own, units, owner)
    files.write_file(folder / "acl", access_list(settings.home_assistant), owner)
    configuration = CONFIGURATION.format(
        user=user.name, folder=folder, in_flight=IN_FLIGHT, packet=MAX_PACKET_BYTES
    ) + LISTENER.format(port=options.port, host=options.host)
    if settings.tls_cert is not None:
        configuration += TLS.format(
            cert=settings.tls_cert.resolve(), key=(settings.tls_key or settings.tls_cert).resolve()
        )
    files.write_file(folder / "mosquitto.conf", configuration, owner)
    return secret


def access_list(home_assistant: bool) -> str:
    """Return the access list.

    The patterns apply to every user, including our own clients, so what they would grant to ours is denied. mosquitto
    evaluates `deny` first.
    """
    entries = [_entry(shard.bridge_id, [*READ, "lwt"], _bridge_topics(home_assistant)) for shard in SHARDS]
    for shard in SHARDS:
        others = [kind for kind in (*READ, *PUBLISHED) if kind != "heartbeat"]
        entries.append(_entry(shard.canary_id, others, [f"write cp/{shard.canary_id}/heartbeat"]))
    if home_assistant:
        entries.append(_entry(home.USER, [*READ, *PUBLISHED], home.ACCESS))
    return "\n".join(entries) + "\n" + UNIT_ACCESS


def _bridge_topics(home_assistant: bool) -> Iterator[str]:
    for kind in sorted(UNIT_TOPICS):
        yield f"readwrite cp/+/{kind}"  # the bridge clears retained messages there, and its own marker is a heartbeat
    yield "write cp/+/command"
    yield "write cp/+/piece"
    if home_assistant:
        yield from (f"write {topics}" for topics in home.PUBLISHED)


def _entry(name: str, denied: Iterable[str], allowed: Iterable[str]) -> str:
    lines = [f"user {name}", *(f"topic deny cp/{name}/{kind}" for kind in denied), *(f"topic {one}" for one in allowed)]
    return "".join(f"{line}\n" for line in lines)


def _check_listener(settings: Settings, host: str, plain_anywhere: bool) -> None:
    if settings.tls_cert is None and not (plain_anywhere or settings.mqtt_plain_anywhere or _is_loopback(host)):
        raise BridgeError(
            f"without TLS, secrets would be sent to {host} in clear text: set CHARGEKEEPER_TLS_CERT, or add --plain-anywhere"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
