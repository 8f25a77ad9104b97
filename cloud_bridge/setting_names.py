"""The table of all settings: name, meaning, default and example.

`python -m cloud_bridge settings` prints this table, and `deploy/settings.md` of the operator's guide contains it. A
setting is an environment variable or a key of the TOML file that CHARGEKEEPER_SETTINGS names. settings.py validates the
values.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple

from cloud_bridge.errors import SettingError

PREFIX = "CHARGEKEEPER_"
FILE = "CHARGEKEEPER_SETTINGS"


class Setting(NamedTuple):
    """A row of the table."""

    name: str
    meaning: str
    default: str  # the default as a value, or in words
    example: str
    is_secret: bool = False  # no command prints its value


SETTINGS = (
    Setting(
        FILE,
        "a TOML file with settings; those of the environment go before it",
        "none",
        "/etc/chargekeeper/settings.toml",
    ),
    Setting(
        "CHARGEKEEPER_DATA",
        "folder of the database and of all that is kept",
        "var in the checkout; where it is installed, ~/.local/share/chargekeeper",
        "/var/lib/chargekeeper",
    ),
    Setting(
        "CHARGEKEEPER_DATABASE",
        "a PostgreSQL instead of the SQLite in the data folder",
        "none",
        "postgresql://chargekeeper:secret@db.example/chargekeeper",
        is_secret=True,
    ),
    Setting(
        "CHARGEKEEPER_DATABASE_READ",
        "a standby of it, which pages read",
        "none",
        "postgresql://chargekeeper:secret@standby.example/chargekeeper",
        is_secret=True,
    ),
    Setting(
        "CHARGEKEEPER_HOST", "the address that pages and broker listen on; :: is IPv4 and IPv6", "127.0.0.1", "0.0.0.0"
    ),
    Setting("CHARGEKEEPER_HTTP_PORT", "the pages; 0 lets the system choose", "8080", "8080"),
    Setting(
        "CHARGEKEEPER_PUBLIC_URL",
        "where people reach the pages; every link that leaves the service begins with it",
        "this machine's address",
        "https://chargers.example",
    ),
    Setting(
        "CHARGEKEEPER_PROXIES",
        "the proxies whose X-Forwarded-For and X-Client-Subject are believed: addresses and networks",
        "none",
        "127.0.0.1,::1",
    ),
    Setting("CHARGEKEEPER_SIGN_UP", "who may make an account: invitation, open or closed", "invitation", "closed"),
    Setting(
        "CHARGEKEEPER_MAIL",
        "the mail server for letters and alerts",
        "none: no letters",
        "mailtos://user:password@mail.example",
        is_secret=True,
    ),
    Setting(
        "CHARGEKEEPER_HELP",
        "whom drivers may call, one line, shown where they need help",
        "none",
        "0800 000 000, weekdays 8 to 18",
    ),
    Setting("CHARGEKEEPER_MAKER", "how drivers reach the manufacturer, one line", "none", "help@maker.example"),
    Setting(
        "CHARGEKEEPER_API_TOKEN",
        "a token of at least 32 characters for the interface, beside those in the store",
        "none",
        "(what `openssl rand -hex 32` prints)",
        is_secret=True,
    ),
    Setting(
        "CHARGEKEEPER_MQTT_PORT",
        "the broker without TLS, on this machine only; 0 lets the system choose",
        "1883",
        "1883",
    ),
    Setting(
        "CHARGEKEEPER_MQTT_PLAIN",
        "loopback or anywhere: whether secrets may cross the network in clear text",
        "loopback",
        "anywhere",
    ),
    Setting("CHARGEKEEPER_MQTTS_PORT", "the broker over TLS, open where there is a certificate", "8883", "8883"),
    Setting(
        "CHARGEKEEPER_TLS_CERT", "the certificate with its chain, PEM", "none: no TLS", "/etc/ssl/chargers.example.pem"
    ),
    Setting("CHARGEKEEPER_TLS_KEY", "its key, PEM", "none", "/etc/ssl/private/chargers.example.key"),
    Setting(
        "CHARGEKEEPER_OCPP_PORT",
        "chargers that speak OCPP, without TLS; in a cluster of `ocpp` alone",
        "closed",
        "8887",
    ),
    Setting("CHARGEKEEPER_OCPP_PLAIN", "loopback or anywhere, as for MQTT", "loopback", "anywhere"),
    Setting("CHARGEKEEPER_OCPPS_PORT", "the same over TLS, with the certificate of the broker", "closed", "8888"),
    Setting(
        "CHARGEKEEPER_HOME_PORT",
        "people's Home Assistants, by MQTT without TLS; beyond this machine with CHARGEKEEPER_MQTT_PLAIN alone",
        "closed",
        "1884",
    ),
    Setting("CHARGEKEEPER_HOME_TLS_PORT", "the same over TLS, with the certificate of the broker", "closed", "8884"),
    Setting(
        "CHARGEKEEPER_BROKER",
        "an outside broker instead of our own",
        "none",
        "mqtts://:secret@broker.example:8883",
        is_secret=True,
    ),
    Setting(
        "CHARGEKEEPER_BROKER_CA",
        "the authority that its certificate is checked against, PEM",
        "the system's",
        "/etc/ssl/broker-authority.pem",
    ),
    Setting("CHARGEKEEPER_PART", "which part of its units this process takes, of how many", "1/1", "2/4"),
    Setting(
        "CHARGEKEEPER_NATS",
        "the file that `nats write` makes: the units are on a NATS cluster",
        "none",
        "/etc/chargekeeper/nats.json",
    ),
    Setting(
        "CHARGEKEEPER_HOME_ASSISTANT",
        "on or off: whether Home Assistant finds the units on a shared broker",
        "off",
        "on",
    ),
    Setting(
        "CHARGEKEEPER_VEHICLES",
        "the file with the car makers and how to reach them",
        "vehicles.toml in the data folder",
        "/etc/chargekeeper/vehicles.toml",
    ),
    Setting(
        "CHARGEKEEPER_VEHICLE_KEYS",
        "the keys that seal car accounts and second factors; the first one seals",
        "a key file in the data folder",
        "(id:base64,id:base64)",
        is_secret=True,
    ),
    Setting(
        "CHARGEKEEPER_UPDATE_BYTES",
        "of updates that a unit is sent in a month, at most; 0 for none",
        "400000",
        "800000",
    ),
    Setting("CHARGEKEEPER_LOG", "text or json", "text", "json"),
)
NAMES = frozenset(setting.name for setting in SETTINGS)
OF_THE_RIG = frozenset({"CHARGEKEEPER_UNIT_ID", "CHARGEKEEPER_PANEL_PORT"})  # set by `make run`
OF_TESTS = "CHARGEKEEPER_TEST_"  # the prefix of the tests' own variables


def check_names(names: Iterable[str]) -> None:
    """Check the names of environment variables. Raises SettingError for a name with our prefix that is no setting."""
    for name in sorted(names):
        if name.startswith(PREFIX) and name not in NAMES | OF_THE_RIG and not name.startswith(OF_TESTS):
            nearest = get_close_matches(name, NAMES, 1, 0.0)[0]
            raise SettingError(f"{name} is no setting: did you mean {nearest}? `settings` lists them all")
