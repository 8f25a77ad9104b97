"""How many bytes a connection has carried over the air, headers and acknowledgements included, as a tariff counts them.

A modem with a TCP stack of its own tells what it has sent and received, and none of its segments. So these are counted by what
each byte of ours must have caused: a segment for each command that sends, one for each command that fetches received data and
another that acknowledges it, and those that open and close a connection. `python -m hil_tests.bench.air` compares the count
with the segments that the kernel has counted for the same connection.
"""

SEGMENT_BYTES = 20 + 20 + 12  # IPv4 and TCP without options (RFC 791, RFC 9293), and the timestamps of RFC 7323
SEGMENT_DATA_BYTES = 1_360  # in a segment that comes in; unverified: usual where a carrier's tunnel takes some of 1,500
OPENING_SEGMENTS = 3
CLOSING_SEGMENTS = 4


class Traffic:
    """`air_bytes`, both ways, since the start."""

    def __init__(self) -> None:
        self.air_bytes = 0

    def opened(self) -> None:
        """A connection was made, or was tried."""
        self.air_bytes += OPENING_SEGMENTS * SEGMENT_BYTES

    def closed(self) -> None:
        """A connection was closed."""
        self.air_bytes += CLOSING_SEGMENTS * SEGMENT_BYTES

    def sent(self, count: int) -> None:
        """One command has sent `count` bytes, at most stream.SEND_BYTES. What is answered carries the acknowledgement."""
        if count:
            self.air_bytes += SEGMENT_BYTES + count

    def received(self, count: int) -> None:
        """One command has fetched `count` bytes."""
        if count:
            self.air_bytes += count + SEGMENT_BYTES * (1 + -(-count // SEGMENT_DATA_BYTES))
