"""The uplink: from the modem's supply to an acknowledged heartbeat. After any failure, it starts again from the beginning.

This is blocking code that the main thread runs permanently. It cannot affect the charging: the control thread runs
independently, and `Exchange.link_proven` is the only value that it reads of the link.

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

UNAVAILABLE = 3  # CONNACK return code: server unavailable (MQTT 3.1.1, table 3.1)
CLOSED = ("closing", "charging", "stopping")  # phases in which the contactor is closed or about to close
PIECE_MS = 20  # wait between two reads while pieces of an update are expected
POLL_MS = 250  # the longest delay until a change of state is noticed
KEEPALIVE_S = 1200  # a broker closes a connection after 1.5 times this silence: the 30 minutes of the dashboard
KEEPALIVE_SPARE_S = 60  # added to the heartbeat interval, for a late heartbeat


class Uplink:
    """`state` and `trouble` (the last failure) are for the console. Exchange.turns, which the supervisor watches, increases
    with each wait and each acknowledged message, but not with each attempt, because a programming error may end every attempt.
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
        self.scan_wanted = False  # a scan for networks is requested; it closes the connection
        self._bearer = bearer
        self._clock = bearer.clock
        self._settings = settings
        self.trust = trust
        self._exchange = exchange
        self._cloud = cloud
        is_new = cloud.health.boot is not None and cloud.health.boot.is_new
        self._first_wait_ms = backoff.first_ms(cloud.health.cause, is_new, random.randint)
        self._distrust: str | None = None  # the last recorded reason why the broker was not trusted
        self._failures = 0  # since the link was last proven
        self._unheard = 0  # connections in succession that the broker accepted without acknowledging a message
        self._is_unheard = False  # the present connection, or the last one, is such a connection
        self._idle_span = IdleSpan()
        self._silence_ms = 0  # time since the broker's last packet, at the start of the current turn
        self._stop = False

    def scan(self) -> None:
        """Request a scan for networks, at the next opportunity."""
        self.network.survey_state = "wanted"
        self.scan_wanted = True

    def reconnect(self) -> None:
        """Start again with the current settings, after they were changed."""
        self._stop = True

    def run(self) -> None:
        """Connect and serve; does not return. Handles OSError, ModemError and MQTTException by another attempt."""
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
        """Sample the signal, for an installer, while the unit is not provisioned and so cannot connect."""
        while not (self._stop or self.scan_wanted):
            self._watch(POLL_MS)

    def _let_others_go_first(self) -> None:
        """Wait before the first connection, because many units may have lost the mains at the same time."""
        until_ms = self._clock.now_ms() + self._first_wait_ms
        self._first_wait_ms = 0
        while self._clock.now_ms() < until_ms and not (self._stop or self.scan_wanted):
            self._watch(POLL_MS)

    def _may_stall(self) -> bool:
        """Return whether a TLS handshake may block the processor. It prevents any Python code from running for up to 330 ms,
        in which a board without a hardware guard could not open the contactor (boards/board.py).
        """
        return self._bearer.has_guard or self._exchange.report.phase not in CLOSED

    def _wait_for_open_contactor(self) -> None:
        """Wait until a handshake may begin."""
        while not (self._settings["plain_mqtt"] or self._may_stall() or self._stop or self.scan_wanted):
            self._watch(POLL_MS)

    def _talk(self) -> None:
        """Run one connection, from CONNECT until it fails, the settings change or a scan is requested."""
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
        """Request the next pieces of an update, if one is ordered, then wait. Called when no record is to be sent."""
        updates = self.updates
        question = updates.question() if updates else None
        if updates and question:
            try:
                if not mqtt.hears_pieces:
                    mqtt.subscribe(self._topic("piece"))
                    mqtt.hears_pieces = True
                self._send(mqtt, "ask", question)
            except MQTTException:  # the broker is older than updates and refuses the topic
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
        """Wait up to `ms`, and sample the signal when it is due. Raises NotRegistered, Moved and other errors of the modem."""
        self._exchange.turns += 1
        self.radio.watch(ms, self._exchange.report.contactor)

    def _failed(self, error: Exception) -> None:
        self.trouble = str(error) or repr(error)
        if isinstance(error, NotTrusted) and self.trouble != self._distrust:  # one event for any number of attempts
            self._distrust = self.trouble
            self._cloud.journal.note("security", {"broker": self.trouble[:TOLD_CHARS]})
        self._failures += 1
        try:
            idle = isinstance(error, OSError) and self._idle_span.died(self._silence_ms)
            blameless = idle or self._is_unheard  # the network has just carried a CONNACK
            self.network.lost(error, isinstance(error, OSError) and self._bearer.stream.answered, blameless)
            self.network.tend(self._exchange.report.contactor)
        except Moved as moved:  # the new network has no failures yet
            self.trouble = str(moved)
            self._failures = 0
        except ModemError as another:  # a recovery action failed: start again from the beginning
            self.trouble = str(another)

    def _again_ms(self, error: Exception) -> int:
        """Return the wait before the next attempt."""
        if self._is_unheard and isinstance(error, OSError):
            return backoff.unheard_ms(self._unheard, random.randint)
        return backoff.again_ms(self._failures, self._is_refused(error), random.randint)

    def _is_refused(self, error: Exception) -> bool:
        """Return whether the network or the broker refused the unit and would do so again. Each attempt costs a handshake of
        5 kB.
        """
        if isinstance(error, MQTTException):
            return bool(error.args[0] != UNAVAILABLE)
        if isinstance(error, CommandError):
            return self.network.is_failing()
        return isinstance(error, WrongCertificate)

    def _rest(self, ms: int) -> None:
        """Wait before the next attempt, and sample the signal. A requested scan ends the wait."""
        until_ms = self._clock.now_ms() + ms
        try:
            while self._clock.now_ms() < until_ms and not (self._stop or self.scan_wanted):
                self._watch(min(POLL_MS, until_ms - self._clock.now_ms()))
        except (OSError, ModemError) as error:  # the next attempt handles the error
            self.trouble = str(error)


def keepalive_s(heartbeat_s: int) -> int:
    """Return the keep-alive interval for CONNECT. It exceeds the heartbeat interval, so that no pings are needed."""
    return min(2 * heartbeat_s, max(KEEPALIVE_S, heartbeat_s + KEEPALIVE_SPARE_S))
