"""A charger that sends given frames unchanged, and records the answers."""

import base64
import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any
from urllib.parse import quote

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

ANSWER_WITHIN_S = 60.0
NOW = datetime.now(UTC)
SOON = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
OLD = (NOW - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Do(Enum):
    """What a charger does besides sending, and values that it fills in."""

    PING = auto()
    RECONNECT = auto()  # without a closing handshake
    SECOND_SOCKET = auto()  # the first socket stays open
    TRANSACTION = auto()  # the latest transaction id that the bridge gave
    TRANSACTION_AS_TEXT = auto()


class QuirkyCharger:
    """One charger. Creating it connects; raises InvalidStatus if the bridge refuses."""

    def __init__(self, port: int, path: str, identity: str, key: str, offers: Sequence[str]) -> None:
        self.sent = 0  # frames
        self.results = 0  # answers that are results
        self.errors = 0
        where = path.format(id=quote(identity, safe=""))
        login = base64.b64encode(f"{identity}:{key}".encode()).decode()
        self._url = f"ws://127.0.0.1:{port}{where}"
        self._headers = {"Authorization": f"Basic {login}"}
        self._offers = [Subprotocol(one) for one in offers] or None
        self._transaction: Any = None
        self._open: list[ClientConnection] = []
        self._socket = self._connect()

    def close(self) -> None:
        for one in self._open:
            with suppress(ConnectionClosed, OSError):
                one.close()

    def say(self, frame: list[Any] | str | bytes | Do) -> None:
        """Send a frame, or do what `frame` says and wait for the effect."""
        match frame:
            case Do.PING:
                assert self._socket.ping().wait(ANSWER_WITHIN_S)
            case Do.RECONNECT:
                self._socket.socket.close()
                self._socket = self._connect()
            case Do.SECOND_SOCKET:
                self._socket = self._connect()
            case str() | bytes():
                self._send(frame)
            case list():
                filled = list(frame)
                if filled[1] is None:
                    filled[1] = f"q{self.sent}"
                if len(filled) > 3 and isinstance(filled[3], dict):
                    filled[3] = {name: self._filled(value) for name, value in filled[3].items()}
                self._send(json.dumps(filled))

    def settle(self) -> None:
        """Return when everything sent was read. Frames are read in order, and this one is answered."""
        self._send(json.dumps([2, "settled", "Heartbeat", {}]))
        while True:
            answer = json.loads(self._socket.recv(ANSWER_WITHIN_S))
            if answer[0] == 2:
                continue  # a CALL of the bridge
            if answer[1] == "settled":
                return
            self._take(answer)

    def _connect(self) -> ClientConnection:
        made = connect(
            self._url,
            subprotocols=self._offers,
            additional_headers=self._headers,
            open_timeout=ANSWER_WITHIN_S,
            ping_interval=None,
            compression=None,
        )
        self._open.append(made)
        return made

    def _send(self, frame: str | bytes) -> None:
        self.sent += 1
        self._socket.send(frame)

    def _take(self, answer: list[Any]) -> None:
        self.results += answer[0] == 3
        self.errors += answer[0] == 4
        if answer[0] == 3:
            self._transaction = answer[2].get("transactionId", self._transaction)

    def _filled(self, value: Any) -> Any:
        if value is Do.TRANSACTION:
            return self._transaction
        return str(self._transaction) if value is Do.TRANSACTION_AS_TEXT else value
