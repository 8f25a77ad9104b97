"""Signal strength in one scale, and the installer's verdict. Pure.

CSQ is the scale: what the installer's promise is made in. dBm = -113 + 2 * CSQ (27.007, 8.5); SIMCom's own table
(manual p.90) says the same to within 2 dB.
"""

from collections import namedtuple

NO_READING = 99
CSQ_MAX = 31

PASS_ABOVE_CSQ = 14  # -85 dBm: 3GPP's "received high quality signal" for GSM (23.122); exactly 14 is not above
SAMPLES_WANTED = 10

PASS = "pass"
FAIL = "fail"
UNKNOWN = "unknown"

Verdict = namedtuple("Verdict", ("verdict", "samples", "minimum", "median", "maximum"))


def dbm_from_csq(csq: int):
    """dBm, or None for no reading. 0 means -113 or less, 31 means -51 or more."""
    return None if csq == NO_READING else 2 * csq - 113


def csq_from_dbm(dbm: int) -> int:
    """CSQ, 0..31: the reading that this strength would give."""
    return min(CSQ_MAX, max(0, (dbm + 113) // 2))


def dbm_from_rxlev(rxlev: int) -> int:
    """dBm of a cell in a scan: Rxlev 0..63 begins at -110 dBm (45.008, 8.1.4)."""
    return rxlev - 110


def csq_from_rxlev(rxlev: int) -> int:
    """CSQ that a cell of this Rxlev would give: greater than 14 from Rxlev 27 on."""
    return csq_from_dbm(dbm_from_rxlev(rxlev))


def passes(csq: int) -> bool:
    """Whether one strength would do for an installation."""
    return csq != NO_READING and csq > PASS_ABOVE_CSQ


def verdict(samples) -> Verdict:
    """The installer's verdict over CSQ samples: pass if the median of ten or more readings is greater than 14.

    99 is no reading and counts for nothing. With fewer than ten readings the verdict is unknown, not fail: a modem
    without a reading says nothing about the antenna.
    """
    readings = sorted([csq for csq in samples if csq != NO_READING])
    if not readings:
        return Verdict(UNKNOWN, 0, None, None, None)
    count = len(readings)
    median = (readings[(count - 1) // 2] + readings[count // 2]) / 2
    if count < SAMPLES_WANTED:
        result = UNKNOWN
    else:
        result = PASS if median > PASS_ABOVE_CSQ else FAIL
    return Verdict(result, count, readings[0], median, readings[-1])
