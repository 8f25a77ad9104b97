"""The link of an OCPP door to the cluster: it receives commands for the chargers of this door, and closes a connection
when the charger has connected to another door. Used on one event loop.

    ocpp.<id>.command   a command, answered TAKEN or NOT_TAKEN. Only the door with the connection subscribes to it, so if
                        the charger is not connected, the cluster answers at once that there are no responders
    ocpp.<id>.taken     announces that a door has the charger, and since when

The cluster stores none of these messages. While it is away no commands are sent. Contacts are not affected, and
out-of-date connections are detected through the store (other_doors.py).
"""

import asyncio
import json
from typing import Protocol

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from cloud_bridge.duties import Duties
from cloud_bridge.errors import BridgeError
from cloud_bridge.ingest.cluster.cluster_file import Cluster
from cloud_bridge.ingest.cluster.connection import connect_door
from cloud_bridge.wire import UNIT_ID

TAKEN, NOT_TAKEN = b"taken", b"not taken"
TRY_EVERY_S = 1.0
CHECK_EVERY_S = 1.0  # that the client, which reconnects by itself, is connected


class LinkLost(BridgeError):
    """No node of the cluster is reachable."""


class Door(Protocol):
    """The door that receives commands and take-overs."""

    def command(self, unit_id: str, payload: bytes) -> bool: ...

    def leave(self, unit_id: str, since_ms: int) -> None: ...


def command_subject(unit_id: str) -> str:
    return f"ocpp.{unit_id}.command"


class OcppLink:
    """A connection to the cluster with the permissions of an OCPP door (node_files.py)."""

    connections = 0  # of units with our own wire format
    trouble = None  # it receives no messages of units

    def __init__(self, cluster: Cluster, name: str, duties: Duties) -> None:
        """`name` is the name of the door."""
        self._cluster = cluster
        self._name = name
        self._duties = duties
        self._client: Client | None = None
        self._here: dict[str, int] = {}  # chargers that are connected here, with the time of the connection
        self._changed: dict[str, None] = {}  # chargers whose change is not published yet, in order
        self._has_changed = asyncio.Event()
        self._subscriptions: dict[str, Subscription] = {}
        self._door: Door | None = None
        self._running: asyncio.Task[None] | None = None

    def start(self, door: Door) -> None:
        """Connect in the background, and reconnect when the connection is lost."""
        self._door = door
        self._running = asyncio.get_running_loop().create_task(self._duties.every(TRY_EVERY_S, "cluster", self._serve))

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})
        if self._client is not None:
            await self._client.close()

    async def command(self, unit_id: str, payload: bytes) -> bool:
        """Return False: a door cannot reach units with our own wire format."""
        return False

    async def pieces(self, unit_id: str, payloads: list[bytes]) -> bool:
        """Return False: a door cannot reach units with our own wire format."""
        return False

    def opened(self, unit_id: str, since_ms: int) -> None:
        """Announce that a charger has connected here. Implements Others.opened."""
        self._here[unit_id] = since_ms
        self._note(unit_id)

    def closed(self, unit_id: str) -> None:
        """Note that a charger has disconnected here. Implements Others.closed."""
        self._here.pop(unit_id, None)
        self._note(unit_id)

    def _note(self, unit_id: str) -> None:
        self._changed[unit_id] = None
        self._has_changed.set()

    async def _serve(self) -> None:
        """Publish changes until the connection is lost. Raises LinkLost."""
        try:
            if self._client is None:
                self._client = await connect_door(self._cluster, f"chargekeeper {self._name}")
            while True:
                if not self._client.is_connected:
                    raise LinkLost("no node of the cluster is reachable")
                await self._tell(self._client)
                try:
                    async with asyncio.timeout(CHECK_EVERY_S):
                        await self._has_changed.wait()
                except TimeoutError:
                    pass
        except (NatsError, OSError, TimeoutError) as error:
            raise LinkLost(f"no node of the cluster is reachable: {error or type(error).__name__}") from error

    async def _tell(self, client: Client) -> None:
        self._has_changed.clear()
        while self._changed:
            unit_id = next(iter(self._changed))
            since_ms = self._here.get(unit_id)
            subscription = self._subscriptions.get(unit_id)
            if since_ms is None and subscription is not None:
                del self._subscriptions[unit_id]
                await subscription.unsubscribe()
            elif since_ms is not None:
                if subscription is None:
                    self._subscriptions[unit_id] = await client.subscribe(f"ocpp.{unit_id}.*", cb=self._told)
                said = {"door": self._name, "since": since_ms}
                await client.publish(f"ocpp.{unit_id}.taken", json.dumps(said).encode())
            if self._here.get(unit_id) == since_ms:  # otherwise it has changed again
                self._changed.pop(unit_id, None)

    async def _told(self, message: Msg) -> None:
        _, unit_id, what = message.subject.split(".")
        if self._door is None or not UNIT_ID.match(unit_id):
            return
        if what == "command" and message.reply:
            is_taken = self._door.command(unit_id, message.data)
            await message.respond(TAKEN if is_taken else NOT_TAKEN)
        elif what == "taken" and (since_ms := self._since_elsewhere(message.data)) is not None:
            self._door.leave(unit_id, since_ms)

    def _since_elsewhere(self, data: bytes) -> int | None:
        """Return the timestamp in an announcement of another door. Return None for our own, and for an invalid one."""
        try:
            said = json.loads(data)
            door, since_ms = said["door"], said["since"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        return since_ms if door != self._name and type(since_ms) is int else None
