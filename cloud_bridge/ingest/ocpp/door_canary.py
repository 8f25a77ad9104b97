"""The canary of the OCPP door: every five seconds it logs in at each port, and gets a frame answered.

If a port does not accept, authenticate or answer, that time is an outage of ours (ingest/canary.py). Each canary uses a
new connection, as a reconnecting charger does. Over TLS the certificate is not verified, because the canary runs in
this process and only this process has its secret.
"""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Sequence
from typing import NamedTuple

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from cloud_bridge.counters import Counters
from cloud_bridge.duties import Duties
from cloud_bridge.ingest.canary import ANSWER_WITHIN_S, CANARY_ID, EVERY_S
from cloud_bridge.ingest.ocpp.connection import QUIET
from cloud_bridge.ingest.ocpp.v16 import DIALECT

_FRAME = '[2,"1","Heartbeat",{}]'


class DoorAddress(NamedTuple):
    """The address of a port of the door."""

    host: str
    port: int
    over_tls: bool


class DoorCanary:
    """The canary for all ports of one door. It counts when it has come through each of them."""

    def __init__(self, doors: Sequence[DoorAddress], secret: str, counters: Counters) -> None:
        self._doors = doors
        self._counters = counters
        encoded = b64encode(f"{CANARY_ID}:{secret}".encode()).decode()
        self._headers = {"Authorization": f"Basic {encoded}"}
        self._tls = ssl.create_default_context()
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE

    async def run(self, duties: Duties) -> None:
        """Send a canary every EVERY_S until cancelled. Failures are counted."""
        await duties.every(EVERY_S, "ocpp_canary", self.send_counted)

    async def send_counted(self) -> None:
        """Call `send`, and count a failure. Raises what `send` raises."""
        try:
            await self.send()
        except Exception:
            self._counters.canaries_lost += 1
            raise

    async def send(self) -> None:
        """Log in at all ports, and send one frame to the last and wait for its answer. Raises OSError or
        TimeoutError."""
        *others, last = self._doors
        for door in others:
            await self._ask(door, None)
        await self._ask(last, _FRAME)

    async def _ask(self, door: DoorAddress, frame: str | None) -> None:
        """Log in, and send the frame and wait for its answer, if there is one."""
        scheme = "wss" if door.over_tls else "ws"
        host = f"[{door.host}]" if ":" in door.host else door.host
        try:
            async with (
                asyncio.timeout(ANSWER_WITHIN_S),
                connect(
                    f"{scheme}://{host}:{door.port}/{CANARY_ID}",
                    subprotocols=[Subprotocol(DIALECT.subprotocol)],
                    additional_headers=self._headers,
                    ssl=self._tls if door.over_tls else None,
                    compression=None,
                    ping_interval=None,
                    close_timeout=1,
                    proxy=None,
                    logger=QUIET,
                ) as socket,
            ):
                if frame is not None:
                    await socket.send(frame)
                    await socket.recv()
        except TimeoutError as error:
            raise TimeoutError(f"OCPP port {door.port} did not answer within {ANSWER_WITHIN_S:g} s") from error
        except WebSocketException as error:
            raise ConnectionError(f"OCPP port {door.port}: {error}") from error
