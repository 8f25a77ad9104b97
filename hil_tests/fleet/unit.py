"""The link of a simulated unit, pure: time and bytes in, actions out. It behaves as firmware/link does.

    RESTING --its time--> CONNECTING --open--> GREETING --CONNACK--> SUBSCRIBING --SUBACK--> READY <--PUBACK--> WAITING
       ^                      |                   |                       |                    |                   |
       +----------------------+-------------------+-- lost, refused, no answer in time --------+-------------------+

It has at most one unacknowledged message, and publishes as soon as it is connected. If a PUBACK does not arrive in time, it
sends the message once more, with DUP; if that is not acknowledged either, it gives up the connection. GONE is final.
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
ANSWER_WITHIN_S = 20.0  # firmware/link/packet_socket.py, OPERATION_MS
UNAVAILABLE = 3  # CONNACK: the broker is temporarily unavailable, which does not count as a refusal
NETWORK_BACK_FAILURES = 4  # failures in a row of a unit that has searched for its network for some time
FLAP_S = (2.0, 15.0)  # between two losses of connection of a flapping unit
LOST_PUBACK_EACH = 4
SECOND_BOARD_BOOTS = 1_000_000  # the difference of its boot count
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
    """Connect to one of the doors, chosen at random as a client does with a name that has several addresses."""

    door: int


class Send(NamedTuple):
    """Send these bytes."""

    data: bytes


class Close(NamedTuple):
    """Close the connection; with `is_reset` immediately, without delivery of pending data."""

    is_reset: bool = False


class Abandon(NamedTuple):
    """Leave the connection half open: nothing that is sent arrives any more, and neither side is notified."""


class Attempt(NamedTuple):
    """A message on one connection, from its PUBLISH to its PUBACK or to the end of the connection."""

    message: Message
    sent_s: float
    last_sent_s: float  # later than `sent_s` if the message was repeated with DUP
    ended_s: float
    is_acknowledged: bool


Action = Open | Send | Close | Abandon | Attempt


class Login(NamedTuple):
    """The unit's credentials, and the number of doors."""

    unit_id: str
    secret: str
    doors: int  # number of doors


class Tempo(NamedTuple):
    """Parameters of a run, equal for all units."""

    boot: int
    every_s: float  # between heartbeats
    epoch_s: float  # offset from monotonic time to the time since 1970
    begin_s: float  # monotonic time at which the first unit connects
    answer_within_s: float = ANSWER_WITHIN_S


class Unit:
    """A unit. Call `due` at `deadline_s`, and the other methods when their event happens."""

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
        self._until_s = tempo.begin_s + part.connect_at_s  # end of the state
        self._next_heartbeat_s = 0.0
        self._flap_s = float("inf")
        self._stop_s = float("inf") if part.stop_at_s is None else tempo.begin_s + part.stop_at_s
        self._is_ending = False

    @property
    def deadline_s(self) -> float:
        """The time at which `due` has something to do; infinite if never."""
        return float("inf") if self.state is State.GONE else min(self._until_s, self._flap_s, self._stop_s)

    def due(self, now_s: float) -> list[Action]:
        """Handle the deadline."""
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
        """Handle a completed TCP connect and TLS handshake."""
        self._buffer.clear()
        self._enter(State.GREETING, now_s + self._tempo.answer_within_s)
        keepalive_s = max(FIRST_KEEPALIVE_S, round(2 * self._tempo.every_s))
        return [Send(connect(self.unit_id, self._login.secret, keepalive_s))]

    def received(self, data: bytes, now_s: float) -> list[Action]:
        """Handle bytes of the broker, in pieces of any size."""
        self._buffer += data
        actions: list[Action] = []
        try:
            while self.state not in (State.RESTING, State.GONE) and (packet := next_packet(self._buffer)) is not None:
                actions += self._take(packet, now_s)
        except ProtocolError:
            actions += self._fail(now_s)
        return actions

    def lost(self, now_s: float) -> list[Action]:
        """Handle the end of the connection, or a failed connect."""
        return [] if self.state is State.GONE else self._fail(now_s)

    def drop(self, now_s: float) -> list[Action]:
        """Reset the connection, if there is one, as a middlebox does."""
        return [] if self.state in (State.RESTING, State.GONE) else self._fail(now_s, is_reset=True)

    def network_lost(self, now_s: float, until_s: float) -> list[Action]:
        """Lose the network until `until_s`. Nothing gets through, and the unit searches for its network."""
        if self.state is State.GONE:
            return []
        had_connection = self.state is not State.RESTING
        actions = self._gave_up(now_s)
        self._failures = NETWORK_BACK_FAILURES
        self._enter(State.RESTING, max(until_s, self._until_s if not had_connection else 0.0) + self._pause_s(False))
        return [*actions, Abandon()] if had_connection else actions

    def end(self) -> list[Action]:
        """End the run: an outstanding message may still be acknowledged, and none follows."""
        self._is_ending = True
        self._stop_s = self._flap_s = float("inf")
        return [] if self.state is State.WAITING else self._say_goodbye()

    @property
    def is_over(self) -> bool:
        """Whether the unit has finished."""
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
            return []  # the PUBACK of the first of two deliveries, after that of the second
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
            return []  # simulate its loss
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
        """Publish the next message that is due, let a sleeping unit disconnect, or wait for the next heartbeat."""
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
        """Give up the unacknowledged message, if any."""
        self._flap_s = float("inf")
        message, self._current = self._current, None
        return [] if message is None else [Attempt(message, self._sent_s, self._last_sent_s, now_s, False)]

    def _go(self) -> list[Action]:
        """Lose the mains, without sending anything."""
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
