"""`python -m cloud_bridge unit northbound ...`: shows a charge point to another OCPP back-end. The back-end's address may be
in the internal network, so only operators may set it. The running bridge applies the setting within seconds."""

import argparse
import re
import sys
from contextlib import closing

from cloud_bridge.cli.area import Answer, Area
from cloud_bridge.cli.security_log import record
from cloud_bridge.clock import SystemClock
from cloud_bridge.errors import BridgeError
from cloud_bridge.ingest.ocpp.identity import why_not
from cloud_bridge.northbound.address import check_url, host_of, where
from cloud_bridge.settings import Settings
from cloud_bridge.store.database import open_database
from cloud_bridge.store.northbound import Setting, hide, show
from cloud_bridge.store.people import find_person
from cloud_bridge.store.security_events import Kind

ID_TAG = "CHARGEKEEPER"
_KEY, _TAG = re.compile(r"[!-~]{1,40}"), re.compile(r"[ -~]{1,20}")  # formats of OCPP 1.6


def declare(area: Area) -> None:
    about = "show it to another OCPP 1.6J back-end as well; the key is read from standard input"
    showing = area.command("northbound", about, northbound, "id", "url")
    showing.add_argument("--agreed-by", required=True, metavar="USER", help="its owner, who has consented to that")
    showing.add_argument("--identity", help="its identity at the back-end; default: its id")
    showing.add_argument(
        "--id-tag", default=ID_TAG, metavar="TAG", help=f"id tag of its transactions; default: {ID_TAG}"
    )
    showing.add_argument("--may-command", action="store_true", help="allow the back-end to send commands")
    showing.add_argument("--plain", action="store_true", help="allow ws://: the key is sent in clear text")
    area.command("northbound-end", "stop showing it to a back-end", northbound_end, "id")


def northbound(settings: Settings, options: argparse.Namespace) -> Answer:
    identity = options.identity or options.id
    if (reason := why_not(identity)) is not None:
        raise BridgeError(f"{identity!r} is not an identity of a charger: {reason}")
    if ":" in identity:
        raise BridgeError("the identity is also a user name, so it must not contain a colon")
    if not _TAG.fullmatch(options.id_tag):
        raise BridgeError("a tag has 1 to 20 ASCII characters")
    url = check_url(options.url, options.plain)
    key = sys.stdin.readline().strip()
    if not _KEY.fullmatch(key):
        raise BridgeError("the key is read from standard input: one line of 1 to 40 ASCII characters, without spaces")
    setting = Setting(options.id, SystemClock().now_ms(), url, identity, key, options.id_tag, options.may_command)
    with closing(open_database(settings.store)) as database, database.writing() as connection:
        show(connection, setting, find_person(connection, options.agreed_by).id)
        record(connection, Kind.NORTHBOUND, f"{options.id} to {host_of(url)}"[:120])
    return {"id": options.id, "connects_to": where(url, identity), "may_command": options.may_command}


def northbound_end(settings: Settings, options: argparse.Namespace) -> Answer:
    with closing(open_database(settings.store)) as database, database.writing() as connection:
        if not hide(connection, options.id):
            raise BridgeError(f"there is no unit {options.id} that is shown to a back-end")
        record(connection, Kind.NORTHBOUND_ENDED, options.id)
    return {"id": options.id, "connects_to": None}
