"""The M95's set-up, and its scan, which includes the signal of the cells that the modem measures. Sources: see m95.py."""

from modem import replies
from modem.errors import CommandError, ProtocolError
from modem.families import driver_setup
from modem.families.m95 import CONTEXT
from modem.families.quectel_setup import configure
from modem.fields import lines, number, split
from modem.signal import csq_from_dbm

if False:  # for mypy alone
    from modem.client import Modem
    from modem.contracts import Scanned

__all__ = ("SCAN_S", "close_context", "configure", "open_context", "scan")

SCAN_S = driver_setup.SCAN_S

# +QENG: 0,<mcc>,<mnc>,<lac>,<cell>,<bcch>,<bsic>,<dbm>,... is the serving cell. A second line begins with 1, followed by six
# neighbours of ten fields: <number>,<bcch>,<dbm>,<bsic>,<c1>,<c2>,<mcc>,<mnc>,<lac>,<cell>. A field "x" is not known.
SERVING, NEIGHBOURS = "0", "1"
SERVING_PLACES = (1, 2, 7)  # indices of MCC, MNC and dBm
NEIGHBOUR_PLACES = (6, 7, 2)
NEIGHBOUR_FIELDS = 10
WEAKEST = 120  # -dBm; GSM is measured down to -110 dBm (45.008, 8.1.4)


def open_context(modem: "Modem", apn: str, user: str, password: str) -> str:
    """Set buffered reception, no echo of the payload, and host names, as m95.py requires; then keep or open the context."""
    for setting in ("AT+QINDI=1", "AT+QISDE=0", "AT+QIDNSIP=1"):
        modem.ensure(setting)
    if modem.query("AT+QIMUX?", replies.setting) == 1:
        try:
            return modem.command("AT+QILOCIP")
        except CommandError:
            pass  # the context is not open, or the network has closed it
    close_context(modem)
    if not modem.query("AT+CGATT?", replies.setting):
        modem.command("AT+CGATT=1")
    modem.ensure("AT+QIFGCNT=%d" % CONTEXT)
    modem.ensure("AT+QIMUX=1")
    login = ',"%s","%s"' % (user, password) if user or password else ""
    modem.ensure('AT+QICSGP=1,"%s"%s' % (apn, login))  # 1: GPRS
    modem.command("AT+QIREGAPP")
    modem.command("AT+QIACT")
    return modem.command("AT+QILOCIP")


def close_context(modem: "Modem") -> None:
    """Deactivate the context, which also closes all links. [M] A modem without a context may refuse this."""
    try:
        modem.ensure("AT+QIDEACT")
    except CommandError:
        pass


def scan(modem: "Modem") -> "list[Scanned]":
    """Return every network, once for each of its cells whose signal the engineering mode reports, or once without signal."""
    found = driver_setup.scan(modem)
    try:
        modem.ensure("AT+QENG=1,1")  # engineering mode on, reported on request, with the neighbours
        measured = modem.query("AT+QENG?", cells)
        modem.ensure("AT+QENG=0")
    except CommandError:
        return found
    rows: list[Scanned] = []
    for network in found:
        plmn, name, _, forbidden = network
        rows += [(plmn, name, csq, forbidden) for where, csq in measured if where == plmn] or [network]
    return rows


def cells(text: str) -> list[tuple[str, int]]:
    """Parse +QENG; return (PLMN, CSQ) of the serving cell and of its neighbours, as far as known. Raises ProtocolError."""
    found = []
    for line in lines(text):
        if not line.startswith("+QENG:"):
            raise ProtocolError("not a cell", text)
        values, _ = split(line[6:], text)
        if values[0] == SERVING and len(values) > SERVING_PLACES[2]:
            found += _cell(values, SERVING_PLACES)
        elif values[0] == NEIGHBOURS:
            for at in range(1, len(values) - NEIGHBOUR_FIELDS + 1, NEIGHBOUR_FIELDS):
                found += _cell(values[at : at + NEIGHBOUR_FIELDS], NEIGHBOUR_PLACES)
    return found


def _cell(values: "list[str | None]", places: tuple[int, int, int]) -> list[tuple[str, int]]:
    """Return a list of one (PLMN, CSQ), or [] if a field is not known. `places`: indices of MCC, MNC and dBm."""
    mcc, mnc, dbm = [values[place] or "" for place in places]
    if len(mcc) != 3 or len(mnc) not in (2, 3) or dbm[:1] != "-" or (mcc + mnc + dbm[1:]).strip("0123456789"):
        return []
    signal = number(dbm[1:], dbm)
    return [(mcc + mnc, csq_from_dbm(-signal))] if signal <= WEAKEST else []
