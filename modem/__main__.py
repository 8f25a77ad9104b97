"""The installer's tool: `python -m modem signal|scan|report|commission|trace`."""

import sys

from modem.installer.command_line import main

if __name__ == "__main__":
    sys.exit(main())
