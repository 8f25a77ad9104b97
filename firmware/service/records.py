"""Console commands for stored records: `sessions`, `log`."""

from firmware.errors import CommandRefused
from firmware.lazy_import import LazyImport

if False:  # for mypy alone
    from firmware.charge_point import ChargePoint

SESSIONS_SHOWN = 20
SECURITY_SHOWN = 20


def answer_sessions(unit: "ChargePoint", argument: str) -> "list[str]":
    """`sessions` answers with the latest sessions, `sessions N` with those from number N on."""
    if argument and not argument.isdigit():
        raise CommandRefused("give the number of the first session")
    with LazyImport():
        from firmware.storage import session_log

        log = session_log.SessionLog(unit.flash())
        first = int(argument) if argument else max(1, log.last_number() - SESSIONS_SHOWN + 1)
        return [
            "session %d start %s lasted_s %d charging_s %d energy_wh %d"
            % (stored.number, stored.start_s or "-", stored.lasted_s, stored.charging_s, stored.energy_wh)
            for stored in log.read(first, SESSIONS_SHOWN)
        ]


def answer_log(unit: "ChargePoint", argument: str) -> "list[str]":
    """`log` answers with the latest events, `log security` with security events, including those before the last restart."""
    log = unit.journal.log
    if log is None:
        raise CommandRefused("there is no log")
    if argument == "security":
        entries = [(time_s, kind, details) for time_s, kind, details, _ in log.security(SECURITY_SHOWN)]
    elif argument:
        raise CommandRefused("log, or log security")
    else:
        entries = [(unit.wall_clock.at(at_ms), kind, details) for at_ms, kind, details in log.latest()]
    return [
        "event %s %s %s" % (time_s or "-", kind, " ".join("%s=%s" % pair for pair in sorted(details.items())))
        for time_s, kind, details in entries
    ]
