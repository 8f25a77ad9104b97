"""Another maker's charger that speaks OCPP-J 1.6, after the specification and after what chargers in the field do.

It shares no code with the bridge: it writes its own frames, and checks the answers. Its manners come from issues that
users of real chargers reported: no BootNotification after a reconnect, unknown CALLs, numeric ids, frames that no
schema allows, an end without a closing handshake.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

ANSWER_WITHIN_S = 30.0


@dataclass(frozen=True)
class Manners:
    """How a maker implements the specification."""

    subprotocols: tuple[str, ...] = ("ocpp1.6",)
    boots: bool = True
    knows_triggers: bool = True
    knows_profiles: bool = True
    knows_settings: bool = True
    numeric_ids: bool = False
    appends_slash: bool = False
    path: str = "/ocpp/"


class NoAnswer(Exception):
    """The bridge did not answer in time. The text is the frame."""


class OcppCharger:
    """A charger with one connector, and one connection at a time."""

    def __init__(self, port: int, unit_id: str, key: str, manners: Manners | None = None) -> None:
        self.key = key
        self.manners = manners or Manners()
        self.asked: list[str] = []  # actions that the bridge requested
        self.profiles: list[dict[str, Any]] = []
        self.settings = {"HeartbeatInterval": "14400", "LocalAuthorizeOffline": "false"}
        self.status = "Available"
        self.meter_wh = 1_000
        self.transaction: int | None = None
        self._url = f"ws://127.0.0.1:{port}{self.manners.path}{unit_id}{'/' if self.manners.appends_slash else ''}"
        self._headers = {"Authorization": f"Basic {base64.b64encode(f'{unit_id}:{key}'.encode()).decode()}"}
        self._number = 0
        self._answers: dict[str | int, asyncio.Future[list[Any]]] = {}
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["OcppCharger"]:
        await self.connect()
        try:
            yield self
        finally:
            await self.close()

    async def connect(self) -> None:
        """Connect, and send the first messages. Raises InvalidStatus if the bridge refuses."""
        subprotocols = [Subprotocol(one) for one in self.manners.subprotocols] or None
        self._socket = await connect(
            self._url, subprotocols=subprotocols, additional_headers=self._headers, ping_interval=None, compression=None
        )
        self._reading = asyncio.create_task(self._read(self._socket))
        if self.manners.boots:
            await self.call(
                "BootNotification", chargePointVendor="Maker", chargePointModel="Wall 7", firmwareVersion="3.1"
            )
        await self.tell(self.status)

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
        await self._end_reading()

    async def vanish(self) -> None:
        """Lose the supply: no closing handshake, and no FIN."""
        if self._socket is not None:
            self._socket.transport.abort()
        await self._end_reading()

    async def ended(self) -> None:
        """Wait until the bridge has ended the connection. Raises TimeoutError."""
        assert self._socket is not None
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await self._socket.wait_closed()

    async def tell(self, status: str, error: str = "NoError") -> None:
        self.status = status
        await self.call("StatusNotification", connectorId=1, errorCode=error, status=status, timestamp=_now())

    async def begin(self) -> None:
        """Plug a vehicle in and start a transaction."""
        await self.tell("Preparing")
        started = await self.call(
            "StartTransaction", connectorId=1, idTag="TAG", meterStart=self.meter_wh, timestamp=_now()
        )
        self.transaction = started["transactionId"]
        await self.tell("Charging")

    async def draw(self, watts: float, energy_wh: int) -> None:
        self.meter_wh += energy_wh
        samples = [
            {"value": str(watts), "measurand": "Power.Active.Import", "unit": "W"},
            {"value": str(self.meter_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
        ]
        reading = [{"timestamp": _now(), "sampledValue": samples}]
        await self.call("MeterValues", connectorId=1, transactionId=self.transaction, meterValue=reading)

    async def end(self) -> None:
        await self.call(
            "StopTransaction",
            transactionId=self.transaction,
            meterStop=self.meter_wh,
            timestamp=_now(),
            reason="EVDisconnected",
        )
        await self.tell("Finishing")
        await self.tell("Available")

    async def call(self, action: str, **payload: Any) -> dict[str, Any]:
        """Return the payload of the answer. Raises NoAnswer, and AssertionError for a CALLERROR."""
        said = await self.ask([2, self._next_id(), action, payload])
        assert said[0] == 3, said
        answer: dict[str, Any] = said[2]
        return answer

    async def ask(self, frame: list[Any]) -> list[Any]:
        """Send a frame with its own id and return the whole answer. Raises NoAnswer."""
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._answers[frame[1]] = answer
        await self.say(json.dumps(frame))
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await answer
        except TimeoutError:
            raise NoAnswer(str(frame)) from None

    async def say(self, frame: str | bytes) -> None:
        """Send anything, valid or not."""
        assert self._socket is not None
        await self._socket.send(frame)

    async def ping(self) -> None:
        """Send a ping and wait for the pong."""
        assert self._socket is not None
        await (await self._socket.ping())

    def _next_id(self) -> str | int:
        self._number += 1
        return self._number if self.manners.numeric_ids else str(self._number)

    async def _read(self, socket: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            async for text in socket:
                frame = json.loads(text)
                if frame[0] in (3, 4):
                    waiting = self._answers.pop(frame[1], None)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(frame)
                else:
                    self.asked.append(frame[2])
                    await socket.send(json.dumps(self._answer(frame)))
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(NoAnswer("the connection has ended"))

    def _answer(self, frame: list[Any]) -> list[Any]:
        _, message_id, action, payload = frame
        match action:
            case "TriggerMessage" if self.manners.knows_triggers:
                return [3, message_id, {"status": "Accepted"}]
            case "SetChargingProfile" if self.manners.knows_profiles:
                self.profiles.append(payload["csChargingProfiles"])
                return [3, message_id, {"status": "Accepted"}]
            case "ClearChargingProfile" if self.manners.knows_profiles:
                self.profiles.clear()
                return [3, message_id, {"status": "Accepted"}]
            case "ChangeConfiguration" if self.manners.knows_settings:
                known = payload["key"] in self.settings
                if known:
                    self.settings[payload["key"]] = payload["value"]
                return [3, message_id, {"status": "Accepted" if known else "NotSupported"}]
            case "GetConfiguration" if self.manners.knows_settings:
                told = [{"key": key, "readonly": False, "value": value} for key, value in self.settings.items()]
                return [3, message_id, {"configurationKey": told}]
            case "RemoteStartTransaction":
                return [3, message_id, {"status": "Accepted"}]
        return [4, message_id, "NotImplemented", "", {}]

    async def _end_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
