"""Console commands for the mobile network: `csq`, `network`, `networks`, `scan`, `trace`."""

from modem import signal

if False:  # for mypy alone
    from firmware.charge_point import ChargePoint


def answer_csq(unit: "ChargePoint", argument: str) -> "list[str]":
    air = unit.link.radio
    air.watch_closely()
    csq, (area, cell) = air.csq, air.cell
    dbm = signal.dbm_from_csq(csq)
    verdict = signal.UNKNOWN if csq == signal.NO_READING else signal.PASS if signal.passes(csq) else signal.FAIL
    return [
        "csq %d" % csq,
        "dbm %s" % ("-" if dbm is None else dbm),
        "operator %s" % (air.operator or "-"),
        "cell %s" % ("-" if area is None or cell is None else "%04X-%04X" % (area, cell)),
        "sample %d" % air.sample,
        "verdict %s" % verdict,
    ]


def answer_network(unit: "ChargePoint", argument: str) -> "list[str]":
    return unit.link.network.lines()


def answer_networks(unit: "ChargePoint", argument: str) -> "list[str]":
    network = unit.link.network
    lines = ["scan %s" % network.survey_state]
    for one, name, count in network.survey:
        csq = "-" if one.csq == signal.NO_READING else one.csq
        lines.append("network %s %s %d %s" % (one.plmn, csq, count, name or ""))
    return lines


def answer_scan(unit: "ChargePoint", argument: str) -> "list[str]":
    unit.link.scan()
    return []


def answer_trace(unit: "ChargePoint", argument: str) -> "list[str]":
    return unit.link.trace()
