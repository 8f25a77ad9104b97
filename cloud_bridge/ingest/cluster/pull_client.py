"""A NATS client for workers: nats-py with a fast path for deliveries and acknowledgements.

For each message, nats-py matches regular expressions, parses headers that we do not need, and uses a queue and a task.
It sends each acknowledgement separately. That took a quarter of a worker's time. Here deliveries are parsed directly
from the received bytes, and acknowledgements are sent in batches. Everything else is left to nats-py: connecting and
reconnecting, TLS, pings and replies.

    MSG subject sid reply size\\r\\n payload \\r\\n
    HMSG subject sid reply header_size size\\r\\n header payload \\r\\n         https://docs.nats.io/reference/nats-protocol
"""

from collections.abc import Callable, Iterable

from nats.aio.client import Client
from nats.errors import OutboundBufferLimitError, ProtocolError
from nats.protocol.parser import Parser

OnDelivery = Callable[[bytes, bytes, bytes], None]  # subject, reply subject, payload

MAX_UNREAD_BYTES = 2 * 1024 * 1024  # of an incomplete frame; nodes accept messages of up to 1 MB
END = b"\r\n"


class PullClient(Client):
    """nats-py's Client with the two methods of the fast path."""

    def __init__(self) -> None:
        super().__init__()
        self._ps = self._deliveries = DeliveryParser(self)

    def deliver(self, prefix: bytes, deliver: OnDelivery) -> None:
        """Pass messages whose subject begins with `prefix` to `deliver` instead of their subscription."""
        self._deliveries.prefix, self._deliveries.deliver = prefix, deliver

    async def acknowledge(self, replies: Iterable[bytes]) -> None:
        """Send an empty message to each reply subject. Raises OutboundBufferLimitError if the connection is lost and
        the buffer is full."""
        commands = b"".join([b"PUB %b 0\r\n\r\n" % reply for reply in replies])
        if not self.is_connected and self._pending_data_size + len(commands) > self._max_pending_size:
            raise OutboundBufferLimitError
        await self._send_command(commands)
        await self._flush_pending()


class DeliveryParser(Parser):
    """Splits received bytes into frames. Deliveries are parsed here, and all other frames by nats-py's parser, in
    order."""

    def __init__(self, client: Client) -> None:
        self.prefix = END  # matches no subject
        self.deliver: OnDelivery = _nobody
        super().__init__(client)

    def reset(self) -> None:
        """Discard buffered bytes: a new connection follows."""
        super().reset()
        self._unread = b""

    async def parse(self, data: bytes = b"") -> None:
        """Parse received bytes. Raises ProtocolError, after which nats-py reconnects."""
        self._unread = data = self._unread + data
        begin = 0
        while (line_end := data.find(END, begin)) >= 0:
            words = data[begin:line_end].split(b" ")
            end = payload = line_end + len(END)
            try:
                if words[0] in (b"HMSG", b"MSG"):
                    end += _size(words[-1]) + len(END)
                    if end > len(data):
                        break
                if words[0] == b"HMSG":
                    payload += _size(words[-2])
                is_delivery = end > payload and words[1].startswith(self.prefix)
                if is_delivery:
                    self.deliver(words[1], words[3], data[payload : end - len(END)])
            except (ValueError, IndexError) as error:
                raise ProtocolError(f"nats: malformed {words[0].decode(errors='replace')}") from error
            if not is_delivery:
                await super().parse(data[begin:end])
                if self._unread is not data:  # `reset` was called: the frame has ended the connection
                    return
            begin = end
        self._unread = data[begin:]
        if len(self._unread) > MAX_UNREAD_BYTES:
            raise ProtocolError("nats: a frame is too long")


def _size(word: bytes) -> int:
    """Parse a size. Raises ValueError."""
    if not word.isdigit():
        raise ValueError
    return int(word)


def _nobody(_subject: bytes, _reply: bytes, _payload: bytes) -> None:
    """Do nothing: before PullClient.deliver there are no deliveries."""
