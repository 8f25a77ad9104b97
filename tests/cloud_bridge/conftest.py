"""A new bridge or database for every test that needs one, and the mark for tests of one kind of database."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from cloud_bridge import passwords
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.units import add_unit
from tests.cloud_bridge.engines import create_engine
from tests.cloud_bridge.running import Bridge, databases_of_a_test, running_bridge, store_at

STORES = {"bridge", "database", "tmp_path", "tmp_path_factory"}  # fixtures
MAKERS = ("store_at", "running_bridge", "open_database")  # functions
HERE = "postgresql" if "CHARGEKEEPER_TEST_POSTGRESQL" in os.environ else "sqlite"


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark for tests that only make sense on one kind of database."""
    config.addinivalue_line("markers", "store(kind): left out where tests keep their store in another kind of database")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    others = [item for item in items for mark in item.iter_markers("store") if mark.args != (HERE,)]
    if HERE == "postgresql":
        others += [item for item in items if isinstance(item, pytest.Function) and not opens_a_store(item)]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]


def opens_a_store(item: pytest.Function) -> bool:
    """Return whether the test can open a store: it has a folder for one, or its module makes one. Other tests use no
    database."""
    return not STORES.isdisjoint(item.fixturenames) or any(hasattr(item.module, name) for name in MAKERS)


@pytest.fixture(autouse=True)
def database_away() -> Iterator[None]:
    with databases_of_a_test():
        yield


@pytest.fixture(scope="session", autouse=True)
def loop_of_browsers() -> Iterator[None]:
    """Use one event loop for all requests, as a server does. Starlette's client takes half of its time to create one for
    each."""
    with start_blocking_portal() as portal, pytest.MonkeyPatch.context() as patch:
        patch.setattr(TestClient, "portal", portal)
        yield


@pytest.fixture(scope="session", autouse=True)
def statements_compiled_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cloud_bridge.store.database.create_engine", create_engine)
        yield


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database without a bridge, with the units cp-1 and cp-2."""
    database = open_database(store_at(tmp_path))
    with database.writing() as connection:
        add_unit(connection, "cp-1", 0)
        add_unit(connection, "cp-2", 0)
    yield database
    database.close()


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Bridge]:
    with running_bridge(tmp_path) as bridge:
        yield bridge


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make argon2 fast: it is slow on purpose, but not for tests."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", quick)
    monkeypatch.setattr(passwords, "_NOBODY", quick.hash("nobody"))
