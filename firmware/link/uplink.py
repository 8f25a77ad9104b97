"""From the modem's supply to an acknowledged heartbeat, and back to the beginning whenever something fails.

Straight-line blocking code, run for ever by the main thread. Nothing here can touch the charging: the control thread
goes on, and `controller.link_proven` is all that it learns.

    offline -> modem (answers) -> registered -> connected (CONNACK) -> proven (one publish acknowledged)
"""

import random

from umqtt.simple import MQTTException

from firmware.lazy_import import LazyImport
from firmware.link import backoff, messages
from firmware.link.heartbeat_timer import HeartbeatTimer
from firmware.link.mqtt import Mqtt
from firmware.link.network import TOLD_CHARS, Moved, Network
from firmware.link.radio_monitor import RadioMonitor
from firmware.link.secure import NotTrusted, SecureStream, WrongCertificate
from modem.client import Modem
from modem.errors import CommandError, ModemError, ModemHung
from modem.families import sim800
from modem.stream import Stream

STARTUP = "modem.startup"  # borrowed
STARTS = 3  # of a modem that does not answer: a pulse on PWRKEY may be missed, and is none of the day's supply cuts
UNAVAILABLE = 3  # CONNACK: the broker is there but cannot serve now (MQTT 3.1.1, table 3.1)
POLL_MS = 250  # how late a change of state is noticed
PING_MS = (
    300000  # of silence, which only a long heartbeat interval leaves: networks forget idle connections [unverified]
)


class Uplink:
    """`state` and `trouble` (why it failed last) are for the console. `turns` are fresh marks for the supervisor, one for each
    wait and each acknowledged message, but none for a beginning: a mistake of ours may end every one of them.
    """

    def __init__(
        self,
        board,
        clock,
        wall_clock,
        settings,
        controller,
        control_loop,
        journal,
        trust,
        flash_fails,
        obey,
        time_is,
        first_wait_ms,
    ):
        """`flash_fails()` says whether the flash does not take what it should, `obey(payload)` takes each command from the
        cloud and must not raise, `time_is(epoch_s, who)` what time it is.
        """
        self.state = "offline"
        self.trouble = None
        self.turns = 0
        self.journal = journal
        self._trust = trust
        self._flash_fails = flash_fails
        self.scan_wanted = False  # set by whoever wants the networks looked for; the link is gone meanwhile
        self._obey = obey
        self._first_wait_ms = first_wait_ms
        self._distrust = None  # why the broker was not trusted, as it was told last
        self._board = board
        self._clock = clock
        self._settings = settings
        self._controller = controller
        self._control_loop = control_loop
        self._wall_clock = wall_clock
        self._modem = Modem(board.modem_port, clock, sim800)
        self._stream = Stream(self._modem, clock)  # once, while the heap is young: its buffer needs room in one piece
        self.network = Network(self._modem, board.modem_power, clock, journal, board.flash)
        self.radio = RadioMonitor(self._modem, self.network, clock, time_is)
        self._started = False  # the modem has its supply
        self._failures = 0  # in a row, since the link was proven last
        self._stop = False

    def reconnect(self):
        """The settings have changed: begin again with the new ones."""
        self._stop = True

    def run(self):
        """For ever."""
        while True:
            self._stop = False
            try:
                self._start_modem()
                if self.scan_wanted:
                    self.scan_wanted = False
                    self.network.look_around()
                self._join()
                if self._settings.provisioned():
                    self._let_others_go_first()
                    self._talk()
                else:
                    self._show_signal()
            except Moved as moved:
                self.trouble = str(moved)
            except (OSError, ModemError, MQTTException) as error:
                self._failed(error)
                self._rest(backoff.again_ms(self._failures, self._is_refused(error), random.randint))

    def _start_modem(self):
        """Once: whoever switched us off and on expects us back. What it needs that fails later is recovery's to decide."""
        if self._started:
            return
        self._started = True
        self.state = "offline"
        with LazyImport(STARTUP) as startup:
            for start in range(1, STARTS + 1):
                try:
                    startup.power_cycle(self._modem, self._board.modem_power)
                    break
                except ModemHung:
                    if start == STARTS:
                        raise
            startup.configure(self._modem)

    def _join(self):
        self.state = "modem"
        with LazyImport(STARTUP) as startup:
            startup.wait_for_sim(self._modem)
            startup.wait_for_network(self._modem)
            self.state = "registered"
            self.radio.joined()
            startup.open_pdp_context(self._modem, self._settings["apn"])

    def _show_signal(self):
        """Nobody to call yet: what there is to do is to show an installer the signal."""
        while not (self._stop or self.scan_wanted):
            self._watch(POLL_MS)

    def _let_others_go_first(self):
        """Once, where the mains came back to many of us."""
        until_ms = self._clock.now_ms() + self._first_wait_ms
        self._first_wait_ms = 0
        while self._clock.now_ms() < until_ms and not (self._stop or self.scan_wanted):
            self._watch(POLL_MS)

    def _talk(self):
        """One connection, from CONNECT until it fails or the settings change."""
        settings = self._settings
        keepalive_s = 2 * settings["heartbeat_idle_s"]  # a heartbeat is a sign of life: no pings beside it
        plain = settings["plain_mqtt"]
        mqtt = Mqtt(
            self._stream if plain else SecureStream(self._stream, self._trust, self._clock),
            self._clock,
            settings["id"],
            settings["secret"],
            settings["broker"],
            settings["port"],
            keepalive_s,
        )
        mqtt.set_last_will(self._topic("lwt"), b"offline", qos=1)
        try:
            mqtt.connect()
            mqtt.subscribe(self._topic("command"), qos=1)
            self.state = "connected"
            self.network.proved()
            self._serve(mqtt)
        finally:
            self._controller.link_proven = False
            self.state = "registered"
            mqtt.disconnect()

    def _serve(self, mqtt):
        timer = HeartbeatTimer(self._settings["heartbeat_idle_s"], self._settings["heartbeat_charging_s"])
        while not (self._stop or self.scan_wanted):
            report = self._controller.report
            if timer.due(self._clock.now_ms(), report):
                self._send(mqtt, "heartbeat", self._heartbeat(report))
                timer.told(self._clock.now_ms(), report)
            record = self.journal.oldest()
            if record:
                self._send(mqtt, *self.journal.message(record))
                self.journal.acknowledged(record)
            else:
                self._watch(POLL_MS)
            if self._clock.now_ms() - mqtt.heard_ms >= PING_MS:
                mqtt.ping()
            mqtt.check_msg()
            while mqtt.incoming:
                self._obey(mqtt.incoming.pop(0)[1])
            if mqtt.dropped:
                self.journal.note("dropped", {"commands": mqtt.dropped})
                mqtt.dropped = 0

    def _send(self, mqtt, kind, payload):
        """Publish and wait for the acknowledgement, which proves the link."""
        mqtt.publish(self._topic(kind), payload, qos=1)
        self.turns += 1
        self.state = "proven"
        self.trouble = self._distrust = None
        self._failures = 0
        self._controller.link_proven = True

    def _heartbeat(self, report):
        journal = self.journal
        return messages.heartbeat(
            journal.next_sequence(),
            journal.boot,
            self._wall_clock.now(),
            report,
            self.radio.csq,
            self.radio.operator,
            self._control_loop.take_worst_ms(),
            self._troubles(),
            journal.dropped(),
        )

    def _troubles(self):
        if self._settings["plain_mqtt"]:
            yield "plain_mqtt"
        if self._flash_fails():
            yield "flash"

    def _topic(self, kind):
        return "cp/%s/%s" % (self._settings["id"], kind)

    def _watch(self, ms):
        """Wait, with an eye on the signal. Raises NotRegistered and Moved."""
        self.turns += 1
        self.radio.watch(ms, self._controller.report.contactor)

    def trace(self):
        """The last of the dialogue with the modem, as lines; for the console."""
        return self._modem.trace.lines()

    def _failed(self, error):
        self.trouble = str(error) or repr(error)
        if isinstance(error, NotTrusted) and self.trouble != self._distrust:  # one event, however often we try
            self._distrust = self.trouble
            self.journal.note("security", {"broker": self.trouble[:TOLD_CHARS]})
        self._failures += 1
        try:
            self.network.lost(error, isinstance(error, OSError) and self._stream.answered)
            self.network.tend(self._controller.report.contactor)
        except Moved as moved:  # the next network has failed nothing yet
            self.trouble = str(moved)
            self._failures = 0
        except ModemError as another:  # a remedy that failed: from the beginning
            self.trouble = str(another)

    def _is_refused(self, error):
        """Whether somebody said no who will say so again: the network, or a broker; each time costs 5 kB of handshake."""
        if isinstance(error, MQTTException):
            return error.args[0] != UNAVAILABLE
        if isinstance(error, CommandError):
            return self.network.is_failing()
        return isinstance(error, WrongCertificate)

    def _rest(self, ms):
        """Wait before the next attempt, with an eye on signal and networks; nobody who wants a scan waits for that."""
        until_ms = self._clock.now_ms() + ms
        try:
            while self._clock.now_ms() < until_ms and not (self._stop or self.scan_wanted):
                self._watch(min(POLL_MS, until_ms - self._clock.now_ms()))
        except (OSError, ModemError) as error:  # what is wrong now is the next attempt's to find
            self.trouble = str(error)
