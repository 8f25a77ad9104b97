"""The error for a port that cannot be opened, with the setting that changes it."""

import os

from cloud_bridge.errors import PortBusy


def port_busy(variable: str, port: int, error: OSError) -> PortBusy:
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror  # asyncio's own is long
    return PortBusy(f"cannot listen on port {port} ({reason}): free it, or set {variable} to another port")
