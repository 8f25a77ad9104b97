"""The console command `update`: the running version, its slot, and the progress of an update."""

import sys

from firmware.errors import CommandRefused
from firmware.update import ordering, slots
from firmware.version import VERSION

if False:  # for mypy alone
    from firmware.charge_point import ChargePoint


def answer_update(unit: "ChargePoint", argument: str) -> "list[str]":
    """`update` shows the progress; `update stop` withdraws the cloud's order for an update, until the cloud sends another."""
    if argument == "stop":
        unit.installer_lock.check(("installer_code",))
        ordering.order(unit, {"v": ""})
    elif argument:
        raise CommandRefused("update, or update stop")
    starter, record = sys.modules.get("starter"), slots.load(unit.flash())
    lines = [
        "version %s" % VERSION,
        "slot %s" % (starter.started if starter else "-"),
        "state %s" % record["state"],
        "strikes %d" % record["strikes"],
        "before %s" % record["before"],
    ]
    order, doing = ordering.progress(unit)
    if order:
        lines.append("ordered %s" % order["v"])
        lines.append("refused %s" % (order["refused"] or "-"))
    return lines + ["doing %s" % doing]
