"""The signal in LTE figures: RSSI, RSRP, RSRQ and SINR, computed from an operator's CSQ.

Simulated, not measured: a cell of 10 MHz (50 resource blocks) with a constant load and quality.
"""

RSRP_BELOW_RSSI_DB = 27  # 10 log10(12 * 50 blocks), 36.214 section 5.1.1 and 5.1.3
RSRQ_DB = -11


def rssi_dbm(csq: int) -> int:
    """Return the RSSI of a CSQ (27.007 section 8.5)."""
    return -113 + 2 * csq


def rsrp_dbm(csq: int) -> int:
    """Return the power of the reference signals alone."""
    return rssi_dbm(csq) - RSRP_BELOW_RSSI_DB


def sinr_db(csq: int) -> int:
    """Return the signal-to-noise ratio, which rises with the signal."""
    return max(-10, min(25, csq - 5))
