"""The signal of an LTE cell: RSRP and RSRQ as the families report them, and the equivalent CSQ.

RSRQ is N * RSRP / RSSI over N resource blocks (3GPP TS 36.214, 5.1.3), so the RSSI follows from both.
"""

from modem.fields import line_after, split
from modem.signal import NO_READING, csq_from_dbm

if False:  # for mypy alone
    from modem.client import Modem

# 10 * log10(N) for the bandwidths 1.4, 3, 5, 10, 15 and 20 MHz: 6, 15, 25, 50, 75 and 100 resource blocks (36.101, 5.6)
BLOCKS_DB = (8, 12, 14, 17, 19, 20)
USUAL_BLOCKS_DB = 17  # 10 MHz, assumed if the bandwidth is not known [M]
RSRP_DBM = (-157, -29)  # range of valid values: 36.133, 9.1.4
RSRQ_DB = (-44, 3)  # 36.133, 9.1.7


def csq(found: "tuple[int, int, int] | None") -> int:
    """Return the CSQ of the RSSI that follows from (RSRP dBm, RSRQ dB, 10 log N); NO_READING for None."""
    return NO_READING if found is None else csq_from_dbm(found[0] - found[1] + found[2])


def cell(rsrp: "str | None", rsrq: "str | None", blocks_db: int = USUAL_BLOCKS_DB) -> "tuple[int, int, int] | None":
    """Return (RSRP dBm, RSRQ dB, 10 log N) of two fields as modems write them; None if the values are out of range.

    The fields may be dBm and dB; tenths of these (SIM7600: -850 and -94); or the indices of 36.133 that 27.007, 8.69 reports,
    0..97 and 0..34 (seen from one SIM7600 in an issue thread).
    """
    dbm, decibel = _whole(rsrp), _whole(rsrq)
    if dbm is None or decibel is None:
        return None
    if dbm < RSRP_DBM[0]:
        dbm, decibel = _tenth(dbm), _tenth(decibel)
    elif 0 <= dbm <= 97 and 0 <= decibel <= 34:
        dbm, decibel = dbm - 141, decibel // 2 - 20
    if RSRP_DBM[0] <= dbm <= RSRP_DBM[1] and RSRQ_DB[0] <= decibel <= RSRQ_DB[1]:
        return dbm, decibel, blocks_db
    return None


def _whole(value: "str | None") -> "int | None":
    try:
        return int(value or "")
    except ValueError:
        return None


def _tenth(value: int) -> int:
    """Return a tenth of `value`, rounded: -9 for -94, and -10 for -96."""
    return -((5 - value) // 10) if value < 0 else (value + 5) // 10


def cpsi(modem: "Modem") -> "tuple[int, int, int] | None":
    """Query AT+CPSI? of a SIMCom LTE modem; return the result of `cell` for the serving cell, None if it is not LTE.

    LTE,Online,<MCC>-<MNC>,<TAC>,<cell>,<PCI>,<band>,<EARFCN>,<dlbw>,<ulbw>,<RSRQ>,<RSRP>,<RSSI>,<RSSNR>
    (SIM7500_SIM7600 Series AT Command Manual V3.00)
    """
    return modem.query("AT+CPSI?", cpsi_cell)


def cpsi_cell(text: str) -> "tuple[int, int, int] | None":
    """Parse +CPSI; return as `cpsi`. Raises ProtocolError."""
    values, _ = split(line_after(("+CPSI:",), text), text)
    if not (values[0] or "").startswith("LTE") or len(values) < 12:
        return None
    width = values[8] or ""
    known = len(width) == 1 and width in "012345"
    return cell(values[11], values[10], BLOCKS_DB[int(width)] if known else USUAL_BLOCKS_DB)


def qcsq(modem: "Modem") -> "tuple[int, int, int] | None":
    """Query AT+QCSQ of a Quectel modem; return the result of `cell` for the serving cell, None if it is not LTE.

    "<technology>",<RSSI>,<RSRP>,<SINR>,<RSRQ>, dBm and dB (EC25&EC21 AT Commands Manual V1.2; captures)
    """
    return modem.query("AT+QCSQ", qcsq_cell)


def qcsq_cell(text: str) -> "tuple[int, int, int] | None":
    """Parse +QCSQ; return as `qcsq`. Raises ProtocolError."""
    values, _ = split(line_after(("+QCSQ:",), text), text)
    if values[0] not in ("LTE", "CAT-M1", "eMTC", "CAT-NB1", "NBIoT") or len(values) != 5:
        return None
    found = cell(values[2], values[4])
    rssi = _whole(values[1])
    if found is None or rssi is None or rssi >= 0:
        return found
    return found[0], found[1], rssi - found[0] + found[1]
