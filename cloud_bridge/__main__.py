"""Run `python -m cloud_bridge`: serve everything, or run the role or command that the arguments name."""

import sys

from cloud_bridge.start import main

if __name__ == "__main__":
    sys.exit(main())
