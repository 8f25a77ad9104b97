"""`python -m cloud_bridge`: serve; with arguments: units, tokens and people."""

import os
import sys

OWNER_ONLY = 0o077  # the bits that no file of ours has: database, its WAL, keys and passwords from their first moment
INTERRUPTED = 130  # 128 + SIGINT, as shells have it

if __name__ == "__main__":
    try:
        from cloud_bridge.command_line import main  # takes a second, in which somebody may press Ctrl-C already

        os.umask(OWNER_ONLY)
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
