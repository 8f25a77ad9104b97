"""Estimates the bytes that a connection has carried over the air, with headers and acknowledgements, as a tariff counts them.

A modem with its own TCP stack reports the payload it sent and received, but not its segments. The segments are therefore
estimated: one for each command that sends; one for each 1,360 bytes that a command fetches, and another that acknowledges
them; and a fixed number to open and to close a connection. `python -m hil_tests.bench.air` compares the estimate with the
segments that the kernel counted for the same connection.
"""

SEGMENT_BYTES = 20 + 20 + 12  # IPv4 and TCP without options (RFC 791, RFC 9293), and the timestamps of RFC 7323
SEGMENT_DATA_BYTES = 1_360  # in a received segment; unverified: usual if a carrier's tunnel takes part of the 1,500
OPENING_SEGMENTS = 3
CLOSING_SEGMENTS = 4


class Traffic:
    """The counter `air_bytes`: both directions, since the start."""

    def __init__(self) -> None:
        self.air_bytes = 0

    def opened(self) -> None:
        """Count the segments of an attempt to open a connection."""
        self.air_bytes += OPENING_SEGMENTS * SEGMENT_BYTES

    def closed(self) -> None:
        """Count the segments that close a connection."""
        self.air_bytes += CLOSING_SEGMENTS * SEGMENT_BYTES

    def sent(self, count: int) -> None:
        """Count a command that sent `count` bytes, at most stream.SEND_BYTES. The peer's response carries the
        acknowledgement, so that is not counted here.
        """
        if count:
            self.air_bytes += SEGMENT_BYTES + count

    def received(self, count: int) -> None:
        """Count a command that fetched `count` bytes."""
        if count:
            self.air_bytes += count + SEGMENT_BYTES * (1 + -(-count // SEGMENT_DATA_BYTES))
