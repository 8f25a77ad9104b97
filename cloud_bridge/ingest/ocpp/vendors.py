"""What makers of chargers tell in ways of their own, each with its source: the signal of the mobile network. Pure.

Nothing is taken for a signal that its maker does not say is one.
"""

from cloud_bridge.ingest.ocpp.fields import number

# Measurands of MeterValues, in small letters, in dBm.
SIGNAL_MEASURANDS = (
    "rssi.mobile",  # Easee: https://developer.easee.com/docs/rssi-measurands
)

# What a DataTransfer of ours asks for the signal, by the vendor of the BootNotification in small letters: the vendorId and the
# messageId. The answer's data is a number, of dBm if it is negative.
SIGNAL_ASKS = {
    "evnex": ("Evnex", "GetRSSI"),  # https://docs.evnex.io/docs/r-series-data-transfer-messages
}

WEAKEST_DBM, DBM_A_STEP, STRONGEST = -113, 2, 31  # of +CSQ, 3GPP TS 27.007 section 8.5
FAINTEST_DBM = -140  # that a modem of any kind tells


def csq_of_dbm(dbm: float) -> int | None:
    """As +CSQ has it, 0 to 31; None for what is no level of a received signal."""
    if not FAINTEST_DBM <= dbm < 0:
        return None
    return min(max(round((dbm - WEAKEST_DBM) / DBM_A_STEP), 0), STRONGEST)


def csq_told(data: object) -> int | None:
    """Of the answer to one of SIGNAL_ASKS."""
    dbm = number(data)
    return None if dbm is None else csq_of_dbm(dbm)
