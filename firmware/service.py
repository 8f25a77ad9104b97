"""The service console's commands about charging. Each takes (unit, argument) and returns lines of `name value`."""

from firmware.charging import schedule
from firmware.charging.limits import PRIORITY, WISHES, live
from firmware.control_loop import WITHIN_MS
from firmware.errors import CommandRefused

SESSIONS_SHOWN = 20
SECURITY_SHOWN = 20


def _why(unit, argument):
    """Who rules the current, then everybody who has a say, highest first."""
    controller = unit.controller
    ruling, claims = controller.report.ruling, controller.claims
    ceilings = dict(controller.ceilings)
    lines = ["amps %g" % ruling.amps, "rules %s" % ruling.source, "because %s" % ruling.why]
    for source, kind in PRIORITY:
        claim = live(claims, source, unit.clock.now_ms())
        if source in ceilings:
            lines.append("%s %s %g" % (kind, source, ceilings[source]))
        elif claim and source in WISHES:
            lines.append("%s %s %g %s" % (kind, source, claim.amps, claim.why))
    return lines


def _faults(unit, argument):
    """Every fault that is set or was set since boot."""
    lines = []
    for watch in unit.controller.faults.watches:
        if watch.count:
            state = "clear" if not watch.is_set else "needs_person" if watch.needs_person() else "set"
            at_s = unit.wall_clock.at(watch.set_ms)
            when = "boot+%d" % (watch.set_ms // 1000) if at_s is None else at_s
            lines.append(
                "%s %s %s count %d last %s" % (watch.fault.name, state, watch.fault.severity, watch.count, when)
            )
    return lines


def _sessions(unit, argument):
    """`sessions` the latest, `sessions N` from number N on."""
    if argument and not argument.isdigit():
        raise CommandRefused("give the number of the first session")
    log = unit.house.session_log
    first = int(argument) if argument else max(1, log.last_number() - SESSIONS_SHOWN + 1)
    return [
        "session %d start %s lasted_s %d charging_s %d energy_wh %d"
        % (stored.number, stored.start_s or "-", stored.lasted_s, stored.charging_s, stored.energy_wh)
        for stored in log.read(first, SESSIONS_SHOWN)
    ]


def _log(unit, argument):
    """What happened lately; `log security` what concerns security, also from before the last restart."""
    if argument == "security":
        entries = [(time_s, kind, details) for time_s, kind, details, _ in unit.log.security(SECURITY_SHOWN)]
    elif argument:
        raise CommandRefused("log, or log security")
    else:
        entries = [(unit.wall_clock.at(at_ms), kind, details) for at_ms, kind, details in unit.log.latest]
    return [
        "event %s %s %s" % (time_s or "-", kind, " ".join("%s=%s" % pair for pair in sorted(details.items())))
        for time_s, kind, details in entries
    ]


def _health(unit, argument):
    """How far apart the control loop's steps were since the start, and how often the flash was written."""
    loop = unit.control_loop
    lines = ["steps_within_ms %d %d" % pair for pair in zip(WITHIN_MS, loop.apart)]
    lines.append("steps_later %d" % loop.apart[-1])
    writes = unit.board.flash_writes()
    lines.append("flash_writes %s" % ("-" if writes is None else writes))
    lines.append("flash_refused %d" % (unit.house.lost_writes + unit.log.refused))
    return lines


def _schedule(unit, argument):
    """The owner's hours to avoid; offered until the owner has chosen."""
    if argument:
        if argument == "offer":
            raise CommandRefused("choose: schedule default, schedule off, or schedule %s" % schedule.DEFAULT)
        unit.settings.change({"schedule": argument})
        unit.journal.note("schedule", {"to": argument})
    return ["schedule %s" % (unit.settings["schedule"] or "offered"), "default %s" % schedule.DEFAULT]


def _override(unit, argument):
    if argument not in ("on", "off"):
        raise CommandRefused("override on, or override off")
    why = unit.house.override(argument == "on")
    if why:
        raise CommandRefused(why)
    return []


def _skip_delay(unit, argument):
    unit.house.wishes.skip_delay(unit.clock.now_ms())
    return []


def _selftest(unit, argument):
    """The leakage sensor's self-test, while nothing charges; its end shows in `faults`."""
    if unit.controller.report.contactor:
        raise CommandRefused("charging; pause or unplug first")
    unit.controller.test_wanted = True
    return []


def _time(unit, argument):
    """What time the unit thinks it is, UTC; a person may tell it where no network does."""
    if argument:
        if not argument.isdigit():
            raise CommandRefused("give the seconds since 1970, UTC")
        unit.time_is(int(argument), "console")
    now_s = unit.wall_clock.now()
    return ["time %s" % ("unknown" if now_s is None else now_s)]


def _unlock(unit, argument):
    unit.lock.unlock(argument)
    return []


COMMANDS = {
    "why": (_why, "who rules the current, and everybody who has a say"),
    "faults": (_faults, "faults since boot, with counts"),
    "sessions": (_sessions, "[N] charging sessions, from number N on"),
    "log": (_log, "[security] what happened lately, or what concerns security"),
    "health": (_health, "distances of the control loop's steps, flash writes"),
    "schedule": (_schedule, "[default|off|HOURS] hours to avoid"),
    "override": (_override, "on|off charge this session now"),
    "skipdelay": (_skip_delay, "end the present random delay"),
    "selftest": (_selftest, "test the leakage sensor"),
    "time": (_time, "[SECONDS] what time it is, UTC since 1970; tells it"),
    "unlock": (_unlock, "CODE opens the installer's settings for 10 minutes"),
}
