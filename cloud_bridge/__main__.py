"""`python -m cloud_bridge`: serve; with arguments: add and list units, tokens and users."""

import argparse
import asyncio
import json
import logging
import os
import sys
from typing import Any

from cloud_bridge import commands
from cloud_bridge.errors import BridgeError
from cloud_bridge.serving import serve
from cloud_bridge.settings import Settings, read_settings
from cloud_bridge.store.people import Role


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when done, 1 with one line on standard error when something is in the way, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings = read_settings(os.environ)
        if options.area is None:
            asyncio.run(serve(settings, lambda http, mqtt: _say_ready(settings, http, mqtt)))
        else:
            _show(options.run(settings, options), options.json)
    except BridgeError as error:
        print(f"chargekeeper: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cloud_bridge",
        description="Serve the broker and the pages, or (with an area) change what the bridge knows.",
    )
    areas = parser.add_subparsers(dest="area", metavar="unit | token | user")

    unit = areas.add_parser("unit", help="charge points").add_subparsers(required=True, metavar="add | list")
    add = unit.add_parser("add", help="add a charge point; prints its secret and claim code once")
    add.add_argument("id")
    add.set_defaults(run=lambda settings, options: commands.unit_add(settings, options.id))
    listing = unit.add_parser("list", help="list the charge points")
    listing.set_defaults(run=lambda settings, options: commands.unit_list(settings))

    token = areas.add_parser("token", help="API tokens").add_subparsers(required=True, metavar="add")
    new_token = token.add_parser("add", help="make an API token; prints it once")
    new_token.set_defaults(run=lambda settings, options: commands.token_add(settings))

    user = areas.add_parser("user", help="people who log in").add_subparsers(required=True, metavar="add")
    person = user.add_parser("add", help="add a person; prints the password once")
    person.add_argument("name")
    person.add_argument("--role", choices=[role.value for role in Role], default=Role.OPERATOR.value)
    person.set_defaults(run=lambda settings, options: commands.user_add(settings, options.name, Role(options.role)))

    for command in (add, listing, new_token, person):
        command.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _say_ready(settings: Settings, http_port: int, mqtt_port: int) -> None:
    print(f"pages  http://{settings.host}:{http_port}/", flush=True)
    print(f"broker mqtt://{settings.host}:{mqtt_port}", flush=True)


def _show(answer: dict[str, Any] | list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(answer))
        return
    for row in answer if isinstance(answer, list) else [answer]:
        print("  ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    sys.exit(main())
