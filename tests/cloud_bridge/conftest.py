"""A bridge of its own for every test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from cloud_bridge import passwords
from tests.cloud_bridge.running import Bridge, running_bridge


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Bridge]:
    with running_bridge(tmp_path) as bridge:
        yield bridge


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2 is slow on purpose; not for tests."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", quick)
    monkeypatch.setattr(passwords, "_NOBODY", quick.hash("nobody"))
