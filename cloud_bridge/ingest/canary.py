"""The canary: a client of our own that publishes a message through broker, ingest and store every five seconds.

A fault that stops the canaries also stops contacts, so the time until a late canary is an outage of ours and not the
silence of any unit (contact.UptimeLedger). Only the commit of a canary counts, not the broker's PUBACK. The client
sends raw packets: an MQTT library that reconnects by itself would hide the outages that are measured here.
"""

import asyncio
import ssl
from dataclasses import dataclass

from cloud_bridge.counters import Counters
from cloud_bridge.duties import Duties
from cloud_bridge.ingest import packets

CANARY_ID = "_canary"  # the client id; no unit id begins with _
EVERY_S = 5.0
ANSWER_WITHIN_S = 4.0

# Timeout messages: what did not happen in that time, and where to look.
ANSWERS = "the broker did not answer"
LETS_IN = "the broker did not answer our login (on a cluster: is `auth` running?)"
KEEPS = "the broker did not acknowledge our message (is its disk full? on a cluster: are most nodes running?)"


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """The address of a broker, and the secret of our clients there. Each of them uses its client id as its user
    name."""

    host: str
    port: int
    secret: str
    tls: ssl.SSLContext | None = None


class Canary:
    """A client with one connection, which is opened on demand and kept open."""

    def __init__(self, address: BrokerAddress, counters: Counters, name: str = CANARY_ID) -> None:
        self._address = address
        self._counters = counters
        self._name = name
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._packet_id = 0
        self._waits_for = ANSWERS

    async def run(self, duties: Duties) -> None:
        """Publish every EVERY_S until cancelled. A failure is counted, and the next attempt uses a new connection."""
        try:
            await duties.every(EVERY_S, "canary", self.send_counted)
        finally:
            self.close()

    async def send_counted(self) -> None:
        """Call `send`, and count a failure. Raises what `send` raises."""
        try:
            await self.send()
        except Exception:
            self._counters.canaries_lost += 1
            raise

    async def send(self) -> None:
        """Publish one canary and wait for its PUBACK. Raises OSError, EOFError or TimeoutError."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                reader, writer = self._streams or await self._connect()
                self._packet_id = self._packet_id % 0xFFFF + 1
                body = _text(f"cp/{self._name}/heartbeat") + self._packet_id.to_bytes(2) + b"{}"
                writer.write(packets.whole(0x32, body))
                self._waits_for = KEEPS
                await _expect(reader, packets.puback(self._packet_id))
        except TimeoutError as error:
            self.close()
            raise TimeoutError(f"{self._waits_for} within {ANSWER_WITHIN_S:g} s") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        address = self._address
        self._waits_for = ANSWERS
        streams = await asyncio.open_connection(address.host, address.port, ssl=address.tls)
        self._streams = streams
        keep_alive_s = int(EVERY_S * 4)
        head = _text("MQTT") + b"\x04\xc2" + keep_alive_s.to_bytes(2)  # 3.1.1, clean session, user and password
        self._waits_for = LETS_IN
        streams[1].write(packets.whole(0x10, head + b"".join(map(_text, (self._name, self._name, address.secret)))))
        await _expect(streams[0], packets.connack(packets.ACCEPTED))
        return streams


async def _expect(reader: asyncio.StreamReader, answer: bytes) -> None:
    said = await reader.readexactly(len(answer))
    if said != answer:
        raise ConnectionError(f"the broker answered {said.hex()} instead of {answer.hex()}")


def _text(value: str) -> bytes:
    return len(value.encode()).to_bytes(2) + value.encode()
