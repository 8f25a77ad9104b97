"""Read and validate the settings, which setting_names.py lists, from the environment. A settings file may add to it."""

import ipaddress
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cloud_bridge.errors import SettingError
from cloud_bridge.ingest.canary import BrokerAddress
from cloud_bridge.ingest.cluster.cluster_file import Cluster, read_cluster
from cloud_bridge.ingest.shard import ALL, IN_CLUSTER, Shard
from cloud_bridge.listening_sockets import ANYWHERE, LOOPBACK
from cloud_bridge.setting_names import check_names
from cloud_bridge.text import is_storable

MAX_SHARDS = 64
API_TOKEN_MIN = 32  # characters
MAX_LINE = 200  # characters of a line that is shown to people
PUBLIC_PATH = re.compile(r"(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*/?")  # paths that proxies and browsers do not rewrite
UPDATE_BYTES = 400_000  # two or three complete images
CHECKOUT = Path(__file__).resolve().parents[1]


class SignUp(StrEnum):
    """Who may create an account, besides the people whom the operator adds at the command line."""

    INVITATION = "invitation"  # whoever has an invitation, or the label of a charger that nobody has claimed
    OPEN = "open"  # anybody
    CLOSED = "closed"  # nobody


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of the bridge, validated."""

    host: str  # CHARGEKEEPER_HOST; the default is loopback. "::" is IPv4 and IPv6
    http_port: int  # CHARGEKEEPER_HTTP_PORT; 0 lets the system choose
    mqtt_port: int  # CHARGEKEEPER_MQTT_PORT; 0 too. Only on this machine, unless CHARGEKEEPER_MQTT_PLAIN=anywhere
    folder: Path  # CHARGEKEEPER_DATA: keys, certificates, and the SQLite database if `database` is None
    api_token: str | None  # CHARGEKEEPER_API_TOKEN: accepted beside the tokens in the store
    mqtts_port: int = 8883  # CHARGEKEEPER_MQTTS_PORT: TLS, opened when there is a certificate
    tls_cert: Path | None = None  # CHARGEKEEPER_TLS_CERT: PEM, with the chain
    tls_key: Path | None = None  # CHARGEKEEPER_TLS_KEY: PEM
    mqtt_plain_anywhere: bool = False  # CHARGEKEEPER_MQTT_PLAIN=anywhere: secrets cross the network in clear text
    ocpp_port: int | None = None  # CHARGEKEEPER_OCPP_PORT: chargers that speak OCPP; closed unless set
    ocpps_port: int | None = None  # CHARGEKEEPER_OCPPS_PORT: the same over TLS; closed unless set
    ocpp_plain_anywhere: bool = False  # CHARGEKEEPER_OCPP_PLAIN=anywhere: as for MQTT
    home_port: int | None = None  # CHARGEKEEPER_HOME_PORT: people's Home Assistants (home/door.py); closed unless set
    home_tls_port: int | None = None  # CHARGEKEEPER_HOME_TLS_PORT: the same over TLS; closed unless set
    mail: str | None = None  # CHARGEKEEPER_MAIL: the mail server for alerts, mailtos://user:password@host
    database: str | None = None  # CHARGEKEEPER_DATABASE: the URL of a PostgreSQL, postgresql://user:secret@host/name
    database_read: str | None = None  # CHARGEKEEPER_DATABASE_READ: a standby of it, which pages read (store/standby.py)
    broker: BrokerAddress | None = None  # CHARGEKEEPER_BROKER, mqtt[s]://:secret@host:port; without it, our own
    cluster: Cluster | None = (
        None  # CHARGEKEEPER_NATS: the file that `nats write` makes; the units are on a NATS cluster
    )
    shard: Shard = ALL  # CHARGEKEEPER_PART, 2/4: the second of four processes that share that broker's units
    home_assistant: bool = False  # CHARGEKEEPER_HOME_ASSISTANT=on: ingest/home_assistant.py
    log_json: bool = False  # CHARGEKEEPER_LOG=json: logs.py
    public_url: str | None = (
        None  # CHARGEKEEPER_PUBLIC_URL: where people reach the pages; https:// if TLS ends in front
    )
    proxies: tuple[str, ...] = ()  # CHARGEKEEPER_PROXIES: trusted proxies, as networks
    update_bytes: int = UPDATE_BYTES  # CHARGEKEEPER_UPDATE_BYTES: the most update bytes sent to a unit in a month
    sign_up: SignUp = SignUp.INVITATION  # CHARGEKEEPER_SIGN_UP: who may create an account
    maker: str = ""  # CHARGEKEEPER_MAKER: how drivers reach the manufacturer, one line, shown where they need help
    help: str = ""  # CHARGEKEEPER_HELP: whom else drivers may call, such as your own hotline; shown in the same places

    @property
    def store(self) -> Path | str:
        """The argument of store.database.open_database: a PostgreSQL URL, or the data folder."""
        return self.folder if self.database is None else self.database

    @property
    def public_address(self) -> str:
        """The base URL of all links in letters and responses, without a trailing slash. Without CHARGEKEEPER_PUBLIC_URL
        it is an address of this machine, because the Host header of a request cannot be trusted."""
        return self.public_url or f"http://{as_host(reachable(self.host))}:{self.http_port}"


def reachable(host: str) -> str:
    """Return an address at which this machine reaches a socket that listens on `host`."""
    return LOOPBACK if host in ANYWHERE else host


def as_host(host: str) -> str:
    """Return the host as it is written in a URL, with an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read and validate all settings. Raises SettingError, which names the variable."""
    check_names(environment)
    for name, value in environment.items():
        if name.startswith("CHARGEKEEPER_") and not is_storable(value):
            raise SettingError(f"{name} is not text in UTF-8")
    return Settings(
        host=environment.get("CHARGEKEEPER_HOST") or "127.0.0.1",
        http_port=_port(environment, "CHARGEKEEPER_HTTP_PORT", 8080),
        mqtt_port=_port(environment, "CHARGEKEEPER_MQTT_PORT", 1883),
        folder=_path(environment, "CHARGEKEEPER_DATA") or _usual_folder(),
        api_token=_api_token(environment),
        mqtts_port=_port(environment, "CHARGEKEEPER_MQTTS_PORT", 8883),
        tls_cert=_path(environment, "CHARGEKEEPER_TLS_CERT"),
        tls_key=_path(environment, "CHARGEKEEPER_TLS_KEY"),
        mqtt_plain_anywhere=_choice(environment, "CHARGEKEEPER_MQTT_PLAIN", ("loopback", "anywhere")) == "anywhere",
        ocpp_port=_port_if_set(environment, "CHARGEKEEPER_OCPP_PORT"),
        ocpps_port=_port_with_certificate(environment, "CHARGEKEEPER_OCPPS_PORT"),
        ocpp_plain_anywhere=_choice(environment, "CHARGEKEEPER_OCPP_PLAIN", ("loopback", "anywhere")) == "anywhere",
        home_port=_port_if_set(environment, "CHARGEKEEPER_HOME_PORT"),
        home_tls_port=_port_with_certificate(environment, "CHARGEKEEPER_HOME_TLS_PORT"),
        public_url=_public_url(environment),
        proxies=_proxies(environment),
        update_bytes=_count(environment, "CHARGEKEEPER_UPDATE_BYTES", UPDATE_BYTES),
        sign_up=SignUp(_choice(environment, "CHARGEKEEPER_SIGN_UP", tuple(SignUp))),
        maker=_line(environment, "CHARGEKEEPER_MAKER"),
        help=_line(environment, "CHARGEKEEPER_HELP"),
        mail=environment.get("CHARGEKEEPER_MAIL") or None,
        database=_database(environment),
        database_read=_database_read(environment),
        broker=_broker(environment),
        cluster=_cluster(environment),
        shard=_shard(environment),
        home_assistant=_choice(environment, "CHARGEKEEPER_HOME_ASSISTANT", ("off", "on")) == "on",
        log_json=_choice(environment, "CHARGEKEEPER_LOG", ("text", "json")) == "json",
    )


def _usual_folder() -> Path:
    """Return the default data folder: `var` in a checkout, or below the user's home if the bridge is installed."""
    if (CHECKOUT / "pyproject.toml").exists():
        return CHECKOUT / "var"
    try:
        return Path.home() / ".local" / "share" / "chargekeeper"
    except RuntimeError as error:
        raise SettingError("set CHARGEKEEPER_DATA to the folder for the data: this user has no home") from error


def _api_token(environment: Mapping[str, str]) -> str | None:
    token = environment.get("CHARGEKEEPER_API_TOKEN")
    if token and len(token) < API_TOKEN_MIN:
        raise SettingError(
            f"CHARGEKEEPER_API_TOKEN has {len(token)} characters, and needs at least {API_TOKEN_MIN}: it has all rights"
        )
    return token or None


def _database(environment: Mapping[str, str]) -> str | None:
    text = environment.get("CHARGEKEEPER_DATABASE")
    if text and not text.startswith(("postgresql://", "postgres://")):
        raise SettingError("CHARGEKEEPER_DATABASE has to be postgresql://user:secret@host/name")
    return text or None


def _database_read(environment: Mapping[str, str]) -> str | None:
    text = environment.get("CHARGEKEEPER_DATABASE_READ")
    if text and not text.startswith(("postgresql://", "postgres://")):
        raise SettingError("CHARGEKEEPER_DATABASE_READ has to be postgresql://user:secret@host/name")
    if text and not environment.get("CHARGEKEEPER_DATABASE"):
        raise SettingError("CHARGEKEEPER_DATABASE_READ is a standby of CHARGEKEEPER_DATABASE: set that too")
    return text or None


def _public_url(environment: Mapping[str, str]) -> str | None:
    """Return the public URL without a trailing slash. It may have a path."""
    text = environment.get("CHARGEKEEPER_PUBLIC_URL")
    if not text:
        return None
    try:
        url = urlsplit(text)
        well_formed = url.scheme in ("http", "https") and bool(url.hostname) and not (url.query or url.fragment)
        well_formed = well_formed and url.port != 0 and "@" not in url.netloc and bool(PUBLIC_PATH.fullmatch(url.path))
    except ValueError:
        well_formed = False
    if not well_formed or not text.isprintable():
        raise SettingError(f"CHARGEKEEPER_PUBLIC_URL is {text!r}: set it to https://host or https://host/path")
    return text.rstrip("/")


def _proxies(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return each proxy as a network: 127.0.0.1/32."""
    text = environment.get("CHARGEKEEPER_PROXIES", "")
    try:
        return tuple(str(ipaddress.ip_network(one.strip())) for one in text.split(",") if one.strip())
    except ValueError as error:
        raise SettingError(
            f"CHARGEKEEPER_PROXIES is {text!r}: set it to addresses or networks with commas, 127.0.0.1,::1"
        ) from error


def _broker(environment: Mapping[str, str]) -> BrokerAddress | None:
    """Return the outside broker. With mqtts:// its certificate is verified against CHARGEKEEPER_BROKER_CA, or else
    against the system's authorities."""
    text = environment.get("CHARGEKEEPER_BROKER")
    if not text:
        return None
    try:
        url = urlsplit(text)
        port = url.port or {"mqtt": 1883, "mqtts": 8883}[url.scheme]
        if not url.hostname or not url.password:
            raise ValueError
        tls = ssl.create_default_context(cafile=environment.get("CHARGEKEEPER_BROKER_CA") or None)
    except (ValueError, KeyError) as error:
        raise SettingError("CHARGEKEEPER_BROKER has to be mqtt://:secret@host:port, or mqtts://") from error
    except OSError as error:
        raise SettingError(f"CHARGEKEEPER_BROKER_CA cannot be read: {error}") from error
    return BrokerAddress(url.hostname, port, unquote(url.password), tls if url.scheme == "mqtts" else None)


def _cluster(environment: Mapping[str, str]) -> Cluster | None:
    file = _path(environment, "CHARGEKEEPER_NATS")
    if file is None:
        return None
    if environment.get("CHARGEKEEPER_BROKER"):
        raise SettingError("set either CHARGEKEEPER_NATS or CHARGEKEEPER_BROKER, not both")
    if not environment.get("CHARGEKEEPER_DATABASE"):
        raise SettingError("CHARGEKEEPER_NATS needs CHARGEKEEPER_DATABASE: a cluster's processes share a PostgreSQL")
    cluster = read_cluster(file)
    try:
        if cluster.ca is not None:
            ssl.create_default_context(cafile=cluster.ca)
    except OSError as error:
        raise SettingError(
            f"CHARGEKEEPER_NATS: the authority {cluster.ca} that {file} names cannot be read: {error}. Put the "
            "certificate of the nodes' authority there, or write both with `nats write`"
        ) from error
    return cluster


def _shard(environment: Mapping[str, str]) -> Shard:
    if environment.get("CHARGEKEEPER_NATS"):
        if environment.get("CHARGEKEEPER_PART"):
            raise SettingError(
                "CHARGEKEEPER_PART works with CHARGEKEEPER_BROKER only: unset it, a cluster shares the units by itself"
            )
        return IN_CLUSTER
    text = environment.get("CHARGEKEEPER_PART") or "1/1"
    number, _, count = text.partition("/")
    if not (number.isascii() and number.isdigit() and count.isascii() and count.isdigit()):
        raise SettingError(f"CHARGEKEEPER_PART is {text!r}: set it to 2/4 for the second of four")
    shard = Shard(int(number), int(count))
    if not 1 <= shard.number <= shard.of <= MAX_SHARDS:
        raise SettingError(f"CHARGEKEEPER_PART is {text!r}: from 1/4 to 4/4 for four of at most {MAX_SHARDS}")
    return shard


def _line(environment: Mapping[str, str], name: str) -> str:
    """Return a line of text for people, stripped; "" if it is not set."""
    text = environment.get(name, "").strip()
    if len(text) > MAX_LINE or not text.isprintable():
        raise SettingError(f"{name} has to be one line of up to {MAX_LINE} printable characters")
    return text


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    text = environment.get(name)
    return Path(text) if text else None


def _choice(environment: Mapping[str, str], name: str, words: tuple[str, ...]) -> str:
    """Return the value, which must be one of the words. The first is the default."""
    text = environment.get(name) or words[0]
    if text not in words:
        raise SettingError(f"{name} is {text!r}: set it to {' or '.join(words)}")
    return text


def _count(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise SettingError(f"{name} is {text!r}: set it to a number of bytes, 0 for none")
    return int(text)


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise SettingError(f"{name} is {text!r}: set it to a port number from 0 to 65535")
    return int(text)


def _port_if_set(environment: Mapping[str, str], name: str) -> int | None:
    """Return the port, or None if it is not set: the port is then closed."""
    if not environment.get(name):
        return None
    return _port(environment, name, 0)


def _port_with_certificate(environment: Mapping[str, str], name: str) -> int | None:
    port = _port_if_set(environment, name)
    if port is not None and not environment.get("CHARGEKEEPER_TLS_CERT"):
        raise SettingError(f"{name} needs a certificate: set CHARGEKEEPER_TLS_CERT too (`tls make`)")
    return port
