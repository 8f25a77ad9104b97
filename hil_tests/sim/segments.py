"""TCP over a network that loses segments: what a connection between a modem and a server puts on the air.

Two joined ends (`End`) carry one connection by NewReno (RFC 5681, 6582, 6298), without SACK, which GPRS modems do not
have. A lost segment is retransmitted after three duplicate acknowledgements, or when the timer expires. A receiver
acknowledges each second segment, or after 200 ms (RFC 1122, 4.2.3.2), and with every segment of its own. Segments and
acknowledgements are lost alike. The windows are a modem's and do not grow. Opening and closing a connection are not
counted.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

HEADER_BYTES = 40  # IPv4 and TCP, without options
MSS_BYTES = 1400  # what an operator's tunnel leaves of 1,500
WINDOW = 8  # segments under way
ACK_EVERY = 2  # segments
ACK_WITHIN_S = 0.2
DUPLICATES = 3  # acknowledgements
FIRST_RTO_S, LEAST_RTO_S, MOST_RTO_S = 3.0, 1.0, 60.0

BLOCK = 20  # segments

Deliver = Callable[[bytes], None]


@dataclass
class Quality:
    """The quality of one direction. Jitter keeps the order."""

    loss: float = 0.0  # share of segments, 0 to 1: this share of each BLOCK, at random
    delay: float = 0.0  # seconds
    jitter: float = 0.0  # up to this many seconds more
    rate: int = 0  # bytes per second, headers included; 0 = unlimited


@dataclass
class Tally:
    """What one direction has put on the air."""

    payload: int = 0  # bytes, each counted once
    segments: int = 0  # with payload, each counted once
    again: int = 0  # retransmitted segments
    again_bytes: int = 0  # their payload
    acknowledgements: int = 0  # segments without payload
    lost: int = 0  # lost segments of any kind

    def on_air(self, header_bytes: int) -> int:
        """Return the bytes on the air, with `header_bytes` for each segment."""
        return self.payload + self.again_bytes + header_bytes * (self.segments + self.again + self.acknowledgements)


@dataclass
class _Segment:
    content: bytes
    sent_s: float
    again: bool = False  # retransmitted: its acknowledgement gives no round-trip time


class End:
    """One end of a connection, which sends in one direction and receives in the other. `peer` is the other end.

    `quality` and `tally` are those of the direction in which it sends; `deliver` receives what arrives, in order.
    """

    peer: "End"

    def __init__(self, quality: Quality, tally: Tally, source: random.Random) -> None:
        self.quality, self.tally = quality, tally
        self.deliver: Deliver = lambda content: None
        self._random = source
        self._fates: list[bool] = []  # of the next segments of a block, in reverse order: whether each is lost
        self._loop = asyncio.get_running_loop()
        self._waiting = bytearray()  # not sent yet
        self._under_way: dict[int, _Segment] = {}  # by the offset of their first byte
        self._next, self._acknowledged, self._recover, self._duplicates = 0, 0, 0, 0
        self._rto_s, self._round_trip_s, self._spread_s = FIRST_RTO_S, 0.0, 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._free_s = self._last_arrival_s = 0.0
        self._expected, self._unacknowledged = 0, 0
        self._early: dict[int, bytes] = {}
        self._late_ack: asyncio.TimerHandle | None = None

    @property
    def unsent_bytes(self) -> int:
        """Bytes that are not acknowledged yet, sent or not."""
        return len(self._waiting) + self._next - self._acknowledged

    def send(self, content: bytes) -> None:
        """Send bytes to the other end."""
        self._waiting += content
        self._fill()

    def close(self) -> None:
        """Stop sending."""
        for timer in (self._timer, self._late_ack):
            if timer is not None:
                timer.cancel()
        self._waiting.clear()
        self._under_way.clear()

    def _fill(self) -> None:
        while self._waiting and len(self._under_way) < WINDOW:
            content = bytes(self._waiting[:MSS_BYTES])
            del self._waiting[:MSS_BYTES]
            self._under_way[self._next] = _Segment(content, self._loop.time())
            self.tally.segments += 1
            self.tally.payload += len(content)
            self._put(self._next, content)
            self._next += len(content)

    def _put(self, place: int, content: bytes) -> None:
        """Send a segment with content, which also acknowledges what has arrived."""
        self._unacknowledged = 0
        self._on_air(len(content), partial(self.peer._take, place, content, self._expected))
        if self._timer is None:
            self._timer = self._loop.call_later(self._rto_s, self._timed_out)

    def _acknowledge(self) -> None:
        self._unacknowledged = 0
        if self._late_ack is not None:
            self._late_ack.cancel()
            self._late_ack = None
        self.tally.acknowledgements += 1
        self._on_air(0, partial(self.peer._take_ack, self._expected, True))

    def _on_air(self, size: int, arrive: Callable[[], None]) -> None:
        quality, now_s = self.quality, self._loop.time()
        self._free_s = max(now_s, self._free_s) + ((size + HEADER_BYTES) / quality.rate if quality.rate else 0)
        late_s = quality.delay + self._random.uniform(0, quality.jitter)
        self._last_arrival_s = max(self._last_arrival_s, self._free_s + late_s)
        if self._is_lost():
            self.tally.lost += 1
            return
        self._loop.call_at(self._last_arrival_s, arrive)

    def _is_lost(self) -> bool:
        if not self.quality.loss:
            return False
        if not self._fates:
            lost = round(BLOCK * self.quality.loss)
            self._fates = [True] * lost + [False] * (BLOCK - lost)
            self._random.shuffle(self._fates)
        return self._fates.pop()

    def _take(self, place: int, content: bytes, ack: int) -> None:
        """Handle a segment that arrived."""
        self._take_ack(ack, False)
        is_next = place == self._expected
        if place >= self._expected:
            self._early[place] = content
        self._unacknowledged += 1
        while (ready := self._early.pop(self._expected, None)) is not None:
            self._expected += len(ready)
            self.deliver(ready)
        if not is_next or self._early or self._unacknowledged >= ACK_EVERY:
            self._acknowledge()
        elif self._unacknowledged and self._late_ack is None:
            self._late_ack = self._loop.call_later(ACK_WITHIN_S, self._ack_is_late)

    def _ack_is_late(self) -> None:
        self._late_ack = None
        if self._unacknowledged:
            self._acknowledge()

    def _take_ack(self, ack: int, is_bare: bool) -> None:
        if ack > self._acknowledged:
            self._advance(ack)
        elif is_bare and ack == self._acknowledged and self._under_way:
            self._duplicates += 1
            if self._duplicates == DUPLICATES and ack >= self._recover:
                self._recover = self._next
                self._send_again()
        self._fill()

    def _advance(self, ack: int) -> None:
        last = None
        for place in [place for place in self._under_way if place < ack]:
            last = self._under_way.pop(place)
        if last is not None and not last.again:
            took_s = self._loop.time() - last.sent_s
            if self._round_trip_s:
                self._spread_s = 0.75 * self._spread_s + 0.25 * abs(took_s - self._round_trip_s)
                self._round_trip_s = 0.875 * self._round_trip_s + 0.125 * took_s
            else:
                self._round_trip_s, self._spread_s = took_s, took_s / 2
            self._rto_s = min(MOST_RTO_S, max(LEAST_RTO_S, self._round_trip_s + 4 * self._spread_s))
        self._acknowledged, self._duplicates = ack, 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._under_way:
            if ack < self._recover:  # of several lost segments, the next one
                self._send_again()
            else:
                self._timer = self._loop.call_later(self._rto_s, self._timed_out)

    def _timed_out(self) -> None:
        self._timer = None
        if self._under_way:
            self._rto_s = min(MOST_RTO_S, 2 * self._rto_s)
            self._recover, self._duplicates = self._next, 0
            self._send_again()

    def _send_again(self) -> None:
        segment = self._under_way[self._acknowledged]
        segment.again = True
        self.tally.again += 1
        self.tally.again_bytes += len(segment.content)
        self._put(self._acknowledged, segment.content)


def join(one: End, other: End) -> None:
    """Make two ends the ends of one connection."""
    one.peer, other.peer = other, one
