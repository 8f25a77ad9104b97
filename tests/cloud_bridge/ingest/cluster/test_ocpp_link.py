"""Does a door receive the messages for its chargers, and let go of a charger that is now at another door?"""

import asyncio
import json
from unittest.mock import AsyncMock, Mock

import pytest
from nats.errors import Error as NatsError

from cloud_bridge.duties import Duties
from cloud_bridge.ingest.cluster import ocpp_link
from cloud_bridge.ingest.cluster.cluster_file import Cluster
from cloud_bridge.ingest.cluster.ocpp_link import NOT_TAKEN, TAKEN, LinkLost, OcppLink

CLUSTER = Cluster([], "", "", "", None, "theirs")


def link(client: Mock, door: Mock) -> OcppLink:
    """A connected link."""
    made = OcppLink(CLUSTER, "a", Duties())
    made._client, made._door = client, door
    return made


def client() -> Mock:
    return Mock(subscribe=AsyncMock(side_effect=lambda *_, **__: Mock(unsubscribe=AsyncMock())), publish=AsyncMock())


def test_a_charger_that_came_is_listened_for_and_told_of_and_one_that_went_is_not() -> None:
    async def story() -> None:
        one = client()
        made = link(one, Mock())
        made.opened("wall", 7)
        made.opened("gone", 8)
        made.closed("gone")
        await made._tell(one)
        (subscribed,) = one.subscribe.await_args_list
        assert subscribed.args == ("ocpp.wall.*",)
        (published,) = one.publish.await_args_list
        assert (published.args[0], json.loads(published.args[1])) == ("ocpp.wall.taken", {"door": "a", "since": 7})
        subscription = made._subscriptions["wall"]
        made.opened("wall", 9)
        await made._tell(one)
        assert one.subscribe.await_count == 1 and one.publish.await_count == 2, "a newer connection is told of"
        made.closed("wall")
        await made._tell(one)
        assert not made._subscriptions and isinstance(subscription.unsubscribe, AsyncMock)
        subscription.unsubscribe.assert_awaited_once()

    asyncio.run(story())


@pytest.mark.parametrize(("is_taken", "answer"), [(True, TAKEN), (False, NOT_TAKEN)])
def test_a_command_is_answered_by_what_the_door_says(is_taken: bool, answer: bytes) -> None:
    door = Mock(command=Mock(return_value=is_taken))
    message = Mock(subject="ocpp.wall.command", data=b"{}", reply="_INBOX.x", respond=AsyncMock())
    asyncio.run(link(client(), door)._told(message))
    door.command.assert_called_once_with("wall", b"{}")
    message.respond.assert_awaited_once_with(answer)


@pytest.mark.parametrize(
    ("data", "left"),
    [
        (b'{"door":"b","since":9}', True),
        (b'{"door":"a","since":9}', False),
        (b'{"door":"b","since":"x"}', False),
        (b'{"since":9}', False),
        (b"[]", False),
        (b"{", False),
    ],
)
def test_what_another_door_has_is_let_go_of(data: bytes, left: bool) -> None:
    door = Mock()
    asyncio.run(link(client(), door)._told(Mock(subject="ocpp.wall.taken", data=data, reply="")))
    assert door.leave.called is left


def test_a_connection_that_is_lost_is_said_and_one_that_stands_is_told_of_all_that_changes() -> None:
    async def story() -> None:
        lost = client()
        lost.is_connected = False
        made = link(lost, Mock())
        made.opened("wall", 7)
        with pytest.raises(LinkLost):
            await made._serve()
        lost.publish.assert_not_awaited()
        lost.is_connected = True
        told = asyncio.Event()
        lost.publish.side_effect = lambda *_: told.set()
        serving = asyncio.ensure_future(made._serve())
        for since_ms in (7, 8):
            told.clear()
            made.opened("wall", since_ms)
            await told.wait()
        serving.cancel()

    asyncio.run(asyncio.wait_for(story(), 60))


@pytest.mark.parametrize("error", [OSError("refused"), TimeoutError(), NatsError()])
def test_a_cluster_that_does_not_answer_is_a_lost_link(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(ocpp_link, "connect_door", AsyncMock(side_effect=error))
    with pytest.raises(LinkLost, match="no node of the cluster is reachable"):
        asyncio.run(OcppLink(CLUSTER, "a", Duties())._serve())


def test_a_door_gives_no_commands_to_our_own_units() -> None:
    made = OcppLink(CLUSTER, "a", Duties())
    assert asyncio.run(made.command("cp-1", b"{}")) is False and asyncio.run(made.pieces("cp-1", [b"x"])) is False
    assert (made.connections, made.trouble) == (0, None)


@pytest.mark.parametrize(
    ("subject", "reply"),
    [("ocpp.wall.command", ""), ("ocpp.no unit.command", "_INBOX.x"), ("ocpp.wall.other", "_INBOX.x")],
)
def test_what_is_no_command_for_a_charger_is_left_alone(subject: str, reply: str) -> None:
    door, message = Mock(), Mock(subject=subject, data=b'{"door":"b","since":9}', reply=reply, respond=AsyncMock())
    asyncio.run(link(client(), door)._told(message))
    message.respond.assert_not_awaited()
    assert not door.command.called and not door.leave.called


def test_it_tells_the_door_that_it_was_started_for() -> None:
    async def story() -> None:
        door, made = Mock(), link(client(), Mock())
        made._client = None
        made.start(door)
        await made._told(Mock(subject="ocpp.wall.taken", data=b'{"door":"b","since":9}', reply=""))
        door.leave.assert_called_once_with("wall", 9)
        await made.stop()

    asyncio.run(story())
