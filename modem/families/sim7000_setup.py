"""The SIM7000's set-up, which is that of the SIM800, and scan, which is the standard's."""

from modem.families.driver_setup import scan
from modem.families.sim800_setup import close_context, configure, open_context

SCAN_S = (120, 300)

__all__ = ("SCAN_S", "close_context", "configure", "open_context", "scan")
