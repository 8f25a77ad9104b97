"""Console commands for the owner: `schedule`, `override`, `skipdelay`, `time`."""

from firmware.charging import schedule
from firmware.errors import CommandRefused
from firmware.wall_clock import CONSOLE

if False:  # for mypy alone
    from firmware.charge_point import ChargePoint


def answer_schedule(unit: "ChargePoint", argument: str) -> "list[str]":
    """Show or set the owner's hours to avoid; `offered` until the owner has chosen."""
    if argument:
        if argument == "offer":
            raise CommandRefused("choose: schedule default, schedule off, or schedule %s" % schedule.DEFAULT)
        unit.settings.change({"schedule": argument})
        unit.note("schedule", {"to": argument})
    return ["schedule %s" % (unit.settings["schedule"] or "offered"), "default %s" % schedule.DEFAULT]


def answer_override(unit: "ChargePoint", argument: str) -> "list[str]":
    if argument not in ("on", "off"):
        raise CommandRefused("override on, or override off")
    unit.override(argument == "on")
    return []


def answer_skipdelay(unit: "ChargePoint", argument: str) -> "list[str]":
    unit.skip_delay()
    return []


def answer_time(unit: "ChargePoint", argument: str) -> "list[str]":
    """Show the unit's time, UTC, or set it if no network provides it."""
    if argument:
        if not argument.isdigit():
            raise CommandRefused("give the seconds since 1970, UTC")
        unit.set_time(int(argument), CONSOLE)
    now_s = unit.wall_clock.now()
    return ["time %s" % ("unknown" if now_s is None else now_s)]
