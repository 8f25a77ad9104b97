"""Carries out what the cloud orders (link/commands.py), once, and answers each order with a result."""

from firmware.charging.limits import PAUSE_A, Claim
from firmware.errors import CommandRefused, SettingError
from firmware.link import commands
from firmware.link.commands import CONFIGURABLE, Refused
from firmware.storage import record_file

FILE = "/orders"  # ids that were carried out
WHY_MAX = 100  # characters of an answer's reason, which may quote the order: it must fit into a record of the outbox
FLASH_FULL = "the flash takes nothing"


class Orders:
    """`unit` is app.Unit: the parts that are ordered about."""

    def __init__(self, unit, folder):
        self._unit = unit
        self._path = folder + FILE
        stored = record_file.load(self._path)
        self._done = stored if isinstance(stored, list) else []

    def take(self, payload):
        """Obey one message from the cloud, or refuse it; answered in any case. Never raises."""
        answer = self._unit.journal.answer
        try:
            command = commands.read(payload, self._unit.wall_clock.now(), self._done)
            self._remember(command.id)
            OBEY[command.do](self._unit, command)
        except Refused as refused:
            answer(refused.id, False, refused.why)
        except (CommandRefused, SettingError) as refused:
            answer(command.id, False, str(refused)[:WHY_MAX])
        except OSError:
            answer(command.id, False, FLASH_FULL)
        else:
            answer(command.id, True, None)
            if command.do == "reboot":
                self._unit.board.reset()  # the answer is on flash, and is sent when we are back

    def _remember(self, command_id):
        """Before anything is done: what cannot be remembered could be done twice."""
        done = commands.remember(self._done, command_id)
        try:
            record_file.save(self._path, done)
        except OSError:
            raise Refused(command_id, FLASH_FULL) from None
        self._done = done


def _limit(unit, command):
    amps = command.arguments["amps"]
    unit.persistence.claims.cloud = Claim("cloud", amps, _until_ms(unit, command), "ordered by the cloud", command.exp)


def _pause(unit, command):
    unit.persistence.claims.cloud = Claim(
        "cloud", PAUSE_A, _until_ms(unit, command), "ordered by the cloud", command.exp
    )


def _load_manager(unit, command):
    if not unit.settings["fallback_amps"]:
        raise CommandRefused("the installer has set no fallback_amps")
    amps = command.arguments["amps"]
    until_ms = _until_ms(unit, command)
    unit.persistence.claims.load_manager = Claim(
        "load_manager", amps, until_ms, "what the house can spare", command.exp
    )


def _until_ms(unit, command):
    """The end of a command on the unit's own clock."""
    return unit.clock.now_ms() + (command.exp - unit.wall_clock.now()) * 1000


def _resume(unit, command):
    unit.persistence.claims.cloud = None


def _override(unit, command):
    why = unit.persistence.override(command.arguments["on"])
    if why:
        raise CommandRefused(why)


def _clear_override(unit, command):
    unit.persistence.override(False)


def _schedule(unit, command):
    unit.settings.change({"schedule": command.arguments["hours"]})


def _delay(unit, command):
    unit.settings.change({"random_delay_max_s": command.arguments["s"]})


def _reboot(unit, command):
    if unit.controller.report.contactor:
        raise CommandRefused("charging")


def _rescan(unit, command):
    unit.uplink.scan_wanted = True


def _time(unit, command):
    unit.time_is(command.arguments["t"], "cloud")


def _config(unit, command):
    wanted = command.arguments["set"]
    for name in wanted:
        if name not in CONFIGURABLE:
            raise SettingError(name, "not for the cloud to set")
    unit.settings.change(wanted)
    unit.apply_settings()


OBEY = {
    "limit": _limit,
    "pause": _pause,
    "resume": _resume,
    "load_manager": _load_manager,
    "override": _override,
    "clear_override": _clear_override,
    "schedule": _schedule,
    "delay": _delay,
    "reboot": _reboot,
    "rescan": _rescan,
    "time": _time,
    "config": _config,
}
