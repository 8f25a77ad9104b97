"""The base of all modem families: the commands of 3GPP TS 27.007 and ITU-T V.250, and none of a single maker.

The base driver can synchronise a modem at any speed, query its model and register it. A family extends it with its tables, its
data connections, and the values that it reports beyond the standard. modem/contracts.pyi describes the tables and hooks. Hooks
that are needed only briefly are in a second module, NAME_setup.py, which is in memory only while it is used.
"""

from modem import replies

if False:  # for mypy alone
    from typing import Any

    from modem.client import Modem
    from modem.contracts import CommandRow, Family

# Queries that only `Modem.resync` sends, so that their responses are unambiguous: 27.007, 9.1 and 5.5; V.250, 6.2.10 and
# 6.2.12
RESYNC = ("+CMEE?", "+IPR?", "+IFC?", "+CSCS?")
RESYNC_TIMEOUT_MS = 2_000

DEFAULT_TIMEOUT_MS = 3_000  # for commands that a modem answers from memory
# Each time is the longest of all families, with a margin. Page numbers: SIM800 Series AT Command Manual V1.12.
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

# Unsolicited lines of all families, because the family may not be known yet. Sources: SIMCom's manuals of SIM800, SIM7000,
# SIM7070 and SIM7600, Quectel's of EC2x and M95; "PSM POWER DOWN" is from field logs [unverified].
TALK = (
    "RDY", "APP RDY", "*ATREADY", "Call Ready", "SMS Ready", "SMS DONE", "PB DONE",
    "PSM POWER DOWN", "NORMAL POWER DOWN", "POWERED DOWN", "APP PDP", "+APP PDP",
    "*PSNWID", "*PSUTTZ", "DST", "RING", "NO CARRIER", "VOICE CALL", "MISSED_CALL",
)  # fmt: skip

SEND_FAIL = "SEND FAIL"  # the end of the final result, in all families that have this result

# Events of a connection (link_event):
OPENED = "opened"
REFUSED = "refused"  # by the peer or its network, so there was an answer
UNREACHED = "unreached"  # there was no answer
LEFT_OPEN = "left open"  # the link is in use by a connection that was opened before the processor restarted
DATA = "data"
CLOSED = "closed"  # by the peer, or by the modem
CONTEXT_LOST = "context lost"  # all connections of the modem are lost


def load(name: str) -> "Any":
    """Import modem/families/`name` and return it. Raises ImportError if there is no such module."""
    return __import__("modem.families." + name, None, None, (name,))


class Driver:
    """The driver of a modem whose family is not known."""

    NAME = "driver"

    COMMANDS: "tuple[CommandRow, ...]" = ()

    URCS: "tuple[str, ...]" = ("RDY", "RING", "NO CARRIER", "+CFUN", "+CPIN", "+CREG", "+CGREG", "+CEREG")
    LINK_URCS: "tuple[str, ...]" = ()
    BOOTED: "tuple[str, ...]" = ("RDY",)
    VOLTAGE_URCS: "tuple[str, ...]" = ()

    # A pulse that switches on a modem of any family, and the longest boot time of all families.
    PWRKEY_MS = 1_100
    BOOT_TIMEOUT_MS = 20_000

    REGISTRATION: "tuple[str, ...]" = ("AT+CGREG?",)

    def signal_quality(self, modem: "Modem") -> int:
        return modem.query("AT+CSQ", replies.signal_quality)[0]


FAMILY: "Family" = Driver()  # type: ignore[assignment]  # it has no data connections
