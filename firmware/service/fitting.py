"""The service console: what an installer does to a unit, or a rig in an installer's place."""

import json

from firmware.errors import CommandRefused


def answer_config(unit, argument):
    return ["%s %s" % (name, unit.settings.shown(name)) for name in unit.settings.names()]


def answer_provision(unit, argument):
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


def answer_authority(unit, argument):
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


def answer_unlock(unit, argument):
    unit.lock.unlock(argument)
    return []


def answer_clear(unit, argument):
    unit.controller.clear_wanted = True
    return []


def answer_selftest(unit, argument):
    """The leakage sensor's self-test, while nothing charges; its end shows in `faults`."""
    if unit.controller.report.contactor:
        raise CommandRefused("charging; pause or unplug first")
    unit.controller.test_wanted = True
    return []


def answer_reboot(unit, argument):
    if unit.controller.report.contactor:
        raise CommandRefused("charging; unplug first")
    unit.board.reset()
