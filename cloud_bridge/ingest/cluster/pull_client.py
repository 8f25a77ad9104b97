"""The connection by which a worker takes messages: nats-py's, with the two things that every message needs done at once.

nats-py matches patterns for each message, reads headers that say nothing to us, and passes it through a queue to a task; and
it sends each acknowledgement by itself. That was a quarter of a worker's own time. Here what units say is cut out of the bytes
as they come, and acknowledgements are sent together. All else is left to nats-py: connecting and coming back, TLS, pings,
answers.

    MSG subject sid reply size\\r\\n payload \\r\\n
    HMSG subject sid reply header_size size\\r\\n header payload \\r\\n         https://docs.nats.io/reference/nats-protocol
"""

from collections.abc import Callable, Iterable

from nats.aio.client import Client
from nats.errors import OutboundBufferLimitError, ProtocolError
from nats.protocol.parser import Parser

OnDelivery = Callable[[bytes, bytes, bytes], None]  # subject, where to answer, payload

MAX_UNREAD_BYTES = 2 * 1024 * 1024  # of a frame that has not come whole; nodes take messages of 1 MB
END = b"\r\n"


class PullClient(Client):
    """Used as nats-py's."""

    def __init__(self) -> None:
        super().__init__()
        self._ps = self._deliveries = DeliveryParser(self)

    def deliver(self, prefix: bytes, deliver: OnDelivery) -> None:
        """From now on messages whose subject begins so are given to `deliver`, and to no subscription."""
        self._deliveries.prefix, self._deliveries.deliver = prefix, deliver

    async def acknowledge(self, replies: Iterable[bytes]) -> None:
        """Send an empty message to each. Raises OutboundBufferLimitError if the connection is lost, and as many wait for it as
        may."""
        commands = b"".join([b"PUB %b 0\r\n\r\n" % reply for reply in replies])
        if not self.is_connected and self._pending_data_size + len(commands) > self._max_pending_size:
            raise OutboundBufferLimitError
        await self._send_command(commands)
        await self._flush_pending()


class DeliveryParser(Parser):
    """Whole frames of a node: deliveries are read here, all others by nats-py's parser, one at a time and in their order."""

    def __init__(self, client: Client) -> None:
        self.prefix = END  # no subject begins so
        self.deliver: OnDelivery = _nobody
        super().__init__(client)

    def reset(self) -> None:
        """The bytes of another connection follow."""
        super().reset()
        self._unread = b""

    async def parse(self, data: bytes = b"") -> None:
        """Raises ProtocolError, upon which nats-py connects anew."""
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
                if self._unread is not data:  # it was the last one of its connection
                    return
            begin = end
        self._unread = data[begin:]
        if len(self._unread) > MAX_UNREAD_BYTES:
            raise ProtocolError("nats: a frame is too long")


def _size(word: bytes) -> int:
    """Raises ValueError."""
    if not word.isdigit():
        raise ValueError
    return int(word)


def _nobody(_subject: bytes, _reply: bytes, _payload: bytes) -> None:
    """Before it is said who takes deliveries; there are none."""
