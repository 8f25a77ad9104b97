"""The status of a command in words. Pure."""

from cloud_bridge.charging_hours import stored
from cloud_bridge.store.commands import Command, CommandStatus
from cloud_bridge.web.presentation import in_force, words
from cloud_bridge.web.presentation.hours import in_words
from cloud_bridge.wire import LATEST_S
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

# Reasons that the firmware sends (link/commands), and their texts.
REASONS = {
    "nobody is at the charger: press its button first": N_("nobody is there: press its button, and send this again"),
    "time unknown": N_("it does not know the time yet, and this needs an end. Try again in a few minutes"),
    "expired": N_("it heard of it too late"),
    "repeated": N_("it had done that already"),
    "unknown command": N_("its firmware does not know this yet"),
    "no vehicle": N_("no vehicle is plugged in"),
    "a fault is set": N_("its light is red"),
    "rejected": N_("it rejects this, and does not say why"),  # of chargers that speak OCPP (ingest/ocpp/orders.py)
    "not supported": N_("this charger cannot do this"),
    "not possible": N_("this is not possible with this charger"),
}
UNDECIDED = {  # status without an answer: tone, text
    CommandStatus.WAITING: ("unsure", N_("Waiting for your charger's answer …")),
    CommandStatus.UNANSWERED: ("unsure", N_("Your charger has not answered. It may not have heard this: try again.")),
    CommandStatus.NOT_SENT: ("bad", N_("Not sent: your charger has no connection now. It goes on as before.")),
}


def described(command: Command, now_ms: int, time_zone: str, owner: in_force.Owner) -> dict[str, str]:
    """Describe a command: `tone`, `asked` and `outcome`. An accepted command does not necessarily set the current, so the
    outcome also says what is in force."""
    end_s = command.arguments.get("exp")
    if command.status is CommandStatus.UNREADABLE or not _has_arguments(command):
        return {
            "tone": "unsure",
            "asked": _("Your last choice cannot be shown"),
            "outcome": _("Its stored content is not valid. Your charger goes on as it was told."),
        }
    until = words.day_and_time(end_s * 1000, time_zone) if end_s else None
    answered = words.day_and_time(command.answered_ms, time_zone) if command.answered_ms is not None else ""
    told = None if command.result is None else in_force.of_result(command.result)
    rules = ""
    if told:
        rules = _("In force then: {wishes}.").format(wishes=in_force.answer(told, now_ms, time_zone, owner))
    match command.status:
        case CommandStatus.DONE:
            if command.do == "commission":
                accepted = _("The charger has accepted it, {time}. Its record follows.").format(time=answered)
                return {"tone": "good", "asked": _asked(command, until), "outcome": accepted}
            tone = "unsure" if told is None or told.delay_s or _is_overruled(command, told) else "good"
            accepted = _("Your charger has accepted it, {time}.").format(time=answered)
            outcome = f"{accepted} {rules or _('Its firmware does not tell what is in force.')}"
        case CommandStatus.REFUSED:
            refused = _("Your charger has refused it: {reason}.").format(reason=_reason(command.reason))
            tone, outcome = "bad", f"{refused} {rules}".rstrip()
        case _other:
            tone, outcome = UNDECIDED[command.status]
            outcome = _(outcome)
    return {"tone": tone, "asked": _asked(command, until), "outcome": outcome}


def _reason(said: str | None) -> str:
    """Return the reason in words. Reasons that are not in the table, such as a value out of range, are sentences already."""
    if not said:
        return _("it did not say why")
    return _(REASONS[said]) if said in REASONS else said


def _is_overruled(command: Command, told: in_force.InForce) -> bool:
    """Return True if the command was to charge now, and charging is nevertheless paused."""
    return command.do == "override" and bool(command.arguments.get("on")) and told.amps == 0


def _has_arguments(command: Command) -> bool:
    """Return True if the command has the arguments that its text needs, with the right types."""
    arguments = command.arguments
    end_s = arguments.get("exp")
    if end_s is not None and not (type(end_s) is int and 0 <= end_s <= LATEST_S):
        return False
    match command.do:
        case "schedule":
            return stored(arguments.get("hours")) is not None
        case "limit" | "commission":
            return type(arguments.get("amps")) in (int, float)
        case "override":
            return type(arguments.get("on")) is bool
    return True


def _asked(command: Command, until: str | None) -> str:
    arguments = command.arguments
    match command.do:
        case "schedule":
            return in_words(arguments["hours"])
        case "limit":
            said = _("At most {amps}") if until is None else _("At most {amps} until {time}")
            return said.format(amps=_("{amps} A").format(amps=arguments["amps"]), time=until)
        case "override":
            return _("Charge now") if arguments["on"] else _("Charge in your hours again")
        case "pause":
            return _("Pause") if until is None else _("Pause until {time}").format(time=until)
        case "resume":
            return _("No limit and no pause")
        case "skip_delay":
            return _("No random delay this time")
        case "stop":
            return _("End this charge")
        case "unlock":
            return _("Let go of the cable")
        case "commission":
            return _("Commissioning for {amps}").format(amps=_("{amps} A").format(amps=arguments["amps"]))
        case "reboot":
            return _("Start again")
        case other:
            said = other.capitalize()
            return said if until is None else _("{order} until {time}").format(order=said, time=until)
