"""`python -m cloud_bridge unit northbound ...`: to whose OCPP back-end a charge point is shown. The address may be inside, so
it is for operators alone; the running bridge goes by it within seconds."""

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
_KEY, _TAG = re.compile(r"[!-~]{1,40}"), re.compile(r"[ -~]{1,20}")  # of OCPP 1.6


def declare(area: Area) -> None:
    about = "show it to somebody else's OCPP 1.6J back-end too; its key comes from standard input"
    showing = area.command("northbound", about, northbound, "id", "url")
    showing.add_argument("--agreed-by", required=True, metavar="USER", help="its owner, who has agreed to that")
    showing.add_argument("--identity", help="as the back-end knows it; its id unless given")
    showing.add_argument("--id-tag", default=ID_TAG, metavar="TAG", help=f"of its transactions; {ID_TAG} unless given")
    showing.add_argument("--may-command", action="store_true", help="the back-end may give it orders")
    showing.add_argument("--plain", action="store_true", help="allow ws://: the key crosses the network in clear text")
    area.command("northbound-end", "show it to nobody else any more", northbound_end, "id")


def northbound(settings: Settings, options: argparse.Namespace) -> Answer:
    identity = options.identity or options.id
    if (reason := why_not(identity)) is not None:
        raise BridgeError(f"{identity!r} is no identity of a charger: {reason}")
    if ":" in identity:
        raise BridgeError("the identity is a user name too, which has no colon")
    if not _TAG.fullmatch(options.id_tag):
        raise BridgeError("a tag has 1 to 20 characters of ASCII")
    url = check_url(options.url, options.plain)
    key = sys.stdin.readline().strip()
    if not _KEY.fullmatch(key):
        raise BridgeError("the key comes from standard input: a line of 1 to 40 characters of ASCII, without spaces")
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
