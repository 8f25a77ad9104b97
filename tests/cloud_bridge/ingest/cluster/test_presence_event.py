"""Is it read of an event who came and who went, and nothing of anybody else?"""

import json
from typing import Any

import pytest

from cloud_bridge.ingest.cluster.presence_event import is_unit, read_event
from cloud_bridge.store.presence import Presence

AT, AT_MS = "2026-01-01T00:00:00.5Z", 1_767_225_600_500


def told(client_id: Any = "cp-1", **more: Any) -> bytes:
    said = {"client": {"client_id": client_id}, "server": {"name": "n1"}, "timestamp": AT} | more
    return json.dumps(said).encode()


def read(what: str, data: bytes) -> Presence | None:
    return read_event(f"$SYS.ACCOUNT.UNITS.{what}", data)


def test_who_came_and_who_went() -> None:
    assert read("CONNECT", told()) == Presence("cp-1", True, "n1", AT_MS)
    assert read("DISCONNECT", told(reason="Client Closed")) == Presence("cp-1", False, "n1", AT_MS)


@pytest.mark.parametrize(
    "data",
    [told(None), told("_canary-n1"), told("no unit!"), told(7), told(reason="Duplicate Client ID"), told(timestamp="x"),
     told(server={}), told(client=[]), b"", b"{", b"[]", b"[" * 100_000],
)  # fmt: skip
def test_what_tells_nothing_of_a_unit(data: bytes) -> None:
    assert read("DISCONNECT", data) is None


def test_another_kind_of_event_is_none() -> None:
    assert read("SERVER", told()) is None


@pytest.mark.parametrize(
    ("client_id", "expected"), [("cp-1", True), ("_canary", False), ("_canary-n1", False), ("", False)]
)
def test_a_unit_is_no_client_of_ours(client_id: str, expected: bool) -> None:
    assert is_unit(client_id) is expected
