"""What can be typed on the service console."""

if False:  # for mypy alone
    from firmware.charge_point import ChargePoint

COMMANDS = {
    "authority": "begin | add BASE64 | keep: the certificate authority that the broker must be of",
    "clear": "clear latched faults whose cause has gone",
    "commission": "[{...}] what an installer has found; the tool `commission` asks for it step by step",
    "config": "the settings",
    "csq": "the mobile signal and whether it is enough",
    "factoryreset": "ID a new secret, and its owner is forgotten; opened by unlock",
    "faults": "faults since boot, with counts",
    "health": "distances of the control loop's steps, flash writes, memory",
    "help": "this list",
    "identity": "[ID] makes a new unit's secret, and shows the SHA-256 of it alone",
    "inputs": "what the board reads now, by wire",
    "log": "[security] what happened lately, or what concerns security",
    "network": "what is known of networks, what was decided last, and why",
    "networks": "what the last scan heard: PLMN, CSQ, cells, name",
    "override": "on|off charge this session now",
    "provision": '{"name": value, ...} store settings; a unit without a secret makes one',
    "reboot": "restart the processor",
    "scan": "listen for every network; takes a minute or two, and the connection",
    "schedule": "[default|off|HOURS] hours to avoid",
    "selftest": "test the leakage sensor",
    "sessions": "[N] charging sessions, from number N on",
    "skipdelay": "end the present random delay",
    "status": "the unit now",
    "time": "[SECONDS] what time it is, UTC since 1970; tells it",
    "trace": "the last 4 kB of the dialogue with the modem, without secrets",
    "unlock": "CODE opens identity and installer's settings for 10 minutes",
    "update": "[stop] version, slot, and how far an update is; stop withdraws it",
    "why": "who rules the current, and everybody who has a say",
}


def answer_help(unit: "ChargePoint", argument: str) -> "list[str]":
    return ["%s %s" % (name, COMMANDS[name]) for name in sorted(COMMANDS)]
