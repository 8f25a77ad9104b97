"""`python -m cloud_bridge`: serve; with arguments: units, tokens and people."""

import sys

from cloud_bridge.start import main

if __name__ == "__main__":
    sys.exit(main())
