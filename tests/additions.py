"""One addition of each kind that .github/CONTRIBUTING.md lists, made in a copy of the tree as a newcomer would.

ADDITIONS maps the title of each list to a function that changes the tree. tests/hil_tests/rig/test_image.py adds a board.
"""

from collections.abc import Callable

from tests.copied_tree import CopiedTree

SCHEMA = "tests/samples/schema.toml"

MAKER = '''"""Zephyr Motors (https://zephyr.example/docs)."""

from collections.abc import Mapping

import httpx2

from cloud_bridge.vehicles.providers import fields, registry
from cloud_bridge.vehicles.providers.oauth import OAuthProvider
from cloud_bridge.vehicles.providers.provider import BadSignature, Car, Delivery, Reading
from cloud_bridge.vehicles.providers.section import Section

DEFAULTS = {
    "title": "Zephyr Motors",
    "authorise_url": "https://zephyr.example/authorize",
    "token_url": "https://zephyr.example/token",
    "api_url": "https://zephyr.example",
    "scopes": ["read"],
}


class Zephyr(OAuthProvider):
    def __init__(self, section: Section, transport: httpx2.BaseTransport) -> None:
        super().__init__(section, transport)
        self._api_url = section.url("api_url")
        self.webhook = ZephyrWebhook(section.text("secret"))

    def cars(self, access_token: str) -> list[Car]:
        return []

    def read(self, access_token: str, car_id: str, now_ms: int) -> Reading:
        return Reading(now_ms)


class ZephyrWebhook:
    def __init__(self, secret: str) -> None:
        self._secret = secret

    def read(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Delivery:
        if headers.get("Zephyr-Secret") != self._secret:
            raise BadSignature
        return Delivery({"heard": fields.text(body.decode()) or ""}, "car-1")


registry.add("zephyr", Zephyr, DEFAULTS)
'''

PAGE = '''"""Tips for the driver."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud_bridge.web.page import PersonOf, page

router = APIRouter(include_in_schema=False)


@router.get("/tips")
def tips(request: Request, person: PersonOf) -> Response:
    return page(request, "driver/tips.html", person, tip="Charge at night")
'''
TEMPLATE = (
    '{% extends "base.html" %}{% block title %}{% trans %}Tips{% endtrans %}{% endblock %}'
    "{% block main %}<h1>{{ tip }}</h1>{% endblock %}"
)

COMMAND_FORM = '''@router.post("/blink", dependencies=[OwnForm])
def blink(request: Request, app_state: StateDep, person: PersonOf, unit: UnitOf) -> Response:
    """Which of two chargers is this one?"""
    return send_command(request, app_state, person, unit, "blink", {"s": 5})


def send_command('''
COMMAND_ROWS = """[command.blink]
do = ["text", "", "blink", "cloud_bridge/web/pages/driver/charging.py", "firmware/commands.py", "Blink, to be found."]
s = ["count", "s", "1..60", "cloud_bridge/web/pages/driver/charging.py", "firmware/commands.py", "For so long."]

[command.limit]
"""
FAMILY = '''"""X100 class."""

from modem.families.sim800 import Sim800


class X100(Sim800):
    """A SIM800 by another name."""

    NAME = "x100"


FAMILY = X100()
'''
FAMILY_SETUP = '''"""The X100's set-up, which is that of the SIM800."""

from modem.families.sim800_setup import SCAN_S, close_context, configure, open_context, scan

__all__ = ("SCAN_S", "close_context", "configure", "open_context", "scan")
'''


def a_value_that_a_heartbeat_carries(tree: CopiedTree) -> None:
    tree.change(
        "firmware/link/messages.py", {'        ("h", list(': '        ("zc", report.board_c),\n        ("h", list('}
    )
    tree.change(
        "cloud_bridge/values.py",
        {
            "HEARTBEAT = (": "HEARTBEAT = (\n"
            '    Value("zc", "board_c", "number", label=N_("Inside the charger"), unit="°C", format=".1f"),'
        },
    )
    row = '["number", "deg C", "-50..150", "firmware/link/messages.py", "cloud_bridge/values.py", "Of the board."]'
    tree.change(SCHEMA, {"[heartbeat]": f"[heartbeat]\nzc = {row}"})
    tree.write("tests/samples/heartbeat-board-temperature.json", '{"n":1,"b":1,"s":"A1","f":[],"zc":41.25}')


def a_command(tree: CopiedTree) -> None:
    tree.change(
        "firmware/link/commands.py",
        {'    "reboot": (True': '    "blink": (False, {"s": _whole(1, 60)}),\n    "reboot": (True'},
    )
    tree.change(
        "firmware/commands.py",
        {
            "CARRY_OUT = {": 'def _blink(unit: "ChargePoint", command: "Command") -> None:\n'
            "    unit.blink(command.arguments['s'])\n\n\n"
            'CARRY_OUT = {\n    "blink": _blink,'
        },
    )
    tree.change("cloud_bridge/web/pages/driver/charging.py", {"def send_command(": COMMAND_FORM})
    tree.change(
        "cloud_bridge/web/templates/driver/charging.html",
        {
            '{% call form_to("resume", ': '{% call form_to("blink", _("Blink")) %}{% endcall %}\n{% call form_to("resume", '
        },
    )
    tree.change(SCHEMA, {"[command.limit]\n": COMMAND_ROWS})
    tree.write("tests/samples/command-blink.json", '{"id":"c-1","do":"blink","s":5}')


def an_alert_kind(tree: CopiedTree) -> None:
    tree.change(
        "cloud_bridge/alerts/kinds.py",
        {
            '    WEAK_SIGNAL = "weak_signal"': '    OPENED = "opened"\n    WEAK_SIGNAL = "weak_signal"',
            "    AlertKind.FAULT: HOUR_MS,": "    AlertKind.OPENED: HOUR_MS,\n    AlertKind.FAULT: HOUR_MS,",
            "    AlertKind.DONE: N_(": '    AlertKind.OPENED: N_("{name} was opened."),\n    AlertKind.DONE: N_(',
        },
    )
    tree.change(
        "cloud_bridge/alerts/detection.py",
        {
            '    if row.kind == "boot"': '    if row.kind == "tamper" and details.get("open") is True:\n'
            "        return Happening(AlertKind.OPENED, row.unit_id, row.received_ms)\n"
            '    if row.kind == "boot"'
        },
    )
    tree.change(
        "cloud_bridge/web/pages/everyone/notifications.py",
        {"    AlertKind.FAULT: N_(": '    AlertKind.OPENED: N_("It was opened"),\n    AlertKind.FAULT: N_('},
    )


def a_service_that_alerts_are_sent_to(tree: CopiedTree) -> None:
    request = (
        "def _ntfy(part: Mapping[str, str], text: str) -> Request:\n"
        "    return _json_request('ntfy.sh', '/', {'topic': part['topic'], 'message': text})\n\n\n"
    )
    row = """    Via.NTFY: Service(
        "ntfy",
        (Field("topic", N_("Topic"), re.compile("([a-z]{3,20})"), "my-charger"),),
        re.compile("(?P<topic>[a-z]{3,20})"),
        _ntfy,
    ),
"""
    tree.change(
        "cloud_bridge/alerts/services.py",
        {
            '    PUSHOVER = "pushover"\n': '    NTFY = "ntfy"\n    PUSHOVER = "pushover"\n',
            "_DISCORD_ID, _DISCORD_TOKEN =": f"{request}_DISCORD_ID, _DISCORD_TOKEN =",
            "    Via.PUSHOVER: Service(": f"{row}    Via.PUSHOVER: Service(",
        },
    )
    tree.change(
        "tests/cloud_bridge/alerts/test_services.py",
        {"    Via.PUSHOVER: {": '    Via.NTFY: {"topic": "garage"},\n    Via.PUSHOVER: {'},
    )


def a_page(tree: CopiedTree) -> None:
    tree.write("cloud_bridge/web/pages/driver/tips.py", PAGE)
    tree.write("cloud_bridge/web/templates/driver/tips.html", TEMPLATE)
    tree.change(
        "cloud_bridge/web/pages/routers.py",
        {
            "    ready_by,\n": "    ready_by,\n    tips,\n",
            "    pwa.router,": "    pwa.router,\n    tips.router,",
        },
    )
    tree.change(
        "cloud_bridge/web/templates/parts/navigation.html",
        {"\n</nav>": '\n{{ entry("/tips", "message", _("Tips"), path == "/tips") }}\n</nav>'},
    )


def a_car_maker(tree: CopiedTree) -> None:
    tree.write("cloud_bridge/vehicles/providers/zephyr.py", MAKER)


def a_modem_family(tree: CopiedTree) -> None:
    tree.write("modem/families/x100.py", FAMILY)
    tree.write("modem/families/x100_setup.py", FAMILY_SETUP)
    tree.change("modem/families/registry.py", {"MODELS = (": 'MODELS = (\n    ("X100", "x100"),'})


ADDITIONS: dict[str, Callable[[CopiedTree], None]] = {
    "A value that a heartbeat carries": a_value_that_a_heartbeat_carries,
    "A command": a_command,
    "An alert kind": an_alert_kind,
    "A service that alerts are sent to": a_service_that_alerts_are_sent_to,
    "A page": a_page,
    "A car maker": a_car_maker,
    "A modem family": a_modem_family,
}
GENERATED = "tests/cloud_bridge/openapi.json"  # `python -m tests.cloud_bridge.openapi`, after a value or an alert kind
