"""The SIM7000's set-up, which is that of the SIM800, and its scan, which is that of the standard."""

from modem.families.driver_setup import scan
from modem.families.lte import cpsi
from modem.families.sim800_setup import close_context, configure, open_context

if False:  # for mypy alone
    from modem.client import Modem

__all__ = ("SCAN_S", "close_context", "configure", "open_context", "reference_signal", "scan")

SCAN_S = (120, 300)


def reference_signal(modem: "Modem") -> "tuple[int, int] | None":
    """Return (RSRP dBm, RSRQ dB) of the serving cell, or None if it is not LTE."""
    found = cpsi(modem)
    return found and found[:2]
