"""The command line of `python -m cloud_bridge`: parse the arguments, run the command or role, return the exit code."""

import asyncio
import json
import os
import select
import sys
from argparse import Namespace
from collections.abc import Callable
from importlib import import_module

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.cli.area import Answer, Area, Parser
from cloud_bridge.errors import BridgeError
from cloud_bridge.importing import importing
from cloud_bridge.listening_sockets import LOOPBACK
from cloud_bridge.logs import write_logs
from cloud_bridge.settings import Settings, as_host, read_settings
from cloud_bridge.settings_file import add_file
from cloud_bridge.store.error_text import reason_of, remedy_of
from cloud_bridge.text import is_storable
from cloud_bridge.version import VERSION

AREAS = {  # cli/ has a module for each
    "unit": "charge points",
    "token": "API tokens",
    "user": "people who log in",
    "data": "backup, restore, export, erase, scrub",
    "mosquitto": "an outside broker",
    "nats": "a cluster of brokers",
    "tls": "certificates",
    "release": "firmware for the units",
}
ROLES = {  # what a process serves; roles/ has a file for each
    "all": "serve everything in one process, as without a word",
    "web": "serve pages and interface; the units are on a cluster",
    "ingest": "take in what units say: of a cluster, or the part CHARGEKEEPER_PART of CHARGEKEEPER_BROKER's",
    "auth": "tell a cluster which unit may log in",
    "ocpp": "take in what chargers of other makers say, for a cluster",
    "upkeep": "do what is done by the clock, for a cluster: silences, alerts, retention, vehicles",
}


def main(arguments: list[str] | None = None) -> int:
    """Return exit code 0 on success, or 1 on an error, with one line on standard error. argparse exits with 2 for wrong
    usage."""
    words = sys.argv[1:] if arguments is None else arguments
    parser = _parser(words)
    if not all(map(is_storable, words)):
        parser.error("an argument is not text in UTF-8")
    options = parser.parse_args(words)
    try:
        add_file(os.environ)
        settings = read_settings(os.environ)
        write_logs(settings.log_json)
        if options.area in (None, *ROLES):
            _serve(settings, options.area)
        else:
            answer = options.run(settings, options)
            _show(answer, options.json)
            return int(isinstance(answer, list) and any(row.get("ok") is False for row in answer))
    except BridgeError as error:
        print(f"chargekeeper: {error}", file=sys.stderr)
        return 1
    except SQLAlchemyError as error:  # the database failed after it was opened
        remedy = remedy_of(error) or "Try again, or see `doctor`"
        print(f"chargekeeper: the database cannot be used now: {reason_of(error)}. {remedy}", file=sys.stderr)
        return 1
    return 0


def _parser(words: list[str]) -> Parser:
    """Declare only the commands of the areas that were typed: importing the others takes a tenth of a second."""
    parser = Parser(
        prog="python -m cloud_bridge",
        description="Serve the broker and the pages, or (with an area) change what the bridge knows.",
    )
    metavar = (
        "unit | token | user | data | tls | release | mosquitto | nats | settings | doctor"
        " | all | web | ingest | auth | ocpp | upkeep"
    )
    parser.add_argument("--version", action="version", version=f"chargekeeper {VERSION}")
    areas = parser.add_subparsers(dest="area", metavar=metavar)
    for name, about in AREAS.items():
        area = Area(areas, name, about)
        if name in words:
            import_module(f"cloud_bridge.cli.{name}").declare(area)
    about = "every setting: what it means, and what it is set to"
    listing = areas.add_parser("settings", help=about, description=about)
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=_list_settings)
    check = areas.add_parser("doctor", help="is everything that the bridge stands on in order?")
    check.add_argument("--json", action="store_true", help="print JSON")
    check.set_defaults(run=_examine)
    for role, about in ROLES.items():
        areas.add_parser(role, help=about, description=about)
    return parser


def _list_settings(settings: Settings, options: Namespace) -> Answer:
    from cloud_bridge.cli import settings as listing  # imported here because no other command needs it

    return listing.show(settings, options)


def _examine(settings: Settings, options: Namespace) -> Answer:
    from cloud_bridge.cli import doctor  # imports the code for certificates, brokers and databases

    return doctor.run(settings, options)


def _serve(settings: Settings, area: str | None) -> None:
    """Serve the role. The pages and all brokers are imported here, since that takes half a second that no command
    needs."""
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None  # None: asyncio's default
    with importing():
        if hasattr(select, "epoll"):
            from cloud_bridge.event_loop import new_event_loop

            new_loop = new_event_loop
        from cloud_bridge.roles.role import Role
        from cloud_bridge.roles.serving import serve

    role = Role(area or Role.ALL)

    def ready(
        http_port: int,
        mqtt_port: int = 0,
        mqtts_port: int | None = None,
        ocpp_port: int | None = None,
        ocpps_port: int | None = None,
        home_ports: tuple[int | None, int | None] = (None, None),
    ) -> None:
        if role not in (Role.ALL, Role.WEB):
            print(f"health http://{as_host(settings.host)}:{http_port}/healthz", flush=True)
        else:
            _say_ready(settings, http_port, mqtt_port, mqtts_port)
        _say_ocpp(settings, ocpp_port, ocpps_port)
        _say_home(settings, *home_ports)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(serve(role, settings, ready))


def _say_ready(settings: Settings, http_port: int, mqtt_port: int, mqtts_port: int | None) -> None:
    print(f"pages  http://{as_host(settings.host)}:{http_port}/", flush=True)
    if settings.cluster is not None:
        print(f"broker {', '.join(settings.cluster.servers)}", flush=True)
        return
    if settings.broker is not None:
        print(f"broker {settings.broker.host}:{settings.broker.port}", flush=True)
        return
    plain_host = settings.host if settings.mqtt_plain_anywhere else LOOPBACK
    print(f"broker mqtt://{as_host(plain_host)}:{mqtt_port}", flush=True)
    if mqtts_port is not None:
        print(f"broker mqtts://{as_host(settings.host)}:{mqtts_port}", flush=True)


def _say_ocpp(settings: Settings, ocpp_port: int | None, ocpps_port: int | None) -> None:
    plain_host = settings.host if settings.ocpp_plain_anywhere else LOOPBACK
    if ocpp_port is not None:
        print(f"ocpp   ws://{as_host(plain_host)}:{ocpp_port}/ocpp/ID", flush=True)
    if ocpps_port is not None:
        print(f"ocpp   wss://{as_host(settings.host)}:{ocpps_port}/ocpp/ID", flush=True)


def _say_home(settings: Settings, port: int | None, tls_port: int | None) -> None:
    plain_host = settings.host if settings.mqtt_plain_anywhere else LOOPBACK
    if port is not None:
        print(f"home   mqtt://{as_host(plain_host)}:{port}", flush=True)
    if tls_port is not None:
        print(f"home   mqtts://{as_host(settings.host)}:{tls_port}", flush=True)


def _show(answer: Answer, as_json: bool) -> None:
    if as_json:
        print(json.dumps(answer))
        return
    for row in answer if isinstance(answer, list) else [answer]:
        if "ok" in row:  # a row of `doctor`
            print(f"{'ok ' if row['ok'] else 'BAD'}  {row['check']:9} {row['found']}")
        elif "setting" in row:
            print(f"{row['setting']}={row['value'] or ''}\n    {row['meaning']}. Unset: {row['default']}")
        else:
            print("  ".join(f"{name} {value}" for name, value in row.items()))
