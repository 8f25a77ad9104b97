"""Does each kind of addition need exactly the files that .github/CONTRIBUTING.md lists, and does it work then?

All additions are made in one copy of the tree, in which a bridge and the tests about them run.
"""

import json
import re
from typing import Any

import pytest

from tests.additions import ADDITIONS, GENERATED
from tests.copied_tree import ROOT, CopiedTree

TEXT = (ROOT / ".github" / "CONTRIBUTING.md").read_text()
SETTINGS = """public_url = "https://app.example"
[provider.zephyr]
kind = "zephyr"
client_id = "us"
secret = "pst"
"""
LOOK = """
import json
from pathlib import Path
import pytest
from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.store.people import Role
from tests.cloud_bridge import alerting
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import running_bridge, sample
with running_bridge(Path("store")) as bridge, pytest.MonkeyPatch.context() as patched:
    sent = alerting.webhooks(patched)
    unit = alerting.unit_of(bridge, alerting.driver(bridge, "ann", (AlertKind.OPENED,)), "home-1")
    unit.publish("cp/home-1/heartbeat", sample("heartbeat-board-temperature"))
    unit.publish("cp/home-1/event", b'{"b":1,"n":1,"k":"tamper","d":{"open":true}}')
    bridge.until(lambda: bridge.read("home-1")["last_contact"], "contact")
    alerting.look(bridge)
    dora = Visitor(bridge, "dora", Role.OPERATOR)
    charging = "/charge-points/home-1/charging"
    answers = [
        bridge.stranger().post("/api/webhooks/zephyr", content=b"hello", headers={"Zephyr-Secret": secret})
        for secret in ("pst", "guess")
    ]
    print(json.dumps({
        "board_c": bridge.read("home-1")["board_c"],
        "unit page": Visitor(bridge, "olga", Role.OPERATOR).read("/charge-points/home-1"),
        "alerts": [alert["words"] for alert in sent],
        "notifications": dora.read("/account/notifications"),
        "tips": dora.read("/tips"),
        "makers": dora.read("/account/vehicles/connect"),
        "webhook": [[answer.status_code, answer.json()] for answer in answers],
        "ordered": dora.post(charging + "/blink", form_on=charging).text,
    }))
"""
# Parts of the names of the tree's tests about the additions.
ABOUT = (
    "zephyr or a_maker or every_kind or tips or theirs or zc or board-temperature or blink or the_cloud_gives or x100"
    " or ntfy or every_service"
)
TESTS = (
    "tests/test_arrows.py",
    "tests/test_rules.py",
    "tests/test_wire_schema.py",
    "tests/cloud_bridge/alerts/test_services.py",
    "tests/cloud_bridge/test_wire.py",
    "tests/cloud_bridge/vehicles/providers/test_registry.py",
    "tests/cloud_bridge/web/test_theirs_only.py",
    "tests/firmware/link/test_commands.py",
    "tests/modem/families/test_registry.py",
)
AT_LEAST = 20


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[CopiedTree, dict[str, set[str]]]:
    """The tree with all additions, and the files that each of them changed."""
    tree, touched = CopiedTree(tmp_path_factory.mktemp("grown")), {}
    for title, add in ADDITIONS.items():
        tree.touched.clear()
        add(tree)
        touched[title] = set(tree.touched)
    tree.run("-m", "tests.cloud_bridge.openapi")
    return tree, touched


@pytest.fixture(scope="module")
def seen(grown: tuple[CopiedTree, dict[str, set[str]]]) -> dict[str, Any]:
    """What a running bridge shows of the additions."""
    tree, _ = grown
    tree.write("store/vehicles.toml", SETTINGS)
    found: dict[str, Any] = json.loads(tree.run("-c", LOOK))
    return found


def listed(title: str) -> list[str]:
    """Return the paths in the list of one kind."""
    section = TEXT.split(f"### {title}\n")[1].split("\n#")[0]
    return re.findall(r"`([a-z_]+(?:/[a-z0-9_.]+)+)`", section)


def test_there_is_an_addition_for_every_list() -> None:
    titles = set(re.findall(r"^### (.+)$", TEXT, re.MULTILINE))
    assert titles - {"A board"} == ADDITIONS.keys()


@pytest.mark.parametrize("title", ADDITIONS)
def test_it_takes_the_files_of_its_list(title: str, grown: tuple[CopiedTree, dict[str, set[str]]]) -> None:
    paths = listed(title)
    if any("schema.toml" in path for path in paths):
        paths.append("tests/samples")  # "and a sample"
    strays = [file for file in grown[1][title] if not any(f"{file}/".startswith(f"{path}/") for path in paths)]
    assert not strays
    assert GENERATED in paths or title in ("A command", "A page", "A car maker", "A modem family")


def test_a_value_reaches_interface_and_dashboard(seen: dict[str, Any]) -> None:
    assert seen["board_c"] == 41.25
    assert "Inside the charger 41.2 °C" in seen["unit page"]


def test_an_alert_kind_is_offered_and_sent(seen: dict[str, Any]) -> None:
    assert seen["alerts"] == ["home-1 was opened."]
    assert "It was opened" in seen["notifications"]


def test_a_service_is_offered(seen: dict[str, Any]) -> None:
    assert "Topic Tell me by ntfy" in seen["notifications"]


def test_a_page_is_there_and_in_the_navigation(seen: dict[str, Any]) -> None:
    assert "Charge at night" in seen["tips"] and "Account Tips" in seen["tips"]


def test_a_car_maker_is_offered_and_its_webhook_answers(seen: dict[str, Any]) -> None:
    assert "Next: Zephyr Motors" in seen["makers"]
    assert seen["webhook"] == [[200, {"heard": "hello"}], [401, {"detail": "the signature is not right"}]]


def test_a_command_is_sent_and_shown(seen: dict[str, Any]) -> None:
    assert "<h2>Blink</h2>" in seen["ordered"] and "Waiting for your charger" in seen["ordered"]


def test_the_rules_of_the_tree_hold_with_all_of_them(grown: tuple[CopiedTree, dict[str, set[str]]]) -> None:
    told = grown[0].run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", ABOUT, *TESTS)
    assert int(re.findall(r"(\d+) passed", told)[0]) >= AT_LEAST, told


def test_the_description_of_the_interface_is_that_of_the_tree(grown: tuple[CopiedTree, dict[str, set[str]]]) -> None:
    described = json.loads((grown[0].folder / GENERATED).read_text())
    assert "board_c" in json.dumps(described) and "opened" in json.dumps(described)
