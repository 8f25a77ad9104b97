"""Starts an update, by a command of the cloud, or resumes it from the flash after a restart."""

import sys

from firmware.errors import CommandRefused
from firmware.storage import record_file
from firmware.update.updates import FILE, Updates

if False:  # for mypy alone
    from typing import Any

    from firmware.charge_point import ChargePoint


def order(unit: "ChargePoint", wanted: "dict[str, Any]") -> None:
    """Accept the cloud's order for a release: {"v", "h", "m", "r"}; `v` "" withdraws it. Raises CommandRefused; OSError if the
    flash fails.
    """
    updates = unit.updates or _begin(unit)
    if updates is None and wanted["v"]:
        raise CommandRefused("this unit takes no updates over the air")
    if updates is None:
        return  # there is nothing to withdraw
    if not wanted["v"]:
        updates.withdraw()
    elif not wanted["h"] or not wanted["m"]:
        raise CommandRefused("bad h or m")
    else:
        updates.take_order(wanted)
        unit.keep_updates(updates)


def resume(unit: "ChargePoint") -> "Updates | None":
    """Return the Updates to continue after a start; None if there is nothing to do."""
    updates = _begin(unit)
    return updates if updates and updates.is_needed() else None


def progress(unit: "ChargePoint") -> "tuple[dict[str, Any] | None, str]":
    """Return (the order with the reason if it was refused, or None; the progress as text for people)."""
    updates = unit.updates
    if updates is None:
        return record_file.load(unit.flash() + FILE), "-"
    transfer = updates.transfer
    return updates.order, "%s %d of %d" % (updates.doing, transfer.at, transfer.total) if transfer else updates.doing


def _begin(unit: "ChargePoint") -> "Updates | None":
    """Create the Updates. Return None if the image has no starter (boards/stock/starter.py) and so cannot change slots."""
    starter = sys.modules.get("starter")
    return Updates(unit, starter.started) if starter else None
