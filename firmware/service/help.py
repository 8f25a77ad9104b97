"""The console command `help`: the list of all commands."""

if False:  # for mypy alone
    from firmware.charge_point import ChargePoint

COMMANDS = {
    "authority": "begin | add BASE64 | keep: the authority that must certify the broker",
    "clear": "clear latched faults whose cause has ended",
    "commission": "[{...}] the installer's results; the tool `commission` asks step by step",
    "config": "the settings",
    "csq": "the mobile signal and whether it is enough",
    "factoryreset": "ID erase the owner's data, make a new secret; unlock first",
    "faults": "faults since boot, with counts",
    "health": "intervals of the control loop, flash writes, memory",
    "help": "this list",
    "identity": "[ID] make a new unit's secret; shows only its SHA-256",
    "inputs": "the current inputs of the board",
    "log": "[security] the latest events, or security events",
    "network": "the networks on record, the last decision, and why",
    "networks": "the last scan: PLMN, CSQ, cells, name",
    "override": "on|off charge this session now",
    "provision": '{"name": value, ...} store settings; a unit without a secret makes one',
    "reboot": "restart the processor",
    "scan": "find all networks; takes minutes, closes the connection",
    "schedule": "[default|off|HOURS] hours to avoid",
    "selftest": "test the leakage sensor",
    "sessions": "[N] charging sessions, from number N on",
    "skipdelay": "end the present random delay",
    "status": "the state of the unit",
    "time": "[SECONDS] show or set the time, UTC since 1970",
    "trace": "the last 4 kB of the dialogue with the modem, without secrets",
    "unlock": "CODE open identity and installer's settings for 10 minutes",
    "update": "[stop] version, slot, progress of an update; stop withdraws it",
    "why": "what limits the current: ruling, ceilings, claims",
}


def answer_help(unit: "ChargePoint", argument: str) -> "list[str]":
    return ["%s %s" % (name, COMMANDS[name]) for name in sorted(COMMANDS)]
