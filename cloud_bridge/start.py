"""Where a process of ours begins: `python -m cloud_bridge`, or `chargekeeper` where it is installed."""

import os

OWNER_ONLY = 0o077  # the bits that no file of ours has: database, its WAL, keys and passwords from their first moment
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def main() -> int:
    """The exit code."""
    try:
        os.umask(OWNER_ONLY)  # first: what an import leaves behind is nobody else's business either
        from cloud_bridge.importing import importing

        with importing():  # takes half a second, in which somebody may press Ctrl-C already
            from cloud_bridge.command_line import main as run

        return run()
    except KeyboardInterrupt:
        return INTERRUPTED
