"""`python -m cloud_bridge`: serve; with arguments: units, tokens and people."""

import os
import sys

OWNER_ONLY = 0o077  # the bits that no file of ours has: database, its WAL, keys and passwords from their first moment
INTERRUPTED = 130  # 128 + SIGINT, as shells have it

if __name__ == "__main__":
    try:
        os.umask(OWNER_ONLY)  # first: what an import leaves behind is nobody else's business either
        from cloud_bridge.importing import importing

        with importing():  # takes half a second, in which somebody may press Ctrl-C already
            from cloud_bridge.command_line import main

        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
