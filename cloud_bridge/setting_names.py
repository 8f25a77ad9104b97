"""Every setting by name: its meaning, its default, and an example.

`python -m cloud_bridge settings` prints this table, and the operator's guide contains it (`deploy/settings.md`, written from
`cli.settings.as_markdown`). Settings come from the environment, or from the TOML file that CHARGEKEEPER_SETTINGS names.
settings.py validates the values.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple

from cloud_bridge.errors import SettingError

PREFIX = "CHARGEKEEPER_"
FILE = "CHARGEKEEPER_SETTINGS"


class Setting(NamedTuple):
    """One setting: a row of the table."""

    name: str
    meaning: str
    default: str  # a value that could be set, or a description
    example: str
    is_secret: bool = False  # no command prints the value


SETTINGS = (
    Setting(
        FILE,
        "a TOML file with settings; the environment overrides it",
        "none",
        "/etc/chargekeeper/settings.toml",
    ),
    Setting(
        "CHARGEKEEPER_DATA",
        "folder for the SQLite database, keys and certificates",
        "`var` in a checkout; `~/.local/share/chargekeeper` if installed as a package",
        "/var/lib/chargekeeper",
    ),
    Setting(
        "CHARGEKEEPER_DATABASE",
        "URL of a PostgreSQL to use instead of the SQLite database in the data folder",
        "none",
        "postgresql://chargekeeper:secret@db.example/chargekeeper",
        is_secret=True,
    ),
    Setting(
        "CHARGEKEEPER_DATABASE_READ",
        "URL of a streaming standby of that PostgreSQL, from which pages read",
        "none",
        "postgresql://chargekeeper:secret@standby.example/chargekeeper",
        is_secret=True,
    ),
    Setting(
        "CHARGEKEEPER_HOST",
        "the address that the service listens on, for pages and charge points; :: is IPv4 and IPv6",
        "127.0.0.1",
        "0.0.0.0",
    ),
    Setting("CHARGEKEEPER_HTTP_PORT", "port of the pages; 0 lets the system choose", "8080", "8080"),
    Setting(
        "CHARGEKEEPER_PUBLIC_URL",
        "address at which people reach the pages; every link that the service creates begins with it",
        "this machine's address",
        "https://chargers.example",
    ),
    Setting(
        "CHARGEKEEPER_PROXIES",
        "addresses and networks of proxies whose X-Forwarded-For and X-Client-Subject headers are trusted",
        "none",
        "127.0.0.1,::1",
    ),
    Setting("CHARGEKEEPER_SIGN_UP", "who may create an account: invitation, open or closed", "invitation", "closed"),
    Setting(
        "CHARGEKEEPER_MAIL",
        "the mail server for e-mails and alerts",
        "none: no e-mails",
        "mailtos://user:password@mail.example",
        is_secret=True,
    ),
    Setting(
        "CHARGEKEEPER_HELP",
        "how drivers reach your support, one line, shown where they need help",
        "none",
        "0800 000 000, weekdays 8 to 18",
    ),
    Setting("CHARGEKEEPER_MAKER", "how drivers reach the manufacturer, one line", "none", "help@maker.example"),
    Setting(
        "CHARGEKEEPER_API_TOKEN",
        "a token for the HTTP interface, at least 32 characters, in addition to those in the store",
        "none",
        "(what `openssl rand -hex 32` prints)",
        is_secret=True,
    ),
    Setting(
        "CHARGEKEEPER_MQTT_PORT",
        "port of the embedded broker without TLS, on loopback only; 0 lets the system choose",
        "1883",
        "1883",
    ),
    Setting(
        "CHARGEKEEPER_MQTT_PLAIN",
        "loopback or anywhere; anywhere lets secrets cross the network in clear text",
        "loopback",
        "anywhere",
    ),
    Setting(
        "CHARGEKEEPER_MQTTS_PORT",
        "port of the embedded broker over TLS, open if there is a certificate",
        "8883",
        "8883",
    ),
    Setting(
        "CHARGEKEEPER_TLS_CERT",
        "certificate for charge points and Home Assistants, with its chain, PEM",
        "none: no TLS",
        "/etc/ssl/chargers.example.pem",
    ),
    Setting("CHARGEKEEPER_TLS_KEY", "key of that certificate, PEM", "none", "/etc/ssl/private/chargers.example.key"),
    Setting(
        "CHARGEKEEPER_OCPP_PORT",
        "port for chargers that speak OCPP, without TLS; in a cluster only for `ocpp`",
        "closed",
        "8887",
    ),
    Setting("CHARGEKEEPER_OCPP_PLAIN", "loopback or anywhere, as CHARGEKEEPER_MQTT_PLAIN", "loopback", "anywhere"),
    Setting("CHARGEKEEPER_OCPPS_PORT", "port for OCPP over TLS, with CHARGEKEEPER_TLS_CERT", "closed", "8888"),
    Setting(
        "CHARGEKEEPER_HOME_PORT",
        "MQTT port for people's Home Assistants, without TLS; on loopback unless CHARGEKEEPER_MQTT_PLAIN=anywhere",
        "closed",
        "1884",
    ),
    Setting(
        "CHARGEKEEPER_HOME_TLS_PORT",
        "MQTT port for people's Home Assistants over TLS, with CHARGEKEEPER_TLS_CERT",
        "closed",
        "8884",
    ),
    Setting(
        "CHARGEKEEPER_BROKER",
        "URL of an outside broker to use instead of the embedded one",
        "none",
        "mqtts://:secret@broker.example:8883",
        is_secret=True,
    ),
    Setting(
        "CHARGEKEEPER_BROKER_CA",
        "certificate authority that verifies the outside broker, PEM",
        "the system's authorities",
        "/etc/ssl/broker-authority.pem",
    ),
    Setting(
        "CHARGEKEEPER_PART",
        "with an outside broker: which part of the units this process handles, and of how many parts",
        "1/1",
        "2/4",
    ),
    Setting(
        "CHARGEKEEPER_NATS",
        "the file that `nats write` creates; set it if the units are on a NATS cluster",
        "none",
        "/etc/chargekeeper/nats.json",
    ),
    Setting(
        "CHARGEKEEPER_HOME_ASSISTANT",
        "on or off; on publishes the units to Home Assistant on the outside broker, by MQTT discovery",
        "off",
        "on",
    ),
    Setting(
        "CHARGEKEEPER_VEHICLES",
        "the file with the credentials and addresses for car makers",
        "vehicles.toml in the data folder",
        "/etc/chargekeeper/vehicles.toml",
    ),
    Setting(
        "CHARGEKEEPER_VEHICLE_KEYS",
        "the keys that encrypt car accounts and second factors; the first encrypts, all decrypt",
        "a key file in the data folder",
        "(id:base64,id:base64)",
        is_secret=True,
    ),
    Setting(
        "CHARGEKEEPER_UPDATE_BYTES",
        "bytes of firmware updates that a unit is sent in a calendar month, at most; 0 for none",
        "400000",
        "800000",
    ),
    Setting("CHARGEKEEPER_LOG", "format of the log: text or json", "text", "json"),
)
NAMES = frozenset(setting.name for setting in SETTINGS)
OF_THE_RIG = frozenset({"CHARGEKEEPER_UNIT_ID", "CHARGEKEEPER_PANEL_PORT"})  # set by `make run`
OF_TESTS = "CHARGEKEEPER_TEST_"  # prefix of the variables that tests use


def check_names(names: Iterable[str]) -> None:
    """Check names of environment variables, or the keys of a settings file as such names. Names without our prefix pass.

    Raises SettingError for an unknown name, and suggests the nearest one.
    """
    for name in sorted(names):
        if name.startswith(PREFIX) and name not in NAMES | OF_THE_RIG and not name.startswith(OF_TESTS):
            nearest = get_close_matches(name, NAMES, 1, 0.0)[0]
            raise SettingError(f"{name} is not a setting: did you mean {nearest}? `settings` lists them all")
