"""Console commands for the current state: `status`, `why`, `faults`, `health`, `inputs`."""

import gc
import time

from firmware import memory
from firmware.charging.exchange import WITHIN_MS
from firmware.charging.limits import CLAIM_SOURCES, PRIORITY, live
from firmware.errors import CommandRefused
from firmware.lazy_import import LazyImport
from modem import signal

if False:  # for mypy alone
    from firmware.charge_point import ChargePoint

LOOK_MS = 20  # a period of the control loop
LOOKS = 25  # longer than a flash erase, which may stop the loop for a third of a second


def answer_status(unit: "ChargePoint", argument: str) -> "list[str]":
    report, link, journal, settings = unit.exchange.report, unit.link, unit.journal, unit.settings
    csq, operator = (link.radio.csq, link.radio.operator) if link else (signal.NO_READING, None)
    dbm = signal.dbm_from_csq(csq)
    lines = [
        "id %s" % (settings and settings["id"] or "-"),
        "pilot %s" % (report.state or "-"),
        "phase %s" % report.phase,
        "mode %s" % report.mode,
        _commissioned(unit),
        "contactor %s" % ("closed" if report.contactor else "open"),
        "closings %d" % unit.exchange.closings,
        "amps %g" % report.amps,
        "limited_by %s" % report.ruling.source,
        "because %s" % report.ruling.why,
        "schedule %s" % (settings and settings["schedule"] or "offered"),
        "faults %s" % (",".join(report.faults) or "-"),
        "modem %s" % ("%s %s" % (link.modem.family.NAME, link.modem.model or "-") if link else "-"),
        "csq %d" % csq,
        "dbm %s" % ("-" if dbm is None else dbm),
        "operator %s" % (operator or "-"),
        "link %s" % (link.state if link else "-"),
        "trouble %s" % (link and link.trouble or "-"),
        "session %s" % (report.session.number if report.session else "-"),
        "session_wh %d" % report.session_wh,
        "boots %d" % (journal.boot if journal else 0),
        "uptime_ms %d" % (unit.wall_clock.now_ms() if unit.wall_clock else 0),
        "loop_worst_ms %d" % unit.exchange.worst_ms,
        "air_bytes %d" % (unit.health.traffic.air_bytes if unit.health.traffic else 0),
        "heap_free %d" % gc.mem_free(),
        "crashes %d" % unit.health.crashes,
        "outbox %d" % (journal.outbox.waiting() if journal else 0),
        "events_dropped %d" % (journal.dropped() if journal else 0),
    ]
    if report.total_wh is not None:  # the meter was read
        lines.append("total_wh %d" % report.total_wh)
    return lines + ["failed %s" % failure for failure in unit.health.failures]


def _commissioned(unit: "ChargePoint") -> str:
    with LazyImport():
        from firmware import commissioning

        return commissioning.status(unit)


def answer_why(unit: "ChargePoint", argument: str) -> "list[str]":
    """Answer with the ruling, then with all ceilings and valid claims in the order of PRIORITY."""
    report, claims = unit.exchange.report, unit.exchange.claims
    ruling, ceilings = report.ruling, dict(report.ceilings)
    lines = ["amps %g" % ruling.amps, "rules %s" % ruling.source, "because %s" % ruling.why]
    for source, kind in PRIORITY:
        claim = live(claims, source, unit.wall_clock.now_ms())
        if source in ceilings:
            lines.append("%s %s %g" % (kind, source, ceilings[source]))
        elif claim and source in CLAIM_SOURCES:
            lines.append("%s %s %g %s" % (kind, source, claim.amps, claim.why))
    return lines


def answer_faults(unit: "ChargePoint", argument: str) -> "list[str]":
    """Answer with every fault that is set or was set since the start."""
    lines = []
    for fault in unit.exchange.fault_history:
        state = "clear" if not fault.is_set else "needs_person" if fault.needs_person else "set"
        at_s = unit.wall_clock.at(fault.set_ms)
        when = "boot+%d" % (fault.set_ms // 1000) if at_s is None else at_s
        lines.append("%s %s %s count %d last %s" % (fault.name, state, fault.severity, fault.count, when))
    return lines


def answer_inputs(unit: "ChargePoint", argument: str) -> "list[str]":
    """Answer with the calibrated inputs of one step of the control loop; `-` is no reading, 1 is true."""
    exchange = unit.exchange
    exchange.inputs_wanted = True
    for _ in range(LOOKS):
        if not exchange.inputs_wanted:
            break
        time.sleep_ms(LOOK_MS)
    else:
        raise CommandRefused("the control loop does not answer; try again")
    return ["%s %s" % (name, _plain(value)) for name, value in sorted(exchange.inputs)]


def _plain(value: object) -> object:
    if value is None:
        return "-"
    return int(value) if isinstance(value, bool) else value


def answer_health(unit: "ChargePoint", argument: str) -> "list[str]":
    """Answer with the intervals between the control loop's steps since the start, the flash writes, and the free memory."""
    exchange = unit.exchange
    lines = ["steps_within_ms %d %d" % pair for pair in zip(WITHIN_MS, exchange.apart)]
    lines.append("steps_later %d" % exchange.apart[-1])
    lines.append("guard_openings %d" % exchange.guard_openings())
    writes = unit.flash_writes()
    lines.append("flash_writes %s" % ("-" if writes is None else writes))
    lines.append("flash_refused %d" % unit.health.refused_writes())
    lines.append("heap_free %d" % memory.free())
    lines.append("heap_block %d" % memory.largest_block())
    return lines
