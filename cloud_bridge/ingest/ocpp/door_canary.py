"""A charger of our own that goes the way of the others: a login, a frame and its answer at each port, every five seconds.

A port that accepts nobody, lets nobody in or answers nothing is deaf, and what the chargers do meanwhile is not known
(ingest/canary.py). Each mark has a connection of its own, as a charger that comes back has. Over TLS the certificate is not
checked: the canary comes from this process, and its secret is known in it alone.
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
    """A port of the door."""

    host: str
    port: int
    over_tls: bool


class DoorCanary:
    """For all ports of one door. A mark counts when it has come through each of them."""

    def __init__(self, doors: Sequence[DoorAddress], secret: str, counters: Counters) -> None:
        self._doors = doors
        self._counters = counters
        encoded = b64encode(f"{CANARY_ID}:{secret}".encode()).decode()
        self._headers = {"Authorization": f"Basic {encoded}"}
        self._tls = ssl.create_default_context()
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE

    async def run(self, duties: Duties) -> None:
        """Marks for ever; what fails is counted, and tried anew."""
        await duties.every(EVERY_S, "ocpp_canary", self.send_counted)

    async def send_counted(self) -> None:
        """As `send`; a mark that is lost is counted. Raises the same."""
        try:
            await self.send()
        except Exception:
            self._counters.canaries_lost += 1
            raise

    async def send(self) -> None:
        """One mark, until it is stored and answered. Raises OSError or TimeoutError."""
        *others, last = self._doors
        for door in others:
            await self._ask(door, None)
        await self._ask(last, _FRAME)

    async def _ask(self, door: DoorAddress, frame: str | None) -> None:
        """Log in, and have the frame answered, if one is given."""
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
            raise TimeoutError(f"port {door.port} for OCPP did not answer within {ANSWER_WITHIN_S:g} s") from error
        except WebSocketException as error:
            raise ConnectionError(f"port {door.port} for OCPP: {error}") from error
