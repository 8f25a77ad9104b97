"""A charger for tests: one WebSocket, and frames as they are written."""

import base64
import json
from typing import Any

from websockets.sync.client import ClientConnection, connect

from cloud_bridge.store.units import Protocol
from tests.cloud_bridge.running import DEADLINE_S, Bridge

CALL = 2


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


class OcppClient:
    """Connects as `unit_id`, which is added if there is no `secret`."""

    def __init__(self, bridge: Bridge, unit_id: str = "wall", secret: str | None = None, **options: Any) -> None:
        self.secret = secret or bridge.add_unit(unit_id, Protocol.OCPP).secret
        asked = {"subprotocols": ["ocpp1.6"], "additional_headers": basic(unit_id, self.secret)} | options
        url = f"ws://127.0.0.1:{bridge.ocpp_port}/ocpp/{unit_id}"
        self.socket: ClientConnection = connect(url, ping_interval=None, open_timeout=DEADLINE_S, **asked)
        bridge.guests.append(self.close)
        self._number = 0
        self._calls: list[list[Any]] = []  # CALLs of the bridge that arrived while an answer was awaited

    def call(self, action: str, **payload: Any) -> Any:
        """Send a CALL; return the payload of its CALLRESULT, or the code of its CALLERROR."""
        self._number += 1
        return self.answer([2, str(self._number), action, payload])

    def answer(self, frame: Any) -> Any:
        """Send a frame with an id; return the third element of its answer."""
        self.send(frame)
        while (said := self.receive())[0] == CALL:
            self._calls.append(said)
        assert said[1] == frame[1], said
        return said[2]

    def send(self, frame: Any) -> None:
        """Send a frame: text and bytes as they are, anything else as JSON."""
        self.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    def receive(self) -> list[Any]:
        said: list[Any] = json.loads(self.socket.recv(DEADLINE_S))
        return said

    def asked(self, action: str) -> list[Any]:
        """Wait for the bridge's CALL of this action. Answer others with NotImplemented."""
        while (frame := self._calls.pop(0) if self._calls else self.receive())[2] != action:
            self.send([4, frame[1], "NotImplemented", "", {}])
        return frame

    def close(self) -> None:
        self.socket.close()

    def vanish(self) -> None:
        """Close the TCP connection without a closing handshake."""
        self.socket.socket.close()
