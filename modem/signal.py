"""Signal strength as CSQ, and the verdict on an installation. Pure.

dBm = -113 + 2 * CSQ (3GPP TS 27.007, 8.5); SIMCom's table (manual p.90) agrees to within 2 dB.
"""

from collections import namedtuple

if False:  # for mypy alone
    from collections.abc import Iterable

NO_READING = 99
CSQ_MAX = 31

PASS_ABOVE_CSQ = 14  # -85 dBm: 3GPP's "received high quality signal" for GSM (23.122); exactly 14 is not above
SAMPLES_WANTED = 10

PASS = "pass"
FAIL = "fail"
UNKNOWN = "unknown"

Verdict = namedtuple("Verdict", ("verdict", "samples", "minimum", "median", "maximum"))


def dbm_from_csq(csq: int) -> int | None:
    """Return the signal strength in dBm; None for no reading. CSQ 0 is -113 dBm or less, 31 is -51 dBm or more."""
    return None if csq == NO_READING else 2 * csq - 113


def csq_from_dbm(dbm: int) -> int:
    """Return the CSQ of a signal strength, limited to 0..31."""
    return min(CSQ_MAX, max(0, (dbm + 113) // 2))


def dbm_from_rxlev(rxlev: int) -> int:
    """Return the dBm of an Rxlev, 0..63, which begins at -110 dBm (3GPP TS 45.008, 8.1.4)."""
    return rxlev - 110


def csq_from_rxlev(rxlev: int) -> int:
    """Return the CSQ of an Rxlev. From Rxlev 27 on, the CSQ is greater than 14 and so passes."""
    return csq_from_dbm(dbm_from_rxlev(rxlev))


def passes(csq: int) -> bool:
    """Return whether a CSQ is sufficient for an installation; False for no reading."""
    return csq != NO_READING and csq > PASS_ABOVE_CSQ


def verdict(samples: "Iterable[int]") -> Verdict:
    """Return the verdict on CSQ samples: pass if the median of ten or more readings is greater than 14.

    Samples of 99 are ignored. With fewer than ten readings the verdict is unknown, not fail: missing readings do not imply
    a weak signal.
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
