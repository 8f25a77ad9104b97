"""Is a provider one file whose name no other file contains? tests/test_additions.py adds a car maker with one more file."""

import re
import sys
from pathlib import Path

import httpx2
import pytest

from cloud_bridge.vehicles.providers import registry
from cloud_bridge.vehicles.providers.registry import kinds
from cloud_bridge.vehicles.providers.section import Section

ROOT = Path(__file__).parents[4]
PRODUCT = ROOT / "cloud_bridge"
PROVIDERS = PRODUCT / "vehicles" / "providers"


def names() -> dict[str, Path]:
    """Return every maker's name, as kind and as title, with its file. "generic" names no maker."""
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
        ({"revoke_url": "m.example"}, "demo: revoke_url is 'm.example', not an address"),
        ({"scopes": "read"}, "demo: scopes is 'read', not a list"),
        ({"pkce": "no"}, "demo: pkce is 'no', not true or false"),
        ({"token_auth": "password"}, "demo: token_auth is 'password', not one of"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(values: dict[str, object], told: str) -> None:
    good = {"client_id": "us", "authorise_url": "https://m.example/a", "token_url": "https://m.example/t"}
    section = Section("demo", {**good, "api_url": "https://m.example", "scopes": ["read"], **values})
    with pytest.raises(ValueError, match=re.escape(told)):
        kinds()["generic"].make(section, httpx2.MockTransport(lambda _: httpx2.Response(500)))
