"""The SIM800's set-up and scan, with the parsers of their responses.

The parsers raise ProtocolError if the text is incomplete or belongs to another command. Source: SIM800 Series AT Command
Manual V1.12.
"""

from collections import namedtuple

from modem import replies, signal
from modem.errors import ProtocolError
from modem.fields import line_after, lines, number, optional_hexadecimal, optional_number

if False:  # for mypy alone
    from modem.client import Modem
    from modem.contracts import Scanned

Cell = namedtuple("Cell", ("name", "plmn", "rxlev", "cell", "arfcn", "lac", "bsic"))

SCAN_S = (45, 90)  # usual (p.189), and maximum
LAST_LINK = (
    "C: 5"  # the last of six rows of AT+CIPSTATUS with CIPMUX=1; a family with more links defines its own LAST_LINK
)
_CONTEXT_OPEN = ("IP STATUS", "IP PROCESSING")


def configure(modem: "Modem") -> None:
    """Set the clock to follow the network's time. The setting takes effect at the next registration, so it is saved."""
    if not modem.query("AT+CLTS?", replies.setting):
        modem.ensure("AT+CLTS=1")
        modem.ensure("AT&W")


def scan(modem: "Modem") -> "list[Scanned]":
    """Return every cell of every operator, with its signal. The modem need not be registered."""
    found = cells(modem.command("AT+CNETSCAN"))
    return [(each.plmn, each.name, signal.csq_from_rxlev(each.rxlev), False) for each in found]


def open_context(modem: "Modem", apn: str, user: str, password: str) -> str:
    """Open the context with multiple connections (CIPMUX=1), quick send (CIPQSEND=1) and manual reception (CIPRXGET=1), as
    sim800.py requires, or keep it if it is open.

    CIPSHUT is sent only if necessary: needless cycles cause rejects by networks and multi-IMSI SIMs.
    """
    many_links = modem.query("AT+CIPMUX?", replies.setting) == 1
    last_row = getattr(modem.family, "LAST_LINK", LAST_LINK) if many_links else None
    state = cipstatus(modem.command("AT+CIPSTATUS", expect=last_row))
    if many_links and state in _CONTEXT_OPEN:
        return modem.command("AT+CIFSR")
    if state != "IP INITIAL":
        modem.ensure("AT+CIPSHUT")
    if not modem.query("AT+CGATT?", replies.setting):
        modem.command("AT+CGATT=1")
    modem.ensure("AT+CIPMUX=1")
    modem.ensure("AT+CIPQSEND=1")
    modem.ensure("AT+CIPRXGET=1")
    modem.command('AT+CSTT="%s","%s","%s"' % (apn, user, password))
    modem.command("AT+CIICR")
    return modem.command("AT+CIFSR")


def close_context(modem: "Modem") -> None:
    """Close all connections and the context; the modem is then in the state IP INITIAL."""
    modem.ensure("AT+CIPSHUT")


def cells(text: str) -> list[Cell]:
    """Parse AT+CNETSCAN (manual p.189); return all cells of all operators. rxlev is 0..63; lac and bsic are present only after
    AT+CNETSCAN=1.
    """
    return [_cell(line, text) for line in lines(text)]


def _cell(line: str, text: str) -> Cell:
    """Parse Operator:"name",MCC:460,MNC:00,Rxlev:51,Cellid:1A2B,Arfcn:12,Lac:00C3,Bsic:3A. The name may contain commas."""
    named = {}
    name_end = line.find('",')
    if not line.startswith('Operator:"') or name_end < 0:
        raise ProtocolError("not a cell", text)
    for part in line[name_end + 2 :].split(","):
        colon = part.find(":")
        if colon < 0:
            raise ProtocolError("not a cell", text)
        named[part[:colon].strip().lower()] = part[colon + 1 :].strip() or None
    mcc = named.get("mcc") or ""
    mnc = named.get("mnc") or ""
    if len(mcc) != 3 or len(mnc) not in (2, 3):
        raise ProtocolError("a cell without its network", text)
    number(mcc + mnc, text)
    return Cell(
        line[len('Operator:"') : name_end] or None,
        mcc + mnc,
        number(named.get("rxlev"), text),
        optional_hexadecimal(named.get("cellid"), text),
        optional_number(named.get("arfcn"), text),
        optional_hexadecimal(named.get("lac"), text),
        optional_hexadecimal(named.get("bsic"), text),
    )


def cipstatus(text: str) -> str:
    """Parse AT+CIPSTATUS; return the state (manual p.223). With CIPMUX=1, a row for each link follows, which is ignored."""
    state = line_after(("STATE:",), text)
    if not state:
        raise ProtocolError("STATE without a state", text)
    return state
