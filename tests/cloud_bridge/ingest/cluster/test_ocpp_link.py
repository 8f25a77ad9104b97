"""Does a door receive the messages for its chargers, and let go of a charger that is now at another door?"""

import asyncio
import json
from unittest.mock import AsyncMock, Mock

import pytest

from cloud_bridge.duties import Duties
from cloud_bridge.ingest.cluster.cluster_file import Cluster
from cloud_bridge.ingest.cluster.ocpp_link import NOT_TAKEN, TAKEN, OcppLink

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
