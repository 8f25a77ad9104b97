"""Is a command sent only while both connections to the cluster stand, and is one that was lost said so?"""

import asyncio
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from nats.errors import Error as NatsError

from cloud_bridge.duties import Duties
from cloud_bridge.ingest.cluster import command_sender
from cloud_bridge.ingest.cluster.command_sender import ClusterAway, CommandSender
from cloud_bridge.store.commands import ANSWER_MS

NOW_MS = 1_767_225_600_000


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[Mock]:
    """Those of the bridge and of the system account, and the nodes."""
    made = [Mock(is_connected=True, close=AsyncMock()) for _ in range(2)]
    monkeypatch.setattr(command_sender, "connect_bridge", AsyncMock(return_value=made[0]))
    monkeypatch.setattr(command_sender, "connect_system", AsyncMock(return_value=made[1]))
    monkeypatch.setattr(command_sender, "Nodes", Mock(return_value=Mock(start=AsyncMock())))
    out = Mock(send=AsyncMock(return_value=True), send_pieces=AsyncMock(return_value=True))
    monkeypatch.setattr(command_sender, "CommandsOut", Mock(return_value=out))
    return [*made, out]


@pytest.fixture
def sender() -> Any:
    return CommandSender(Mock(nodes=[1, 2, 3]), "pages", Mock(now_ms=lambda: NOW_MS), Mock(), Duties())


def test_before_it_is_connected_nothing_is_sent(sender: Any, clients: list[Mock]) -> None:
    assert asyncio.run(sender.command("cp-1", b"{}")) is False and asyncio.run(sender.pieces("cp-1", [b"x"])) is False
    assert (sender.connections, sender.trouble) == (0, None)


def test_a_command_ends_when_we_wait_no_longer_for_its_answer(sender: Any, clients: list[Mock]) -> None:
    asyncio.run(sender._connect())
    assert command_sender.Nodes.call_args.args == (clients[1], 3)  # type: ignore[attr-defined]  # as set above
    assert command_sender.CommandsOut.call_args.args[0] is clients[0]  # type: ignore[attr-defined]  # likewise
    assert asyncio.run(sender.command("cp-1", b"{}")) is True and asyncio.run(sender.pieces("cp-1", [b"x"])) is True
    clients[2].send.assert_awaited_once_with("cp-1", b"{}", NOW_MS + ANSWER_MS)
    clients[2].send_pieces.assert_awaited_once_with("cp-1", [b"x"])


@pytest.mark.parametrize("lost", [0, 1])
def test_while_one_of_both_is_lost_nothing_is_sent_and_it_is_said(sender: Any, clients: list[Mock], lost: int) -> None:
    asyncio.run(sender._connect())
    asyncio.run(sender._connect())
    clients[lost].is_connected = False
    assert asyncio.run(sender.command("cp-1", b"{}")) is False and asyncio.run(sender.pieces("cp-1", [b"x"])) is False
    with pytest.raises(ClusterAway):
        asyncio.run(sender._connect())
    clients[lost].is_connected = True
    asyncio.run(sender._connect())
    assert asyncio.run(sender.command("cp-1", b"{}")) is True
    assert command_sender.connect_bridge.await_count == 1, "nats-py itself connects again"  # type: ignore[attr-defined]


@pytest.mark.parametrize("error", [NatsError(), OSError("refused"), TimeoutError()])
def test_what_was_connected_is_closed_where_the_other_could_not_be(
    sender: Any, clients: list[Mock], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(command_sender, "connect_system", AsyncMock(side_effect=error))
    with pytest.raises(ClusterAway, match="no node of the cluster is reachable"):
        asyncio.run(sender._connect())
    clients[0].close.assert_awaited_once()
    assert sender._clients == [] and asyncio.run(sender.command("cp-1", b"{}")) is False


def test_the_end_of_it_closes_both(sender: Any, clients: list[Mock]) -> None:
    async def story() -> None:
        await sender._connect()
        sender.start()
        await sender.stop()

    asyncio.run(story())
    for client in clients[:2]:
        client.close.assert_awaited_once()
