"""Is each reason why no node accepts us reported once, with what to do?"""

import asyncio
import errno
import logging
import socket

import pytest
from nats.aio.client import Client

from cloud_bridge.ingest.cluster.cluster_file import Cluster, Node
from cloud_bridge.ingest.cluster.connection import MAX_REASONS, _Complaints
from cloud_bridge.ingest.cluster.nkey import new_seed

CLUSTER = Cluster(
    [Node(f"n{at}", f"n{at}.example", 4222, 1883) for at in (1, 2)], "bridge's", "system's", new_seed(), None
)
REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 4222)")
REFUSED_2 = ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 4223)")
VIOLATION = Exception("nats: 'Authorization Violation'")
RESET = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
UNKNOWN = socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def told(caplog: pytest.LogCaptureFixture, *errors: Exception, complaints: _Complaints | None = None) -> list[str]:
    caplog.clear()
    complaints = complaints or _Complaints(Client(), CLUSTER, None)

    async def fail() -> None:
        for error in errors:
            await complaints.failed(error)

    with caplog.at_level(logging.WARNING):
        asyncio.run(fail())
    return [record.getMessage() for record in caplog.records]


def test_a_reason_of_each_node_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    assert len(told(caplog, *[REFUSED, REFUSED_2] * 10)) == 2


def test_who_is_refused_is_told_once_and_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    (line,) = told(caplog, *[VIOLATION, RESET] * 10)
    assert "refuses our secret" in line and "Write both with `nats write`" in line


def test_a_name_that_is_not_known_is_told_with_all_names(caplog: pytest.LogCaptureFixture) -> None:
    (line,) = told(caplog, *[UNKNOWN] * 3)
    assert "of n1.example, n2.example: look at the DNS of this machine" in line


def test_reasons_are_told_again_after_it_was_connected_and_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    complaints = _Complaints(Client(), CLUSTER, None)
    assert len(told(caplog, REFUSED, complaints=complaints)) == 1
    asyncio.run(complaints.reconnected())
    assert len(told(caplog, REFUSED, complaints=complaints)) == 1
    assert len(told(caplog, *(OSError(f"reason {number}") for number in range(100)))) == MAX_REASONS
