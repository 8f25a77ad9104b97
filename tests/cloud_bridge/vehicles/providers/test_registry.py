"""Is a provider one file: does no other name it, and does one more file add a car maker?"""

import json
import re
import sys
from pathlib import Path

import httpx2
import pytest

from cloud_bridge.vehicles.providers import registry
from cloud_bridge.vehicles.providers.registry import kinds
from cloud_bridge.vehicles.providers.section import Section
from tests.copied_tree import CopiedTree

ROOT = Path(__file__).parents[4]
PRODUCT = ROOT / "cloud_bridge"
PROVIDERS = PRODUCT / "vehicles" / "providers"


def names() -> dict[str, Path]:
    """Every maker's name, as kind and as title, with its own file. "generic" is nobody's name."""
    own = {kind: Path(sys.modules[made.make.__module__].__file__ or "") for kind, made in kinds().items()}
    own |= {str(made.defaults.get("title", kind)): own[kind] for kind, made in kinds().items()}
    return {name.lower(): path for name, path in own.items() if name != "generic"}


def files() -> list[Path]:
    found = (path for path in PRODUCT.rglob("*") if path.suffix in (".py", ".html", ".js", ".css", ".md", ".toml"))
    return [path for path in found if "node_modules" not in path.parts]


def test_no_file_names_a_maker_but_its_own() -> None:
    assert len(names()) >= 2
    strays = [
        f"{path.relative_to(ROOT)} names {name}"
        for path in files()
        for name, own in names().items()
        if path != own and re.search(rf"\b{re.escape(name)}", path.read_text(encoding="utf-8"), re.IGNORECASE)
    ]
    assert not strays


def test_every_kind_is_in_a_file_of_its_own() -> None:
    modules = [made.make.__module__ for made in kinds().values()]
    assert len(set(modules)) == len(modules)
    assert list(kinds()) == sorted(kinds())


def test_a_kind_is_registered_once() -> None:
    with pytest.raises(ValueError, match="'generic' is registered twice"):
        registry.add("generic", kinds()["generic"].make, {})


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"client_id": ["us"]}, "demo: client_id is"),
        ({"client_id": None}, "demo: client_id is None"),
        ({"token_url": "http://m.example"}, "demo: token_url must begin with https://"),
        ({"revoke_url": "m.example"}, "demo: revoke_url is 'm.example', which is no address"),
        ({"scopes": "read"}, "demo: scopes is 'read', which is no list"),
        ({"pkce": "no"}, "demo: pkce is 'no', not true or false"),
        ({"token_auth": "password"}, "demo: token_auth is 'password', not one of"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(values: dict[str, object], told: str) -> None:
    good = {"client_id": "us", "authorise_url": "https://m.example/a", "token_url": "https://m.example/t"}
    section = Section("demo", {**good, "api_url": "https://m.example", "scopes": ["read"], **values})
    with pytest.raises(ValueError, match=re.escape(told)):
        kinds()["generic"].make(section, httpx2.MockTransport(lambda _: httpx2.Response(500)))


# A maker that there is not, in the one file that it takes.
NEW_FILE = "cloud_bridge/vehicles/providers/acme.py"
NEW_MAKER = '''"""Acme Motors (https://acme.example/docs)."""

from collections.abc import Mapping

import httpx2

from cloud_bridge.vehicles.providers import fields, registry
from cloud_bridge.vehicles.providers.oauth import OAuthProvider
from cloud_bridge.vehicles.providers.provider import BadSignature, Car, Delivery, Reading
from cloud_bridge.vehicles.providers.section import Section

DEFAULTS = {
    "title": "Acme Motors",
    "authorise_url": "https://acme.example/authorize",
    "token_url": "https://acme.example/token",
    "api_url": "https://acme.example",
    "scopes": ["read"],
}


class Acme(OAuthProvider):
    def __init__(self, section: Section, transport: httpx2.BaseTransport) -> None:
        super().__init__(section, transport)
        self._api_url = section.url("api_url")
        self.webhook = AcmeWebhook(section.text("secret"))

    def cars(self, access_token: str) -> list[Car]:
        return []

    def read(self, access_token: str, car_id: str, now_ms: int) -> Reading:
        return Reading(now_ms)


class AcmeWebhook:
    def __init__(self, secret: str) -> None:
        self._secret = secret

    def read(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Delivery:
        if headers.get("Acme-Secret") != self._secret:
            raise BadSignature
        return Delivery({"heard": fields.text(body.decode()) or ""}, "car-1")


registry.add("acme", Acme, DEFAULTS)
'''
SETTINGS = """public_url = "https://app.example"
[provider.acme]
kind = "acme"
client_id = "us"
secret = "pst"
"""
LOOK = """
import json, sys
from pathlib import Path
from cloud_bridge.store.people import Role
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import running_bridge
with running_bridge(Path(sys.argv[1])) as bridge:
    page = Visitor(bridge, "ann", Role.DRIVER).read("/account/vehicles/connect")
    secrets = ["pst", "guess"]
    answers = [
        bridge.stranger().post("/api/webhooks/acme", content=b"hello", headers={"Acme-Secret": secret})
        for secret in secrets
    ]
    print(json.dumps({"page": page, "answers": [[answer.status_code, answer.json()] for answer in answers]}))
"""


@pytest.fixture
def copied(tmp_path: Path) -> CopiedTree:
    """The tree, with the file of a maker."""
    tree = CopiedTree(tmp_path)
    tree.write(NEW_FILE, NEW_MAKER)
    return tree


def test_a_new_maker_reaches_pages_and_webhook_by_one_file(copied: CopiedTree) -> None:
    copied.write("store/vehicles.toml", SETTINGS)
    seen = json.loads(copied.run("-c", LOOK, "store"))
    assert "Next: Acme Motors" in seen["page"]
    assert seen["answers"] == [[200, {"heard": "hello"}], [401, {"detail": "the signature is not right"}]]


def test_the_rules_hold_with_a_new_maker(copied: CopiedTree) -> None:
    """Arrows, rules and names, in the copy, as far as they are about it."""
    about = "acme or test_no_file_names_a_maker or test_every_kind or test_no_module_imports_itself"
    tests = ("tests/test_arrows.py", "tests/test_rules.py", "tests/cloud_bridge/vehicles/providers/test_registry.py")
    told = copied.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", about, *tests)
    assert int(re.findall(r"(\d+) passed", told)[0]) >= 6, told
