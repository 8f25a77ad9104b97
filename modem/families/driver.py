"""What all modem families have in common: the commands of 3GPP TS 27.007 and ITU-T V.250, and no maker's.

It is enough to synchronise a modem at any speed, to ask for its model and to register it. A family extends it with its tables,
its way to data, and what it can tell beyond the standard. modem/contracts.pyi describes the tables and hooks. What is needed
for a moment at a time stands in a second module, NAME_setup.py, and is in memory only then.
"""

from modem import replies

if False:  # for mypy alone
    from typing import Any

    from modem.client import Modem
    from modem.contracts import CommandRow, Family

# Queries that only `Modem.resync` sends, so their responses are unambiguous: 27.007, 9.1 and 5.5, V.250, 6.2.10 and 6.2.12
RESYNC = ("+CMEE?", "+IPR?", "+IFC?", "+CSCS?")
RESYNC_TIMEOUT_MS = 2_000

DEFAULT_TIMEOUT_MS = 3_000  # of commands that a modem answers from memory
# The times are the longest of all families, with a margin. SIM800 Series AT Command Manual V1.12.
STANDARD_COMMANDS: "tuple[CommandRow, ...]" = (
    ("+COPS=?", 180_000, ("+COPS:", "("), (), None),  # p.78: 45 s; 2 to 3 min observed. One list over several lines
    ("+COPS=", 150_000, (), (), None),  # p.78: 120 s
    ("+CFUN=", 15_000, (), (), None),  # p.96: 10 s
    ("+CPIN=", 8_000, (), (), None),  # 5 s
    ("+CRSM=", 5_000, None, (), None),  # read or write a file of the SIM
    ("+CGATT=", 80_000, (), (), None),  # p.210: 70 to 75 s
    ("+CGACT=", 155_000, (), (), None),  # 150 s
    ("+CGMM", 3_000, ("",), (), None),
    ("+CGMR", 3_000, ("",), (), None),
    ("+CGSN", 3_000, ("",), (), None),
    ("+GSN", 3_000, ("",), (), None),
    ("+CIMI", 3_000, ("",), (), None),
    ("I", 3_000, ("",), (), None),
)

# What modems say by themselves, of every family: it may not be known yet which one this is. SIMCom's manuals of SIM800,
# SIM7000, SIM7070 and SIM7600, Quectel's of EC2x and M95; "PSM POWER DOWN" is from field logs [unverified].
TALK = (
    "RDY", "APP RDY", "*ATREADY", "Call Ready", "SMS Ready", "SMS DONE", "PB DONE",
    "PSM POWER DOWN", "NORMAL POWER DOWN", "POWERED DOWN", "APP PDP", "+APP PDP",
    "*PSNWID", "*PSUTTZ", "DST", "RING", "NO CARRIER", "VOICE CALL", "MISSED_CALL",
)  # fmt: skip

SEND_FAIL = "SEND FAIL"  # the end of the final result, of all families that have one

# What a line means to a connection (link_event):
OPENED = "opened"
REFUSED = "refused"  # by the other side: it, or its network, has answered
UNREACHED = "unreached"  # nobody has answered
LEFT_OPEN = "left open"  # this link is in use, by a connection that was opened before the processor restarted
DATA = "data"
CLOSED = "closed"  # by the other side, or by the modem
CONTEXT_LOST = "context lost"  # all connections of the modem are gone


def load(name: str) -> "Any":
    """Import modem/families/`name` and return it. Raises ImportError if there is no such module."""
    return __import__("modem.families." + name, None, None, (name,))


class Driver:
    """A modem of which nothing is known."""

    NAME = "driver"

    COMMANDS: "tuple[CommandRow, ...]" = ()

    URCS: "tuple[str, ...]" = ("RDY", "RING", "NO CARRIER", "+CFUN", "+CPIN", "+CREG", "+CGREG", "+CEREG")
    LINK_URCS: "tuple[str, ...]" = ()
    BOOTED: "tuple[str, ...]" = ("RDY",)
    VOLTAGE_URCS: "tuple[str, ...]" = ()

    # A pulse that switches each of the families on, and the longest of their boot times.
    PWRKEY_MS = 1_100
    BOOT_TIMEOUT_MS = 20_000

    REGISTRATION: "tuple[str, ...]" = ("AT+CGREG?",)

    def signal_quality(self, modem: "Modem") -> int:
        return modem.query("AT+CSQ", replies.signal_quality)[0]


FAMILY: "Family" = Driver()  # type: ignore[assignment]  # it has no way to data
