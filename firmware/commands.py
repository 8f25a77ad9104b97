"""Carries out the commands of the cloud (link/commands.py), each of them once, and answers each with a result.

The result of a command about the current also has the ruling that is then in force, because the command's claim may not be the
one that rules.
"""

import binascii

from firmware.charging import limits
from firmware.charging.limits import PAUSE_A, Claim
from firmware.errors import CommandRefused, SettingError
from firmware.link import commands
from firmware.link.commands import CONFIGURABLE, Refused
from firmware.storage import authority_change, record_file
from firmware.wall_clock import CLOUD

if False:  # for mypy alone
    from firmware.charge_point import ChargePoint
    from firmware.link.commands import Command

FILE = "/orders"  # IDs of the commands that were carried out
WHY_MAX = 100  # characters of a result's reason, which may quote the command: it must fit into a record of the outbox
FLASH_FULL = "flash write failed"
WISHES = ("limit", "pause", "resume", "override", "clear_override", "schedule", "skip_delay")


class Commands:
    def __init__(self, unit: "ChargePoint") -> None:
        self._unit = unit
        self._path = unit.flash() + FILE
        stored = record_file.load(self._path)
        self._done: list[str] = stored if isinstance(stored, list) else []

    def take(self, payload: bytes) -> None:
        """Carry out or refuse one command from the cloud, and record its result in either case. Never raises."""
        answer = self._unit.journal.answer
        why = None
        try:
            command = commands.read(payload, self._unit.wall_clock.now(), self._done)
            self._remember(command.id)
            CARRY_OUT[command.do](self._unit, command)
        except Refused as refused:
            answer(refused.id, False, refused.why)
            return
        except (CommandRefused, SettingError) as refused:
            why = str(refused)[:WHY_MAX]
        except OSError:
            why = FLASH_FULL
        answer(command.id, why is None, why, _in_force(self._unit) if command.do in WISHES else None)
        if command.do == "reboot" and why is None:
            self._unit.restart()  # the result is stored on the flash, and is sent after the restart

    def _remember(self, command_id: str) -> None:
        """Store the ID before the command is carried out; otherwise it might be carried out twice. Raises Refused."""
        done = commands.remember(self._done, command_id)
        try:
            record_file.save(self._path, done)
        except OSError:
            raise Refused(command_id, FLASH_FULL) from None
        self._done = done


def _in_force(unit: "ChargePoint") -> "limits.InForce | None":
    """Return the InForce of now; None before the first reading. To avoid a wait for the control loop, the ruling is made here,
    from the same ceilings and claims.
    """
    exchange, now_ms = unit.exchange, unit.wall_clock.now_ms()
    ceilings = exchange.report.ceilings
    if not ceilings:
        return None
    unit.renew_claims()
    ruling = limits.rule(ceilings, exchange.claims, now_ms)
    return limits.in_force(ruling, exchange.claims, exchange.delay_s, now_ms)


def _limit(unit: "ChargePoint", command: "Command") -> None:
    _claim(unit, "cloud", command, command.arguments["amps"], "ordered by the cloud")


def _pause(unit: "ChargePoint", command: "Command") -> None:
    _claim(unit, "cloud", command, PAUSE_A, "ordered by the cloud")


def _load_manager(unit: "ChargePoint", command: "Command") -> None:
    if not unit.settings["fallback_amps"]:
        raise CommandRefused("the installer has set no fallback_amps")
    _claim(unit, "load_manager", command, command.arguments["amps"], "what the house can spare")


def _claim(unit: "ChargePoint", source: str, command: "Command", amps: int, why: str) -> None:
    """Set a claim until the command expires, converted to uptime."""
    until_ms = unit.wall_clock.now_ms() + (command.exp - unit.wall_clock.now()) * 1000
    unit.claim(source, Claim(source, amps, until_ms, why, command.exp))


def _resume(unit: "ChargePoint", command: "Command") -> None:
    unit.claim("cloud", None)


def _override(unit: "ChargePoint", command: "Command") -> None:
    unit.override(command.arguments["on"])


def _clear_override(unit: "ChargePoint", command: "Command") -> None:
    unit.override(False)


def _schedule(unit: "ChargePoint", command: "Command") -> None:
    unit.settings.change({"schedule": command.arguments["hours"]})


def _delay(unit: "ChargePoint", command: "Command") -> None:
    unit.settings.change({"random_delay_max_s": command.arguments["s"]})


def _skip_delay(unit: "ChargePoint", command: "Command") -> None:
    unit.skip_delay()


def _commission(unit: "ChargePoint", command: "Command") -> None:
    """Commission the unit. Refused unless somebody is at the unit, and if the rating would rise: that needs the console."""
    from firmware import commissioning

    pressed_ms, amps = unit.exchange.pressed_ms, command.arguments["amps"]
    if pressed_ms is None or unit.wall_clock.now_ms() - pressed_ms >= commissioning.PRESENT_MS:
        raise CommandRefused("nobody is at the charger: press its button first")
    if unit.rating_a is not None and amps > unit.rating_a:
        raise CommandRefused("commissioned for %d A; more only on the console" % unit.rating_a)
    commissioning.commission(unit, command.arguments, "cloud")


def _reboot(unit: "ChargePoint", command: "Command") -> None:
    if unit.exchange.report.contactor:
        raise CommandRefused("charging")


def _rescan(unit: "ChargePoint", command: "Command") -> None:
    unit.link.scan()


def _time(unit: "ChargePoint", command: "Command") -> None:
    unit.set_time(command.arguments["t"], CLOUD)


def _config(unit: "ChargePoint", command: "Command") -> None:
    wanted = command.arguments["set"]
    for name in wanted:
        if name not in CONFIGURABLE:
            raise SettingError(name, "not for the cloud to set")
    unit.settings.change(wanted)
    unit.apply_settings()


def _authority(unit: "ChargePoint", command: "Command") -> None:
    """Trust a second authority too. The first stays trusted until `authority_only`, over a connection that the second
    verified, removes it.
    """
    authority, trust = unit.authority, unit.link.trust
    if trust.verified is None:
        raise CommandRefused("only over TLS")
    authority.entered = b""
    authority_change.enter(authority, command.arguments["der"])
    der = authority_change.entered(authority)
    if der not in authority.certificates():
        authority_change.add(trust, der)
        try:
            authority_change.keep_next(authority, der)
        except OSError:
            trust.digests.pop()
            raise
    authority_change.tell(authority, unit.note)


def _authority_only(unit: "ChargePoint", command: "Command") -> None:
    """Stop trusting the other authority. Refused unless the remaining authority verified this connection."""
    trust = unit.link.trust
    if trust.verified is None or binascii.hexlify(trust.verified).decode() != command.arguments["sha256"]:
        raise CommandRefused("this connection was not verified by that authority")
    authority_change.keep_only(unit.authority, trust.verified)
    trust.digests[:] = [trust.verified]
    authority_change.tell(unit.authority, unit.note)


def _update(unit: "ChargePoint", command: "Command") -> None:
    from firmware.update import ordering  # imported here, because only this command needs it

    ordering.order(unit, command.arguments)


CARRY_OUT = {
    "limit": _limit,
    "pause": _pause,
    "resume": _resume,
    "load_manager": _load_manager,
    "override": _override,
    "clear_override": _clear_override,
    "schedule": _schedule,
    "delay": _delay,
    "skip_delay": _skip_delay,
    "commission": _commission,
    "reboot": _reboot,
    "rescan": _rescan,
    "time": _time,
    "config": _config,
    "authority": _authority,
    "authority_only": _authority_only,
    "update": _update,
}
