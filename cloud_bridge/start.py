"""The entry point of every process: `python -m cloud_bridge`, or `chargekeeper` if the package is installed."""

import os

OWNER_ONLY = 0o077  # umask: database, WAL, keys and passwords are readable by their owner alone from creation on
INTERRUPTED = 130  # 128 + SIGINT, the shells' convention


def main() -> int:
    """Run the command line and return its exit code."""
    try:
        os.umask(OWNER_ONLY)  # before the imports, which may create files too
        from cloud_bridge.importing import importing

        with importing():  # takes half a second, and Ctrl-C may come during it: hence inside the try block
            from cloud_bridge.command_line import main as run

        return run()
    except KeyboardInterrupt:
        return INTERRUPTED
