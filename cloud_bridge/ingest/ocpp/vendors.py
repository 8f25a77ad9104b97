"""Makers' own messages for the mobile signal, each with its source. Pure.

Only values that a maker documents as a signal are used.
"""

from cloud_bridge.ingest.ocpp.fields import number

# Measurands of MeterValues in lower case; the values are in dBm.
SIGNAL_MEASURANDS = (
    "rssi.mobile",  # Easee: https://developer.easee.com/docs/rssi-measurands
)

# DataTransfers that query the signal: vendorId and messageId, by the vendor of the BootNotification in lower case. The
# data of the answer is a number, in dBm if it is negative.
SIGNAL_ASKS = {
    "evnex": ("Evnex", "GetRSSI"),  # https://docs.evnex.io/docs/r-series-data-transfer-messages
}

WEAKEST_DBM, DBM_A_STEP, STRONGEST = -113, 2, 31  # of +CSQ, 3GPP TS 27.007 section 8.5
FAINTEST_DBM = -140  # the lowest level that any modem reports


def csq_of_dbm(dbm: float) -> int | None:
    """Convert a level in dBm to the scale of +CSQ, 0 to 31. Return None if it cannot be a received level."""
    if not FAINTEST_DBM <= dbm < 0:
        return None
    return min(max(round((dbm - WEAKEST_DBM) / DBM_A_STEP), 0), STRONGEST)


def csq_told(data: object) -> int | None:
    """Return the CSQ from the data of an answer to one of SIGNAL_ASKS, or None."""
    dbm = number(data)
    return None if dbm is None else csq_of_dbm(dbm)
