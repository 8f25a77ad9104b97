"""The service console: what an installer does to a unit, or a rig in an installer's place."""

from firmware.errors import CommandRefused


def answer_config(unit, argument):
    return ["%s %s" % (name, unit.settings.shown(name)) for name in unit.settings.names()]


def answer_unlock(unit, argument):
    unit.installer_lock.unlock(argument)
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
