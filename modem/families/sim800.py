"""SIM800 family (SIM800L, SIM800C, SIM800H): tables only.

Page numbers are those of the SIM800 Series AT Command Manual V1.12. A time is the manual's "Max Response Time" with a
margin, since some are exceeded in the field; where the manual gives none, it is DEFAULT_TIMEOUT_MS.
"""

if False:  # for mypy alone
    from modem.contracts import CommandRow

NAME = "SIM800"

DEFAULT_TIMEOUT_MS = 3_000  # of commands that the modem answers from memory: CSQ, CREG, CCLK, CIPRXGET...

# (prefix of the command, timeout_ms, prefixes of its info lines, final results other than OK, final info line instead of OK)
# Info lines None: the name of the command. The longest prefix that matches applies. A command that is not listed has
# DEFAULT_TIMEOUT_MS and ends with OK; the info lines of a query begin with its name.
COMMANDS: "tuple[CommandRow, ...]" = (
    ("+COPS=?", 180_000, ("+COPS:", "("), (), None),  # p.78: 45 s; 2 to 3 min observed. One list over several lines
    ("+COPS=", 150_000, (), (), None),  # p.78: 120 s
    ("+CNETSCAN", 90_000, ("Operator:",), (), None),  # p.189: 45 s
    ("+CFUN=", 15_000, (), (), None),  # p.96: 10 s
    ("+CPIN=", 8_000, (), (), None),  # 5 s
    ("+CRSM=", 5_000, None, (), None),  # read or write a file of the SIM
    ("+CGATT=", 80_000, (), (), None),  # p.210: 70 to 75 s
    ("+CGACT=", 155_000, (), (), None),  # 150 s
    ("+CIICR", 90_000, (), (), None),  # 85 s
    ("+CIFSR", 3_000, ("",), (), ""),  # the response is an address, without OK
    ("+CIPSTART=", 80_000, (), (), None),  # 75 s with CIPMUX=1; CONNECT OK comes later, as a URC
    ("+CIPSTATUS", 3_000, ("STATE:", "C:"), (), "STATE:"),  # OK first. With CIPMUX=1 six rows follow: see LAST_LINK
    ("+CIPSTATUS=", 3_000, None, (), None),
    ("+CIPSEND=", 30_000, (), ("DATA ACCEPT:", "SEND OK", "SEND FAIL"), None),  # with CIPQSEND=1; else up to 645 s
    ("+CIPCLOSE", 10_000, (), ("CLOSE OK",), None),
    ("+CIPSHUT", 70_000, (), ("SHUT OK",), None),  # 65 s
    ("+CIPRXGET=2", 3_000, ("+CIPRXGET: 2,",), (), None),
    ("+CIPRXGET=4", 3_000, ("+CIPRXGET: 4,",), (), None),
    ("+CIPACK=", 3_000, None, (), None),
    ("+CDNSGIP=", 30_000, None, (), "+CDNSGIP:"),  # OK first
    ("+CPOWD=", 5_000, (), ("NORMAL POWER DOWN",), None),
    ("+CGMM", 3_000, ("",), (), None),
    ("+CGMR", 3_000, ("Revision",), (), None),
    ("+CGSN", 3_000, ("",), (), None),
    ("+GSN", 3_000, ("",), (), None),
    ("+CIMI", 3_000, ("",), (), None),
    ("I", 3_000, ("",), (), None),
)

LAST_LINK = "C: 5"  # the sixth and last row of AT+CIPSTATUS with CIPMUX=1

# Unsolicited result codes by name: the text before the colon, or the whole line. (sic: WARNNING)
URCS = frozenset(
    (
        "RDY", "+CFUN", "+CPIN", "Call Ready", "SMS Ready",  # boot, at a fixed baud rate only
        "+CREG", "+CGREG",
        "*PSNWID", "*PSUTTZ", "+CTZV", "+CTZR", "DST",  # network time; the last has no plus sign
        "+CSQN", "+CSMINS", "+CMTE", "+CUSD", "+CMTI", "+CMT", "+CDS", "+CBM", "RING", "+CRING", "+CLIP", "NO CARRIER",
        "+PDP", "+CIPRXGET", "+RECEIVE", "REMOTE IP", "+SAPBR 1",
        "NORMAL POWER DOWN",
        "UNDER-VOLTAGE WARNNING", "UNDER-VOLTAGE POWER DOWN", "OVER-VOLTAGE WARNNING", "OVER-VOLTAGE POWER DOWN",
    )
)  # fmt: skip
# Those of a TCP connection; "<n>, " precedes them if CIPMUX is 1.
LINK_URCS = frozenset(("CONNECT OK", "CONNECT FAIL", "ALREADY CONNECT", "CLOSED"))

BOOTED = "RDY"
VOLTAGE_URCS: tuple[str, ...] = ("UNDER-VOLTAGE", "OVER-VOLTAGE")
FAILURES: tuple[str, ...] = ("SEND FAIL",)  # final results that are errors, besides ERROR

# Queries that only `Modem.resync` sends, so their responses are unambiguous.
RESYNC: tuple[str, ...] = ("+CMEE?", "+IPR?", "+IFC?", "+CSCS?")
RESYNC_TIMEOUT_MS = 2_000

BAUD = 115_200
OTHER_BAUDS: tuple[int, ...] = (
    9_600,
    57_600,
    19_200,
)  # other settings of used modems; the factory setting is automatic

# Power. Hardware Design V2.02 and V1.02: PWRKEY low for 1 s or more toggles; held over 33 s it resets.
SUPPLY_SETTLE_MS = 100
PWRKEY_MS = 1_100
SUPPLY_OFF_MS = 2_000  # off to on, without the STATUS output
BOOT_TIMEOUT_MS = 10_000  # UART usable >= 3 s after PWRKEY; "AT" every 300..500 ms until then
BOOT_PROBE_MS = 300

SEND_MAX_BYTES = 1_400  # must be less than what AT+CIPSEND? reports, typically 1460
RECEIVE_MAX_BYTES = 1_460  # AT+CIPRXGET=2
LINKS = 6

CHARSET = "IRA"  # +CSCS after power-up

MEASURES_ALL_CELLS = True  # AT+CNETSCAN: every cell of every operator, with its Rxlev
SCAN_S = (45, 90)  # usually (p.189), and at most
