"""What became of a command, in words for people. Pure."""

from cloud_bridge.charging_hours import stored
from cloud_bridge.store.commands import Command, CommandStatus
from cloud_bridge.web.presentation import in_force, words
from cloud_bridge.web.presentation.hours import in_words
from cloud_bridge.wire import LATEST_S

# The unit's reasons (link/commands of the firmware), for people.
REASONS = {
    "time unknown": "it does not know the time yet, and this needs an end. Try again in a few minutes",
    "expired": "it heard of it too late",
    "repeated": "it had done that already",
    "unknown command": "its firmware does not know this yet",
    "no vehicle": "no vehicle is plugged in",
    "a fault is set": "its light is red",
    "rejected": "it rejects this, and does not say why",  # of chargers that speak OCPP (ingest/ocpp/orders.py)
    "not supported": "this charger cannot do this",
    "not possible": "this is not possible with this charger",
}


def described(command: Command, now_ms: int, time_zone: str, owner: str) -> dict[str, str]:
    """A command: tone, what was asked, what became of it. That it was accepted is not that it rules: what was in force then is
    told as well."""
    end_s = command.arguments.get("exp")
    if command.status is CommandStatus.UNREADABLE or not _has_arguments(command):
        return {
            "tone": "unsure",
            "asked": "Your last choice cannot be shown",
            "outcome": "Its stored content is not valid. Your charger goes on as it was told.",
        }
    until = f" until {words.day_and_time(end_s * 1000, time_zone)}" if end_s else ""
    answered = words.day_and_time(command.answered_ms, time_zone) if command.answered_ms is not None else ""
    told = None if command.result is None else in_force.of_result(command.result)
    rules = f" In force then: {in_force.answer(told, now_ms, time_zone, owner)}." if told else ""
    accepted = rules or " Its firmware does not tell what is in force."
    tone, outcome = {
        CommandStatus.DONE: (
            "unsure" if told is None or told.delay_s or _is_overruled(command, told) else "good",
            f"Your charger has accepted it, {answered}.{accepted}",
        ),
        CommandStatus.REFUSED: (
            "bad",
            f"Your charger has refused it: {_reason(command.reason)}.{rules}",
        ),
        CommandStatus.WAITING: ("unsure", "Waiting for your charger's answer …"),
        CommandStatus.UNANSWERED: ("unsure", "Your charger has not answered. It may not have heard this: try again."),
        CommandStatus.NOT_SENT: ("bad", "Not sent: your charger has no connection now. It goes on as before."),
    }[command.status]
    return {"tone": tone, "asked": _asked(command, until), "outcome": outcome}


def _reason(said: str | None) -> str:
    """The unit's other reasons are sentences of its own, such as a value that is out of range."""
    return REASONS.get(said, said) if said else "it did not say why"


def _is_overruled(command: Command, told: in_force.InForce) -> bool:
    """Nothing is charged although it was to be charged now."""
    return command.do == "override" and bool(command.arguments.get("on")) and told.amps == 0


def _has_arguments(command: Command) -> bool:
    """Whether the arguments are those that the command is worded from."""
    arguments = command.arguments
    end_s = arguments.get("exp")
    if end_s is not None and not (type(end_s) is int and 0 <= end_s <= LATEST_S):
        return False
    match command.do:
        case "schedule":
            return stored(arguments.get("hours")) is not None
        case "limit":
            return type(arguments.get("amps")) in (int, float)
        case "override":
            return type(arguments.get("on")) is bool
    return True


def _asked(command: Command, until: str) -> str:
    arguments = command.arguments
    match command.do:
        case "schedule":
            return in_words(arguments["hours"])
        case "limit":
            return f"At most {arguments['amps']} A{until}"
        case "override":
            return "Charge now" if arguments["on"] else "Charge in your hours again"
        case "pause":
            return f"Pause{until}"
        case "resume":
            return "No limit and no pause"
        case "skip_delay":
            return "No random delay this time"
        case "stop":
            return "End this charge"
        case "unlock":
            return "Let go of the cable"
        case "reboot":
            return "Start again"
        case other:
            return other.capitalize() + until
