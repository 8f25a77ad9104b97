"""`python -m cloud_bridge mosquitto write`: a ready configuration for Debian's mosquitto, from the units in the store.

Units are bound to their own topics by their user name, which is also their client id. What mosquitto cannot do is
tell a unit's will from its publishing: a unit may set a will on its own heartbeat, and only on that.
"""

import argparse
import getpass
import os
from pathlib import Path

from cloud_bridge.cli.area import Answer, Area
from cloud_bridge.ingest import home_assistant as home
from cloud_bridge.ingest.mqtt import IN_FLIGHT
from cloud_bridge.ingest.shard import Shard
from cloud_bridge.settings import Settings
from cloud_bridge.store.database import open_database
from cloud_bridge.store.secrets import broker_hash, new_secret
from cloud_bridge.store.units import broker_passwords
from cloud_bridge.wire import MAX_PAYLOAD_BYTES

SHARDS = 8  # processes that may share the units (CHARGEKEEPER_PART)
OURS = [
    name
    for shard in (Shard(number, SHARDS) for number in range(1, SHARDS + 1))
    for name in (shard.bridge_id, shard.canary_id)
]
MAX_PACKET_BYTES = MAX_PAYLOAD_BYTES + 256  # and its topic

CONFIGURATION = """\
# Written by `python -m cloud_bridge mosquitto write`; run it again after adding units, then reload mosquitto.
user {user}
per_listener_settings false
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
persistence true
persistence_location {folder}/
autosave_interval 60
# what waits for the bridge while it is away must not be thrown away silently (the default is 1000 messages)
max_queued_messages 1000000
max_inflight_messages {in_flight}
max_packet_size {packet}
max_keepalive 3600
persistent_client_expiration 7d
"""

# Before the first `listener` line an option of a listener would open mosquitto's own one too, on 1883.
LISTENER = """
listener {port} {host}
max_connections 10000
# a client can only be who it has logged in as, so nobody throws another unit out by using its client id
use_username_as_clientid true
"""
TLS = "certfile {cert}\nkeyfile {key}\ntls_version tlsv1.2\n"

OUR_ACCESS = f"""\
user {{name}}
topic readwrite cp/#
topic write {home.DISCOVERY}/#
topic write {home.STATE}/#

"""
HOME_ACCESS = f"""\
user {home.USER}
topic readwrite {home.DISCOVERY}/status
topic read {home.DISCOVERY}/#
topic read {home.STATE}/#

"""
UNIT_ACCESS = """\
pattern write cp/%u/heartbeat
pattern write cp/%u/event
pattern write cp/%u/session
pattern write cp/%u/result
pattern write cp/%u/lwt
pattern read cp/%u/command
"""


def declare(area: Area) -> None:
    write = area.command("write", "write its configuration, access list and password file", run)
    write.add_argument("--folder", type=Path, help="where to; without it, mosquitto/ in the data folder")
    write.add_argument("--host", default="127.0.0.1", help="where it listens; elsewhere than here only with TLS")
    write.add_argument("--port", type=int, default=1883)


def run(settings: Settings, options: argparse.Namespace) -> Answer:
    """Secrets are made at the first time, and kept."""
    folder: Path = (options.folder or settings.folder / "mosquitto").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    secret = _kept_secret(folder / "bridge.secret")
    with open_database(settings.store).reading() as connection:
        units = broker_passwords(connection)
    passwords = [*((name, broker_hash(secret)) for name in OURS), *units]
    access = "".join(OUR_ACCESS.format(name=name) for name in OURS)
    if settings.home_assistant:
        passwords.append((home.USER, broker_hash(_kept_secret(folder / "home-assistant.secret"))))
        access += HOME_ACCESS
    _write(folder / "passwords", "".join(f"{name}:{kept}\n" for name, kept in passwords))
    _write(folder / "acl", access + UNIT_ACCESS)
    configuration = CONFIGURATION.format(
        user=getpass.getuser(), folder=folder, in_flight=IN_FLIGHT, packet=MAX_PACKET_BYTES
    ) + LISTENER.format(port=options.port, host=options.host)
    if settings.tls_cert is not None:
        configuration += TLS.format(
            cert=settings.tls_cert.resolve(), key=(settings.tls_key or settings.tls_cert).resolve()
        )
    _write(folder / "mosquitto.conf", configuration)
    scheme = "mqtt" if settings.tls_cert is None else "mqtts"
    return {
        "start": f"mosquitto -c {folder / 'mosquitto.conf'}",
        "units": len(units),
        "CHARGEKEEPER_BROKER": f"{scheme}://:{secret}@{options.host}:{options.port}",
    }


def _kept_secret(path: Path) -> str:
    if not path.exists():
        _write(path, new_secret())
    return path.read_text()


def _write(path: Path, text: str) -> None:
    """Readable by its owner alone, and never half written."""
    fresh = path.with_name(path.name + ".new")
    with open(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)
