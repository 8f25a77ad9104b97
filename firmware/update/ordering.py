"""How an update begins: by a command of the cloud, or by what lies in the flash at the start."""

import sys

from firmware.errors import CommandRefused
from firmware.storage import record_file
from firmware.update.updates import FILE, Updates

if False:  # for mypy alone
    from typing import Any

    from firmware.charge_point import ChargePoint


def order(unit: "ChargePoint", wanted: "dict[str, Any]") -> None:
    """The cloud wants this release installed: {"v", "h", "m", "r"}, or none (`v` ""). Raises CommandRefused; OSError if the
    flash fails.
    """
    updates = unit.updates or _begin(unit)
    if updates is None and wanted["v"]:
        raise CommandRefused("this unit takes no updates over the air")
    if updates is None:
        return  # of nothing, nothing is withdrawn
    if not wanted["v"]:
        updates.withdraw()
    elif not wanted["h"] or not wanted["m"]:
        raise CommandRefused("bad h or m")
    else:
        updates.take_order(wanted)
        unit.keep_updates(updates)


def resume(unit: "ChargePoint") -> "Updates | None":
    """What was begun before this start; None if there is nothing to do."""
    updates = _begin(unit)
    return updates if updates and updates.is_needed() else None


def progress(unit: "ChargePoint") -> "tuple[dict[str, Any] | None, str]":
    """(what was ordered, with why it was refused, or None; how far it is), for people."""
    updates = unit.updates
    if updates is None:
        return record_file.load(unit.flash() + FILE), "-"
    transfer = updates.transfer
    return updates.order, "%s %d of %d" % (updates.doing, transfer.at, transfer.total) if transfer else updates.doing


def _begin(unit: "ChargePoint") -> "Updates | None":
    """None where no starter has chosen what runs (boards/stock/starter.py): it could not choose another one either."""
    starter = sys.modules.get("starter")
    return Updates(unit, starter.started) if starter else None
