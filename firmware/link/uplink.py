"""From the modem's supply to an acknowledged heartbeat, and back to the beginning whenever something fails.

Straight-line blocking code, run for ever by the main thread. Nothing here can touch the charging: the control thread
goes on, and `Exchange.link_proven` is all that it learns.

    offline -> modem (answers) -> registered -> connected (CONNACK) -> proven (one publish acknowledged)
"""

import random

from umqtt.simple import MQTTException

from firmware.lazy_import import LazyImport
from firmware.link import backoff
from firmware.link.heartbeat_timer import HeartbeatTimer
from firmware.link.idle_span import IdleSpan
from firmware.link.mqtt import Broker, Mqtt
from firmware.link.network import TOLD_CHARS, Moved
from firmware.link.secure import NotTrusted, SecureStream, WrongCertificate
from modem.errors import CommandError, ModemError

if False:  # for mypy alone
    from firmware.charging.exchange import Exchange, Report
    from firmware.link.bearer import Bearer
    from firmware.link.cloud_messages import CloudMessages
    from firmware.link.secure import Trust
    from firmware.storage.settings import Settings
    from firmware.update.updates import Updates

UNAVAILABLE = 3  # CONNACK: the broker is there but cannot serve now (MQTT 3.1.1, table 3.1)
CLOSED = ("closing", "charging", "stopping")  # phases in which the contactor is closed, or about to be
PIECE_MS = 20  # while pieces of an update are on their way
POLL_MS = 250  # how late a change of state is noticed
KEEPALIVE_S = 1200  # a broker ends what is silent for one and a half of it: the 30 minutes of the dashboard
KEEPALIVE_SPARE_S = 60  # beyond the heartbeat, for one that comes late


class Uplink:
    """`state` and `trouble` (why it failed last) are for the console; Exchange.turns are marks for the supervisor, one for
    each wait and each acknowledged message, but none for a beginning: a mistake of ours may end every one of them.
    """

    def __init__(
        self, bearer: "Bearer", settings: "Settings", trust: "Trust", exchange: "Exchange", cloud: "CloudMessages"
    ) -> None:
        self.state = "offline"
        self.trouble: str | None = None
        self.network = bearer.network
        self.radio = bearer.radio
        self.modem = bearer.modem
        self.trace = bearer.trace
        self.tls_version = trust.tls_version
        self.updates: Updates | None = None
        self.scan_wanted = False  # networks are to be looked for; the link is gone meanwhile
        self._bearer = bearer
        self._clock = bearer.clock
        self._settings = settings
        self.trust = trust
        self._exchange = exchange
        self._cloud = cloud
        is_new = cloud.health.boot is not None and cloud.health.boot.is_new
        self._first_wait_ms = backoff.first_ms(cloud.health.cause, is_new, random.randint)
        self._distrust: str | None = None  # why the broker was not trusted, as it was told last
        self._failures = 0  # in a row, since the link was proven last
        self._unheard = 0  # connections in a row that the broker took, and on which it acknowledged nothing
        self._is_unheard = False  # the present one, or the last, is such a connection
        self._idle_span = IdleSpan()
        self._silence_ms = 0  # of the broker, when we last turned to it
        self._stop = False

    def scan(self) -> None:
        """Look for networks, as soon as may be."""
        self.network.survey_state = "wanted"
        self.scan_wanted = True

    def reconnect(self) -> None:
        """The settings have changed: begin again with the new ones."""
        self._stop = True

    def run(self) -> None:
        """For ever."""
        while True:
            self._stop = self._is_unheard = False
            try:
                self._bearer.start()
                if self.scan_wanted:
                    self.scan_wanted = False
                    self.network.look_around()
                self._join()
                if self._settings.provisioned():
                    self._let_others_go_first()
                    self._wait_for_open_contactor()
                    self._talk()
                else:
                    self._show_signal()
            except Moved as moved:
                self.trouble = str(moved)
            except (OSError, ModemError, MQTTException) as error:
                self._failed(error)
                self._rest(self._again_ms(error))

    def _join(self) -> None:
        self.state = "modem"
        self._bearer.register()
        self.state = "registered"
        self._bearer.open(self._settings["apn"])

    def _show_signal(self) -> None:
        """Nobody to call yet: what there is to do is to show an installer the signal."""
        while not (self._stop or self.scan_wanted):
            self._watch(POLL_MS)

    def _let_others_go_first(self) -> None:
        """Once, where the mains came back to many of us."""
        until_ms = self._clock.now_ms() + self._first_wait_ms
        self._first_wait_ms = 0
        while self._clock.now_ms() < until_ms and not (self._stop or self.scan_wanted):
            self._watch(POLL_MS)

    def _may_stall(self) -> bool:
        """A TLS handshake keeps every line of Python from running for up to 330 ms. On a board without a hardware guard
        nothing would open the contactor meanwhile (boards/board.py).
        """
        return self._bearer.has_guard or self._exchange.report.phase not in CLOSED

    def _wait_for_open_contactor(self) -> None:
        """Until a handshake may begin."""
        while not (self._settings["plain_mqtt"] or self._may_stall() or self._stop or self.scan_wanted):
            self._watch(POLL_MS)

    def _talk(self) -> None:
        """One connection, from CONNECT until it fails or the settings change."""
        settings = self._settings
        stream = self._bearer.stream
        mqtt = Mqtt(
            stream if settings["plain_mqtt"] else SecureStream(stream, self.trust, self._clock, self._may_stall),
            self._clock,
            Broker(settings["broker"], settings["port"], settings["id"], settings["secret"]),
            keepalive_s(settings["heartbeat_idle_s"]),
        )
        mqtt.set_last_will(self._topic("lwt"), b"offline", qos=1)
        self._silence_ms = 0
        self.trust.verified = None
        try:
            mqtt.connect()
            self._unheard += 1
            self._is_unheard = True
            mqtt.subscribe(self._topic("command"), qos=1)
            self.state = "connected"
            if self.trust.verified and self.trust.verified != self.trust.digests[0]:
                with LazyImport():
                    from firmware.storage import authority_change

                    authority_change.confirm(self.trust, self._cloud.journal.note)
            self.network.proved()
            self._idle_span.connected(self._clock.now_ms(), self.radio.operator, self._failures <= 1)
            self._serve(mqtt)
        finally:
            self._exchange.link_proven = False
            self.state = "registered"
            mqtt.disconnect()

    def _serve(self, mqtt: Mqtt) -> None:
        journal = self._cloud.journal
        timer = HeartbeatTimer(self._settings["heartbeat_idle_s"], self._settings["heartbeat_charging_s"])
        while not (self._stop or self.scan_wanted):
            self._silence_ms = self._clock.now_ms() - mqtt.heard_ms
            report = self._exchange.report
            in_force = self._cloud.in_force(report)
            if timer.due(self._clock.now_ms(), report, in_force):
                self._send(mqtt, "heartbeat", self._heartbeat(report))
                timer.told(self._clock.now_ms(), report, in_force)
                told, self._cloud.version_told = self._cloud.version_told, None
                if told:
                    told()
            record = journal.oldest()
            if record:
                self._send(mqtt, *journal.message(record))
                journal.acknowledged(record)
            else:
                self._ask_for_pieces(mqtt)
            if self._clock.now_ms() - mqtt.heard_ms >= self._idle_span.ms:
                mqtt.ping()
                self._idle_span.survived(self._clock.now_ms(), self._silence_ms)
            mqtt.check_msg()
            while mqtt.incoming:
                self._cloud.take_command(mqtt.incoming.pop(0)[1])
            while mqtt.pieces:
                piece = mqtt.pieces.pop(0)
                if self.updates:
                    self.updates.take(piece)
            if mqtt.dropped:
                journal.note("dropped", {"commands": mqtt.dropped})
                mqtt.dropped = 0

    def _ask_for_pieces(self, mqtt: Mqtt) -> None:
        """Nothing waits to be sent: ask for the next pieces of an update, if one is wanted; then wait for what comes."""
        updates = self.updates
        question = updates.question() if updates else None
        if updates and question:
            try:
                if not mqtt.hears_pieces:
                    mqtt.subscribe(self._topic("piece"))
                    mqtt.hears_pieces = True
                self._send(mqtt, "ask", question)
            except MQTTException:  # a broker of before there were updates
                updates.put_off()
        self._watch(PIECE_MS if updates and updates.awaits() else POLL_MS)

    def _send(self, mqtt: Mqtt, kind: str, payload: bytes) -> None:
        """Publish and wait for the acknowledgement, which proves the link."""
        mqtt.publish(self._topic(kind), payload, qos=1)
        self._idle_span.survived(self._clock.now_ms(), self._silence_ms)
        self.network.in_contact()
        self._exchange.turns += 1
        self.state = "proven"
        self.trouble = self._distrust = None
        self._failures = self._unheard = 0
        self._is_unheard = False
        self._exchange.link_proven = True

    def _heartbeat(self, report: "Report") -> bytes:
        interval_s = self._settings["heartbeat_charging_s" if report.contactor else "heartbeat_idle_s"]
        return self._cloud.heartbeat(report, self.radio, self._settings["plain_mqtt"], interval_s)

    def _topic(self, kind: str) -> str:
        return "cp/%s/%s" % (self._settings["id"], kind)

    def _watch(self, ms: int) -> None:
        """Wait, with an eye on the signal. Raises NotRegistered and Moved."""
        self._exchange.turns += 1
        self.radio.watch(ms, self._exchange.report.contactor)

    def _failed(self, error: Exception) -> None:
        self.trouble = str(error) or repr(error)
        if isinstance(error, NotTrusted) and self.trouble != self._distrust:  # one event, however often we try
            self._distrust = self.trouble
            self._cloud.journal.note("security", {"broker": self.trouble[:TOLD_CHARS]})
        self._failures += 1
        try:
            idle = isinstance(error, OSError) and self._idle_span.died(self._silence_ms)
            blameless = idle or self._is_unheard  # it has just carried a CONNACK
            self.network.lost(error, isinstance(error, OSError) and self._bearer.stream.answered, blameless)
            self.network.tend(self._exchange.report.contactor)
        except Moved as moved:  # the next network has failed nothing yet
            self.trouble = str(moved)
            self._failures = 0
        except ModemError as another:  # a remedy that failed: from the beginning
            self.trouble = str(another)

    def _again_ms(self, error: Exception) -> int:
        """How long to wait before the next attempt."""
        if self._is_unheard and isinstance(error, OSError):
            return backoff.unheard_ms(self._unheard, random.randint)
        return backoff.again_ms(self._failures, self._is_refused(error), random.randint)

    def _is_refused(self, error: Exception) -> bool:
        """Whether somebody said no who will say so again: the network, or a broker; each time costs 5 kB of handshake."""
        if isinstance(error, MQTTException):
            return bool(error.args[0] != UNAVAILABLE)
        if isinstance(error, CommandError):
            return self.network.is_failing()
        return isinstance(error, WrongCertificate)

    def _rest(self, ms: int) -> None:
        """Wait before the next attempt, with an eye on signal and networks; nobody who wants a scan waits for that."""
        until_ms = self._clock.now_ms() + ms
        try:
            while self._clock.now_ms() < until_ms and not (self._stop or self.scan_wanted):
                self._watch(min(POLL_MS, until_ms - self._clock.now_ms()))
        except (OSError, ModemError) as error:  # what is wrong now is the next attempt's to find
            self.trouble = str(error)


def keepalive_s(heartbeat_s: int) -> int:
    """What a broker is told. A heartbeat is a sign of life: no pings are needed beside it."""
    return min(2 * heartbeat_s, max(KEEPALIVE_S, heartbeat_s + KEEPALIVE_SPARE_S))
