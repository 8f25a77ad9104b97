"""The commissioning record: the installer's results, name and time. Imported only while the record is read or written.

Without a valid record, the unit charges at 6 A. A unit that was installed before records were introduced has none; the setting
`installer_max_a` is then the rating of its circuit. This setting is ignored once there is a record.
"""

import errno
import os

from firmware.charging.pilot import OFFER_MIN_A
from firmware.errors import CommandRefused
from firmware.storage import record_file
from firmware.version import VERSION
from modem import signal

if False:  # for mypy alone
    from typing import Any

    from firmware.charge_point import ChargePoint
    from firmware.storage.settings import Settings

FILE = "/commissioned"
RCD_TRIP_MAX_MS = 300  # BS 7671:2018+A2:2022, regulation 643.8, at the rated residual current [from memory]
PRESENT_MS = 600000  # for this long after a press of the button, somebody is assumed to be at the unit


def load(flash: str) -> "dict[str, Any] | None":
    """Return the record in the folder `flash`; {} if it is not valid, None if there is none."""
    path = flash + FILE
    try:
        if not os.stat(path)[6]:
            return None  # a power cut interrupted the first write: littlefs creates the file before its contents
    except OSError as error:
        return None if error.args[0] == errno.ENOENT else {}
    record = record_file.load(path)
    amps = record.get("amps") if isinstance(record, dict) else None
    return record if isinstance(amps, int) and amps >= OFFER_MIN_A else {}


def rating_a(flash: str, settings: "Settings") -> "int | None":
    """Return the rating of the circuit, A; None while the unit is not commissioned."""
    record = load(flash)
    if record is not None:
        return record.get("amps")
    before_a: int = settings["installer_max_a"]
    return before_a if before_a > OFFER_MIN_A else None


def status(unit: "ChargePoint") -> str:
    """Return the line `commissioned ...` of the console."""
    if unit.rating_a is None:
        missing = (
            "the record cannot be read" if load(unit.flash()) == {} else "circuit, earthing, polarity, RCD and signal"
        )
        return "commissioned no; 6 A until it is: %s" % missing
    return "commissioned %d A" % unit.rating_a


def commission(unit: "ChargePoint", steps: "dict[str, Any]", via: str) -> None:
    """Record the installer's `steps`, whose types link/commands.py has checked, and apply them. `via`: "console" or "cloud".

    Raises CommandRefused if something must be corrected first, and OSError if the flash fails. Nothing has changed then.
    """
    why = why_not(steps)
    if why:
        raise CommandRefused(why)
    record = dict(steps)
    record["via"], record["at"], record["v"] = via, unit.wall_clock.now(), VERSION
    record_file.save(unit.flash() + FILE, record)
    unit.commission(steps["amps"])
    unit.note(
        "commissioned",
        {
            "amps": steps["amps"],
            "earth": steps["earth"],
            "polarity": steps["polarity"],
            "rcd_ms": steps["rcd_ms"],
            "csq": steps["csq"],
            "boost": steps["boost"],
            "by": steps["by"],
            "via": via,
        },
    )


def why_not(steps: "dict[str, Any]") -> str | None:
    """Return what the installer must correct first, or None."""
    if not steps["polarity"]:
        return "polarity: live and neutral are exchanged; correct the supply first"
    if not 0 < steps["rcd_ms"] <= RCD_TRIP_MAX_MS:
        return "rcd_ms: the RCD must trip within %d ms; correct it first" % RCD_TRIP_MAX_MS
    if not signal.passes(steps["csq"]) and steps["boost"] != "ordered":
        return "csq: must be greater than %d; fit a signal boost, or order one" % signal.PASS_ABOVE_CSQ
    if not steps["by"].strip():
        return "by: who commissions it"
    return None
