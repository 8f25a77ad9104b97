"""A Home Assistant door of a running bridge, and clients that are logged in there."""

import asyncio
import threading
from contextlib import suppress
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from cloud_bridge.home.connection import HomeConnection
from cloud_bridge.home.door import HomeDoor
from cloud_bridge.store.access import Scope
from cloud_bridge.store.people import Role, find_person
from cloud_bridge.store.tokens import add_token
from tests.cloud_bridge.people import give
from tests.cloud_bridge.running import DEADLINE_S, Bridge, Unit

Message = tuple[str, bytes, bool]  # topic, payload, retained


class Door:
    """A door that only looks for changes when the test calls `look`."""

    def __init__(self, bridge: Bridge) -> None:
        self._loop = bridge.app_state.loop
        self._door, self.port = asyncio.run_coroutine_threadsafe(self._open(bridge), self._loop).result(DEADLINE_S)
        bridge.guests.append(self.close)

    @property
    def connections(self) -> list[HomeConnection]:
        return list(self._door._open)

    @property
    def accepted(self) -> int:
        return len(self._door._all)

    def look(self) -> None:
        asyncio.run_coroutine_threadsafe(self._door.look(), self._loop).result(DEADLINE_S)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._door.close)

    async def _open(self, bridge: Bridge) -> tuple[HomeDoor, int]:
        door = HomeDoor(bridge.app_state)
        return door, door.listen("127.0.0.1", 0)


class Home:
    """An MQTT client that has subscribed to these filters, with this token as its password."""

    def __init__(self, bridge: Bridge, door: Door, token: str, *filters: str) -> None:
        self.heard: list[Message] = []
        self.refusal: int | None = None
        self._bridge, self._door = bridge, door
        self._answered, self._closed = threading.Event(), threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="home", reconnect_on_failure=False)
        self._client.username_pw_set("dora", token)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._answered.set()
        self._client.on_disconnect = lambda *_: self._closed.set()
        self._client.on_message = lambda _client, _data, one: self.heard.append(
            (one.topic, bytes(one.payload), one.retain)
        )
        self._filters = [(one, 1) for one in filters]
        self._client.connect("127.0.0.1", door.port)
        self._client.loop_start()
        bridge.guests.append(self.close)
        assert self._answered.wait(DEADLINE_S)

    def looks(self) -> "Home":
        """Let the door look; return when the client has received everything that this sent."""
        self._door.look()
        self._answered.clear()
        self._client.subscribe("nothing/at/all")  # its SUBACK arrives after all messages that were sent before
        assert self._answered.wait(DEADLINE_S)
        return self

    def reads_all(self) -> "Home":
        """Make the next look a full one, as every FULL_S."""
        for connection in self._door.connections:
            connection.is_due = True
        return self

    def newest(self) -> dict[str, bytes]:
        """Return the latest payload by topic."""
        return {topic: payload for topic, payload, _ in self.heard}

    def sends(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 0, without waiting."""
        self._client.publish(topic, payload)

    def orders(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 1; return when the door has acknowledged it."""
        self._client.publish(topic, payload, 1).wait_for_publish(DEADLINE_S)

    def was_closed(self) -> bool:
        return self._closed.wait(DEADLINE_S)

    def close(self) -> None:
        self._client.disconnect()
        with suppress(AttributeError):  # paho's thread may end between its check and its join
            self._client.loop_stop()

    def _on_connect(self, client: paho.Client, _data: object, _flags: object, code: Any, _: object) -> None:
        if code.is_failure:
            self.refusal = code.value
            self._answered.set()
        elif self._filters:
            client.subscribe(self._filters)
        else:
            self._answered.set()


def dora(bridge: Bridge, *scopes: Scope) -> tuple[str, Unit]:
    """Add dora with her unit cp-1, connected. Return a token of hers, and the unit."""
    made = bridge.add_unit("cp-1")
    bridge.add_person("dora", "correct horse", Role.DRIVER)
    give(bridge, made.claim_code, "dora")
    with bridge.app_state.database.writing() as connection:
        person = find_person(connection, "dora")
        token = add_token(connection, bridge.clock.now_ms(), scopes or (Scope.READ,), person_id=person.id)
    return token, Unit(bridge, "cp-1", made.secret).connect()
