"""`python -m hil_tests.station`: the provisioning station."""

import sys

from hil_tests.station.command_line import main

if __name__ == "__main__":
    sys.exit(main())
