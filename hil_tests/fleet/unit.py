"""One simulated unit's link, pure: time and bytes in, actions out. It behaves as firmware/link does.

    RESTING --its time--> CONNECTING --open--> GREETING --CONNACK--> SUBSCRIBING --SUBACK--> READY <--PUBACK--> WAITING
       ^                      |                   |                       |                    |                   |
       +----------------------+-------------------+-- lost, refused, no answer in time --------+-------------------+

It has one message unacknowledged at most, speaks at once when it is connected, and sends a message whose PUBACK does not
come once more, with DUP; when that has no answer either, the connection is given up. GONE is for good.
"""

from enum import Enum
from random import Random
from typing import NamedTuple

from hil_tests.fixtures.mqtt_unit import PUBACK, PUBLISH, publish
from hil_tests.fleet.backoff import wait_s
from hil_tests.fleet.charge_point import ChargePoint, Habits, Message
from hil_tests.fleet.packets import (
    CONNACK,
    DISCONNECT,
    DUP,
    QOS_1,
    SUBACK,
    SUBSCRIPTION_FAILED,
    Packet,
    ProtocolError,
    connect,
    next_packet,
    puback_for,
    subscribe,
)
from hil_tests.fleet.scenarios import Manner, Part

TCP_WITHIN_S = 80.0  # firmware/link/packet_socket.py, CONNECT_MS; with the TLS handshake
ANSWER_WITHIN_S = 20.0  # likewise, OPERATION_MS
UNAVAILABLE = 3  # CONNACK: the broker cannot serve now, which is no refusal
NETWORK_BACK_FAILURES = 4  # in a row, of a unit that has looked for its network for some time
FLAP_S = (2.0, 15.0)  # between two losses of a flapping unit
LOST_PUBACK_EACH = 4
SECOND_BOARD_BOOTS = 1_000_000  # by which its boot count differs
FIRST_KEEPALIVE_S = 600  # firmware/link/uplink.py: twice the idle interval


class State(Enum):
    RESTING = "resting"
    CONNECTING = "connecting"
    GREETING = "CONNECT sent"
    SUBSCRIBING = "SUBSCRIBE sent"
    READY = "ready"
    WAITING = "PUBLISH sent"
    GONE = "gone"


IN_CONTACT = (State.READY, State.WAITING)


class Open(NamedTuple):
    """Connect to one of the doors, as a name with several addresses leads to any of them."""

    door: int


class Send(NamedTuple):
    """These bytes."""

    data: bytes


class Close(NamedTuple):
    """End the connection; with `is_reset` at once, and what is under way is lost."""

    is_reset: bool = False


class Abandon(NamedTuple):
    """Leave the connection half open: nothing that is sent arrives any more, and nobody is told."""


class Attempt(NamedTuple):
    """A message on one connection, from its PUBLISH to its PUBACK or to the end of the connection."""

    message: Message
    sent_s: float
    last_sent_s: float  # later than `sent_s` if it was sent again with DUP
    ended_s: float
    is_acknowledged: bool


Action = Open | Send | Close | Abandon | Attempt


class Login(NamedTuple):
    """Who it says it is, and where."""

    unit_id: str
    secret: str
    doors: int  # how many there are


class Tempo(NamedTuple):
    """Of a run, the same for all units."""

    boot: int
    every_s: float  # between heartbeats
    epoch_s: float  # what is added to a monotonic time
    begin_s: float  # monotonic; the first unit connects
    answer_within_s: float = ANSWER_WITHIN_S


class Unit:
    """Call `due` when `deadline_s` has come, and the other methods when it happens."""

    def __init__(self, login: Login, part: Part, tempo: Tempo, habits: Habits) -> None:
        self.state = State.RESTING
        self.part = part
        self.unit_id = login.unit_id
        self._login, self._tempo = login, tempo
        self._dice = Random(part.seed)
        boot = tempo.boot + (SECOND_BOARD_BOOTS if part.is_second_board else 0)
        self._point = ChargePoint(boot, part.plmn, self._dice, habits)
        self._point.start(self._time_s(tempo.begin_s))
        self._buffer = bytearray()
        self._failures = 0
        self._packet_id = 0
        self._current: Message | None = None
        self._sent_s = self._last_sent_s = 0.0
        self._until_s = tempo.begin_s + part.connect_at_s  # of the state
        self._next_heartbeat_s = 0.0
        self._flap_s = float("inf")
        self._stop_s = float("inf") if part.stop_at_s is None else tempo.begin_s + part.stop_at_s
        self._is_ending = False

    @property
    def deadline_s(self) -> float:
        """When `due` has something to do; infinite when it never has."""
        return float("inf") if self.state is State.GONE else min(self._until_s, self._flap_s, self._stop_s)

    def due(self, now_s: float) -> list[Action]:
        """Its time has come."""
        if now_s >= self._stop_s:
            return self._go()
        if now_s >= self._flap_s:
            return self._fail(now_s, is_reset=True)
        if now_s < self._until_s:
            return []
        if self.state is State.RESTING:
            self._enter(State.CONNECTING, now_s + TCP_WITHIN_S)
            return [Open(self._dice.randrange(self._login.doors))]
        if self.state is State.READY:
            return self._speak(now_s)
        if self.state is State.WAITING and self._last_sent_s == self._sent_s:
            return [self._publish(now_s, DUP)]
        return self._fail(now_s)

    def opened(self, now_s: float) -> list[Action]:
        """TCP, and TLS where there is any, is there."""
        self._buffer.clear()
        self._enter(State.GREETING, now_s + self._tempo.answer_within_s)
        keepalive_s = max(FIRST_KEEPALIVE_S, round(2 * self._tempo.every_s))
        return [Send(connect(self.unit_id, self._login.secret, keepalive_s))]

    def received(self, data: bytes, now_s: float) -> list[Action]:
        """Bytes of the broker, in any pieces."""
        self._buffer += data
        actions: list[Action] = []
        try:
            while self.state not in (State.RESTING, State.GONE) and (packet := next_packet(self._buffer)) is not None:
                actions += self._take(packet, now_s)
        except ProtocolError:
            actions += self._fail(now_s)
        return actions

    def lost(self, now_s: float) -> list[Action]:
        """The connection has ended, or never came."""
        return [] if self.state is State.GONE else self._fail(now_s)

    def drop(self, now_s: float) -> list[Action]:
        """Somebody on the way resets its connection; nothing if it has none."""
        return [] if self.state in (State.RESTING, State.GONE) else self._fail(now_s, is_reset=True)

    def network_lost(self, now_s: float, until_s: float) -> list[Action]:
        """Nothing gets through until then; it looks for its network meanwhile."""
        if self.state is State.GONE:
            return []
        had_connection = self.state is not State.RESTING
        actions = self._gave_up(now_s)
        self._failures = NETWORK_BACK_FAILURES
        self._enter(State.RESTING, max(until_s, self._until_s if not had_connection else 0.0) + self._pause_s(False))
        return [*actions, Abandon()] if had_connection else actions

    def end(self) -> list[Action]:
        """The run is over: a message that is under way may still be acknowledged, and none follows."""
        self._is_ending = True
        self._stop_s = self._flap_s = float("inf")
        return [] if self.state is State.WAITING else self._say_goodbye()

    @property
    def is_over(self) -> bool:
        """Nothing more is to come from it."""
        return self.state is State.GONE

    @property
    def has_unacknowledged(self) -> bool:
        return self.state is State.WAITING

    def _take(self, packet: Packet, now_s: float) -> list[Action]:
        if packet.kind == PUBLISH:
            return [Send(answer)] if (answer := puback_for(packet)) else []
        if packet.kind == CONNACK and self.state is State.GREETING and len(packet.body) == 2:
            if (code := packet.body[1]) != 0:
                return self._fail(now_s, refused=code != UNAVAILABLE)
            self._enter(State.SUBSCRIBING, now_s + self._tempo.answer_within_s)
            return [Send(subscribe(self.unit_id, self._next_packet_id()))]
        if packet.kind == SUBACK and self.state is State.SUBSCRIBING and packet.packet_id == self._packet_id:
            if packet.body[2:] == bytes((SUBSCRIPTION_FAILED,)):
                return self._fail(now_s, refused=True)
            return self._connected(now_s)
        if packet.kind == PUBACK and self.state is State.READY:
            return []  # of the first of two deliveries, after that of the second
        if packet.kind == PUBACK and self.state is State.WAITING:
            return self._acknowledged(now_s) if packet.packet_id == self._packet_id else []
        raise ProtocolError(f"{packet.first_byte:02x} while {self.state.value}")

    def _connected(self, now_s: float) -> list[Action]:
        if self.part.manner is Manner.FLAPPING:
            self._flap_s = now_s + self._dice.uniform(*FLAP_S)
        self._next_heartbeat_s = now_s
        return self._speak(now_s)

    def _acknowledged(self, now_s: float) -> list[Action]:
        if self.part.manner is Manner.FORGETFUL and self._dice.randrange(LOST_PUBACK_EACH) == 0:
            return []  # it got lost on its way
        message = self._current
        assert message is not None
        attempt = Attempt(message, self._sent_s, self._last_sent_s, now_s, True)
        self._current = None
        self._failures = 0
        records = self._point.records
        if message.kind == "heartbeat":
            self._next_heartbeat_s = now_s + self._tempo.every_s
        elif records and records[0].sequence == message.sequence:
            records.popleft()
        return [attempt, *(self._say_goodbye() if self._is_ending else self._speak(now_s))]

    def _speak(self, now_s: float) -> list[Action]:
        """The next message that is due; goodbye, for a time, of one that sleeps; or nothing until the next heartbeat."""
        if now_s >= self._next_heartbeat_s:
            self._point.live(self._time_s(now_s))
            self._current = self._point.heartbeat(self._time_s(now_s))
        elif self._point.records:
            self._current = self._point.records[0]
        elif self.part.manner is Manner.SLEEPING:
            self._enter(State.RESTING, self._next_heartbeat_s)
            return [Send(DISCONNECT), Close()]
        else:
            self._enter(State.READY, self._next_heartbeat_s)
            return []
        self._next_packet_id()
        self._sent_s = now_s
        return [self._publish(now_s)]

    def _publish(self, now_s: float, flag: int = 0) -> Send:
        message = self._current
        assert message is not None
        self._last_sent_s = now_s
        self._enter(State.WAITING, now_s + self._tempo.answer_within_s)
        topic = f"cp/{self.unit_id}/{message.kind}"
        return Send(publish(topic, message.payload, self._packet_id, PUBLISH | QOS_1 | flag))

    def _fail(self, now_s: float, refused: bool = False, is_reset: bool = False) -> list[Action]:
        actions = self._gave_up(now_s)
        if self._is_ending:
            return [*actions, *self._say_goodbye()]
        self._failures += 1
        self._enter(State.RESTING, now_s + self._pause_s(refused))
        return [*actions, Close(is_reset)]

    def _gave_up(self, now_s: float) -> list[Action]:
        """The message under way, if any, will not be acknowledged any more."""
        self._flap_s = float("inf")
        message, self._current = self._current, None
        return [] if message is None else [Attempt(message, self._sent_s, self._last_sent_s, now_s, False)]

    def _go(self) -> list[Action]:
        """Its mains are gone: it says nothing to anybody."""
        actions = self._gave_up(self._stop_s)
        had_connection = self.state is not State.RESTING
        self._enter(State.GONE, float("inf"))
        return [*actions, Abandon()] if had_connection else actions

    def _say_goodbye(self) -> list[Action]:
        was, self.state = self.state, State.GONE
        if was in (State.RESTING, State.GONE):
            return []
        return [Send(DISCONNECT), Close()] if was in IN_CONTACT else [Close()]

    def _pause_s(self, refused: bool) -> float:
        return wait_s(self._failures, refused, self._dice)

    def _enter(self, state: State, until_s: float) -> None:
        self.state, self._until_s = state, until_s

    def _next_packet_id(self) -> int:
        self._packet_id = self._packet_id % 0xFFFF + 1
        return self._packet_id

    def _time_s(self, now_s: float) -> int:
        return int(now_s + self._tempo.epoch_s)
