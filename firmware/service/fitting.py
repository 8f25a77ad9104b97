"""Console commands for an installer or a test rig: `config`, `unlock`, `clear`, `selftest`, `reboot`."""

from firmware.errors import CommandRefused
from firmware.lazy_import import LazyImport

if False:  # for mypy alone
    from firmware.charge_point import ChargePoint


def answer_config(unit: "ChargePoint", argument: str) -> "list[str]":
    return ["%s %s" % (name, unit.settings.shown(name)) for name in unit.settings.names()]


def answer_unlock(unit: "ChargePoint", argument: str) -> "list[str]":
    unit.installer_lock.unlock(argument)
    with LazyImport():
        from firmware.storage import bounds

        if 0 < len(unit.settings["installer_code"]) < bounds.CODE_MIN:
            return ["warning installer_code has fewer than %d characters; set a longer one" % bounds.CODE_MIN]
    return []


def answer_clear(unit: "ChargePoint", argument: str) -> "list[str]":
    unit.clear_faults()
    return []


def answer_selftest(unit: "ChargePoint", argument: str) -> "list[str]":
    """Request the self-test of the residual current sensor; refused while charging. A failure appears in `faults`."""
    if unit.exchange.report.contactor:
        raise CommandRefused("charging; pause or unplug first")
    unit.test_rcd()
    return []


def answer_reboot(unit: "ChargePoint", argument: str) -> "list[str]":
    if unit.exchange.report.contactor:
        raise CommandRefused("charging; unplug first")
    unit.restart()
    return []
