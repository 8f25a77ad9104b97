"""Publish commands to units on the cluster with QoS 1, and never after their expiry.

A command for an OCPP charger goes to the door that the charger is connected to (ocpp_link.py). If there is none, the
request has no responder.

A command for one of our units is sent only if a node reports that the unit is connected. If the unit disconnects right
after that and has a persistent session, it would receive the command when it reconnects. So each message has a time to
live, after which the cluster removes it, even if our process has ended. It is at most the time that we wait for an
answer, because a late command, such as a pause of 8 hours that arrives an hour later, is not what its sender expects.
"""

import json
import logging
from typing import Any

from nats.aio.client import Client
from nats.errors import Error, NoRespondersError
from nats.js.errors import APIError

from cloud_bridge.clock import Clock
from cloud_bridge.counters import Counters
from cloud_bridge.ingest.cluster.nodes import Nodes
from cloud_bridge.ingest.cluster.ocpp_link import NOT_TAKEN, TAKEN, command_subject
from cloud_bridge.ingest.cluster.pull import OF_COMMANDS
from cloud_bridge.store.commands import ANSWER_MS
from cloud_bridge.wire import UNIT_ID

PUBLISHED_WITHIN_S = 2.0
SHORTEST_S = 1  # the shortest time to live of a message
NO_TIME_TO_LIVE = 10166  # error code: the stream does not allow it (nats-server, JSMessageTTLDisabledErr)
_AS_MQTT = {"Nmqtt-Pub": "1"}  # marks the message as an MQTT publish with QoS 1

_log = logging.getLogger(__name__)


class CommandsOut:
    """Publishes commands and pieces. Used on one event loop."""

    def __init__(self, client: Client, nodes: Nodes, clock: Clock, counters: Counters) -> None:
        """`client` is connected as the bridge."""
        self._client = client
        self._nodes = nodes
        self._clock = clock
        self._counters = counters

    async def send(self, unit_id: str, payload: bytes, expires_ms: int) -> bool:
        """Publish on cp/<id>/command. Return False if the unit is not connected or the cluster did not confirm the
        command."""
        if not UNIT_ID.match(unit_id):
            return False
        if (answer := await self._ask_door(unit_id, payload)) is not None:
            return answer == TAKEN
        if not (await self._nodes.connections_of(unit_id, is_first_enough=True)).connections:
            return False
        lives_s = min(expires_ms - self._clock.now_ms(), ANSWER_MS) // 1000
        if lives_s < SHORTEST_S:
            return False
        try:
            await self._publish(f"$MQTT.msgs.cp.{unit_id}.command", payload, lives_s)
        except (Error, APIError, OSError, TimeoutError) as error:
            self._counters.failed_commands += 1
            _log.warning("%s: command not sent: %s", unit_id, error or type(error).__name__)
            return False
        return True

    async def send_pieces(self, unit_id: str, payloads: list[bytes]) -> bool:
        """Publish on cp/<id>/piece, to which a unit subscribes with QoS 0. Return False if they could not be
        written."""
        try:
            for payload in payloads:
                await self._client.publish(f"cp.{unit_id}.piece", payload)
        except (Error, OSError) as error:
            _log.warning("%s: update pieces not sent: %s", unit_id, error or type(error).__name__)
            return False
        return True

    async def _ask_door(self, unit_id: str, payload: bytes) -> bytes | None:
        """Send a command to the OCPP door of the charger. Return its answer, or None if the charger is connected to
        none."""
        try:
            answer = await self._client.request(command_subject(unit_id), payload, timeout=PUBLISHED_WITHIN_S)
        except NoRespondersError:
            return None
        except (Error, OSError, TimeoutError) as error:
            self._counters.failed_commands += 1
            _log.warning("%s: command not sent: %s", unit_id, error or type(error).__name__)
            return NOT_TAKEN
        return answer.data

    async def _publish(self, subject: str, payload: bytes, lives_s: int) -> None:
        headers = {**_AS_MQTT, "Nats-TTL": f"{lives_s}s"}
        for is_first in (True, False):
            try:
                stream = self._client.jetstream(timeout=PUBLISHED_WITHIN_S)
                await stream.publish(subject, payload, timeout=PUBLISHED_WITHIN_S, stream=OF_COMMANDS, headers=headers)
            except APIError as error:
                if not is_first or error.err_code != NO_TIME_TO_LIVE:
                    raise
                await self._allow_time_to_live()
            else:
                return

    async def _allow_time_to_live(self) -> None:
        """Enable message TTLs on the stream: the nodes create it without them when the first unit connects. Several of
        our processes may do this at the same time."""
        config = (await self._ask(f"STREAM.INFO.{OF_COMMANDS}", {}))["config"]
        await self._ask(f"STREAM.UPDATE.{OF_COMMANDS}", config | {"allow_msg_ttl": True})

    async def _ask(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        """Call the JetStream API and return its answer. Raises nats.errors.Error."""
        request = json.dumps(body).encode() if body else b""
        answer = await self._client.request(f"$JS.API.{what}", request, timeout=PUBLISHED_WITHIN_S)
        try:
            said = json.loads(answer.data)
            if isinstance(said, dict) and "config" in said:
                return said
        except ValueError:
            pass
        raise Error(f"the cluster refused {what}")
