"""A back-end on a real socket whose answers a test sets. It runs on the bridge's event loop."""

import asyncio
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from tests.cloud_bridge.running import DEADLINE_S, Bridge

Answer = Callable[[str, str, dict[str, Any]], str | None]  # id, action, payload -> the frame, or None for no answer
STARTED = {"transactionId": 7, "idTagInfo": {"status": "Accepted"}}
ACCEPTED = {"status": "Accepted", "interval": 60, "currentTime": "2026-01-01T00:00:00Z"}


def well(message_id: str, action: str, _payload: dict[str, Any]) -> str:
    """Answer as a back-end should."""
    said = {"BootNotification": ACCEPTED, "StartTransaction": STARTED}.get(action, {})
    return json.dumps([3, message_id, said])


class SocketBackEnd:
    """The constructor starts to listen. It ends with the bridge."""

    def __init__(self, bridge: Bridge, answer: Answer = well, **options: Any) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, list[Any]] = {}  # answers to its own CALLs, by id
        self.keys: list[str | None] = []  # the keys that the bridge presented
        self.status: HTTPStatus | None = None  # the status of a refused handshake
        self.headers: dict[str, str] = {}  # the headers of a refused handshake
        self.open = 0
        self.opened = 0
        self._answer = answer
        self._connection: ServerConnection | None = None
        self._bridge = bridge
        options = {"subprotocols": ["ocpp1.6"]} | options
        self._server = self._run(self._listen(options))
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}/ocpp"
        bridge.guests.append(self.close)

    def close(self) -> None:
        self._run(self._away())

    def drop(self) -> None:
        """Close the connection from its side."""
        assert self._connection is not None
        self._run(self._connection.close(1012))

    def say(self, frame: str | bytes) -> None:
        assert self._connection is not None
        self._run(self._connection.send(frame))

    def ask(self, message_id: str, action: str, **payload: Any) -> list[Any]:
        """Send a CALL; return the answer."""
        self.say(json.dumps([2, message_id, action, payload]))
        self._bridge.until(lambda: message_id in self.answers, f"an answer to {action}")
        return self.answers[message_id]

    def actions(self) -> list[str]:
        return [action for action, _ in self.told]

    def statuses(self) -> list[str]:
        return [payload["status"] for action, payload in self.told if action == "StatusNotification"]

    async def _listen(self, options: dict[str, Any]) -> Any:
        return await serve(self._serve, "127.0.0.1", 0, process_request=self._refuse, **options)

    async def _away(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._bridge.app_state.loop).result(DEADLINE_S)

    def _refuse(self, connection: ServerConnection, request: Request) -> Response | None:
        self.keys.append(request.headers.get("Authorization"))
        if self.status is None:
            return None
        response = connection.respond(self.status, "no\n")
        response.headers.update(self.headers)
        return response

    async def _serve(self, connection: ServerConnection) -> None:
        self._connection = connection
        self.open += 1
        self.opened += 1
        try:
            async for said in connection:
                frame = json.loads(said)
                if frame[0] != 2:
                    self.answers[frame[1]] = frame
                    continue
                self.told.append((frame[2], frame[3]))
                answer = self._answer(frame[1], frame[2], frame[3])
                if answer is not None:
                    await connection.send(answer)
        finally:
            self.open -= 1
