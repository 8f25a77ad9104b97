"""Is what a node tells of its connections read, and everything else none?"""

import json
from typing import Any

import pytest

from cloud_bridge.ingest.cluster.connz import NodeConnection, Page, read_page, time_ms

NOW, NOW_MS = "2026-01-01T00:00:10.123456789Z", 1_767_225_610_123


def told(**change: Any) -> bytes:
    data = {
        "now": NOW,
        "connections": [{"cid": 7, "start": "2026-01-01T01:00:00+01:00", "mqtt_client": "cp-1"}],
    } | change
    return json.dumps({"server": {"id": "N1", "name": "n1"}, "data": data}).encode()


def test_a_page_has_its_connections_of_mqtt_and_counts_all() -> None:
    rows = [
        {"cid": 6},
        {"cid": 7, "start": "2026-01-01T01:00:00+01:00", "mqtt_client": "cp-1"},
        {"cid": 8, "mqtt_client": ""},
    ]
    one = NodeConnection("N1", "n1", 7, "cp-1", NOW_MS - 10_123, 10_123)
    assert read_page(told(connections=rows)) == Page("N1", "n1", NOW_MS, 3, [one])
    assert read_page(told(connections=None)) == read_page(told(connections=[])) == Page("N1", "n1", NOW_MS, 0, [])


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"{", b"[]", b"7", b"{}", b"[" * 100_000, told(now=None), told(now="yesterday"), told(connections=7),
        told(connections=[7]), told(connections=[{"mqtt_client": "a"}]),
        told(connections=[{"mqtt_client": "a", "cid": "x", "start": NOW}]),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_none(answer: bytes) -> None:
    assert read_page(answer) is None


def test_a_time_is_cut_to_milliseconds() -> None:
    assert time_ms(NOW) == NOW_MS and time_ms("1970-01-01T00:00:00Z") == 0
