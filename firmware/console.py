"""The service console on USB serial, for an installer's laptop and for a rig: one command a line.

A reply is lines of `name value`, then `ok`; or one line `error` and what to do. It is served in the pauses of the
communication thread, never by the control loop, so no flood of commands can touch the charging.
"""

import gc
import json

from firmware import service
from firmware.errors import CommandRefused, SettingError
from firmware.storage import settings as known
from modem import signal

LINE_MAX = 512  # bytes of one command


class Console:
    def __init__(self, port, unit):
        self._port = port
        self._unit = unit
        self._line = b""
        self.overlong = 0  # lines thrown away
        self._busy = False

    def poll(self):
        """Answer what was typed since the last call; never waits for more. Called in every pause of the link."""
        if self._busy:  # an answer that waits for the line polls again
            return
        self._busy = True
        try:
            self._take(self._port.read())
        except OSError:
            pass  # nobody reads the console: its answer is lost, nothing else is
        finally:
            self._busy = False

    def _take(self, typed):
        for byte in typed:
            if byte in b"\r\n":
                line, self._line = self._line, b""
                if len(line) > LINE_MAX:
                    self.overlong += 1
                    self._say(["error the line is longer than %d bytes" % LINE_MAX])
                elif line.strip():
                    self._say(self._answer(line))
            elif len(self._line) <= LINE_MAX:
                self._line += bytes((byte,))

    def _answer(self, line):
        try:
            name, _, argument = line.decode().strip().partition(" ")
            if name not in COMMANDS:
                raise CommandRefused("no command %s; try help" % name)
            return COMMANDS[name][0](self._unit, argument.strip()) + ["ok"]
        except UnicodeError:
            return ["error the line is not text"]
        except (CommandRefused, SettingError) as refused:
            return ["error %s" % refused]

    def _say(self, lines):
        self._port.write("".join(line + "\r\n" for line in lines).encode())


def _help(unit, argument):
    return ["%s %s" % (name, says) for name, (_, says) in sorted(COMMANDS.items())]


def _status(unit, argument):
    report, uplink = unit.controller.report, unit.uplink
    lines = [
        "id %s" % (unit.settings["id"] or "-"),
        "pilot %s" % (report.state or "-"),
        "phase %s" % report.phase,
        "mode %s" % report.mode,
        "contactor %s" % ("closed" if report.contactor else "open"),
        "amps %g" % report.amps,
        "limited_by %s" % report.ruling.source,
        "because %s" % report.ruling.why,
        "schedule %s" % (unit.settings["schedule"] or "offered"),
        "faults %s" % (",".join(report.faults) or "-"),
        "csq %d" % uplink.csq,
        "dbm %s" % _dbm(uplink.csq),
        "operator %s" % (uplink.operator or "-"),
        "link %s" % uplink.state,
        "trouble %s" % (uplink.trouble or "-"),
        "session %s" % (report.session.number if report.session else "-"),
        "session_wh %d" % report.session_wh,
        "boots %d" % unit.journal.boot,
        "uptime_ms %d" % unit.clock.now_ms(),
        "loop_worst_ms %d" % unit.control_loop.worst_ms,
        "heap_free %d" % gc.mem_free(),
        "crashes %d" % unit.crashes,
        "outbox %d" % unit.outbox.waiting(),
        "events_dropped %d" % (unit.controller.events.dropped + unit.outbox.dropped),
    ]
    if report.total_wh is not None:  # the meter was read
        lines.append("total_wh %d" % report.total_wh)
    return lines


def _csq(unit, argument):
    csq = unit.uplink.csq
    unit.uplink.watch_closely()
    verdict = signal.UNKNOWN if csq == signal.NO_READING else signal.PASS if signal.passes(csq) else signal.FAIL
    cell = unit.uplink.cell
    return [
        "csq %d" % csq,
        "dbm %s" % _dbm(csq),
        "operator %s" % (unit.uplink.operator or "-"),
        "cell %s" % ("-" if None in cell else "%04X-%04X" % cell),
        "sample %d" % unit.uplink.sample,
        "verdict %s" % verdict,
    ]


def _trace(unit, argument):
    return unit.uplink.trace()


def _scan(unit, argument):
    unit.uplink.network.survey_state = "wanted"
    unit.uplink.scan_wanted = True
    return []


def _networks(unit, argument):
    network = unit.uplink.network
    heard = ["network %s %d %d %s" % (one.plmn, one.csq, count, name or "") for one, name, count in network.survey]
    return ["scan %s" % network.survey_state] + heard


def _network(unit, argument):
    return unit.uplink.network.lines()


def _dbm(csq):
    dbm = signal.dbm_from_csq(csq)
    return "-" if dbm is None else dbm


def _provision(unit, argument):
    """Store settings given as one JSON object. Nothing of it is echoed: a secret may be among them."""
    try:
        wanted = json.loads(argument)
    except ValueError:
        raise CommandRefused("give the settings as one JSON object") from None
    if not isinstance(wanted, dict) or not wanted:
        raise CommandRefused("give the settings as one JSON object")
    unit.lock.check(wanted)
    unit.settings.change(wanted)
    unit.journal.note("settings", {"names": " ".join(sorted(wanted))})
    unit.apply_settings()
    return []


def _config(unit, argument):
    return ["%s %s" % (name, unit.settings.shown(name)) for name in sorted(known.TABLE)]


def _authority(unit, argument):
    """Whom the unit trusts with its secret; takes effect with the next connection."""
    step, _, text = argument.partition(" ")
    authority = unit.authority
    if step == "begin":
        authority.begin()
    elif step == "add":
        authority.add(text)
    elif step == "keep":
        authority.keep()
        unit.uplink.reconnect()
    elif step:
        raise CommandRefused("authority begin, authority add BASE64 as often as needed, then authority keep")
    return ["authority %s" % ("set" if authority.der() else "-")]


def _clear(unit, argument):
    unit.controller.clear_wanted = True
    return []


def _reboot(unit, argument):
    if unit.controller.report.contactor:
        raise CommandRefused("charging; unplug first")
    unit.board.reset()


COMMANDS = {
    "help": (_help, "this list"),
    "status": (_status, "the unit now"),
    "csq": (_csq, "the mobile signal and whether it is enough"),
    "network": (_network, "what is known of networks, what was decided last, and why"),
    "trace": (_trace, "the last 4 kB of the dialogue with the modem, without secrets"),
    "scan": (_scan, "listen for every network; takes a minute or two, and the connection"),
    "networks": (_networks, "what the last scan heard: PLMN, CSQ, cells, name"),
    "config": (_config, "the settings"),
    "provision": (_provision, '{"name": value, ...} store settings'),
    "authority": (_authority, "begin | add BASE64 | keep: the certificate authority that the broker must be of"),
    "clear": (_clear, "clear latched faults whose cause has gone"),
    "reboot": (_reboot, "restart the processor"),
}
COMMANDS.update(service.COMMANDS)
