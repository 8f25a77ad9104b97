"""Entry point of `python -m hil_tests.years` (command_line.py)."""

import sys

from hil_tests.years.environment import add_paths

add_paths()

if __name__ == "__main__":
    from hil_tests.years.command_line import main

    sys.exit(main())
