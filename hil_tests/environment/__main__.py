"""`python3 -m hil_tests.environment [FOLDER]`: make everything this project runs on, in one folder (.venv).

Run by `make .venv` with the machine's own Python, before anything is installed: this package uses the standard library alone.
"""

import argparse
import sys
from pathlib import Path

from hil_tests.environment import faketime, micropython, npm, python_packages, umqtt
from hil_tests.environment.errors import SetUpError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m hil_tests.environment", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(".venv"))
    venv = parser.parse_args().folder.absolute()
    try:
        python_packages.make(venv)
        micropython.fetch(venv)
        faketime.fetch(venv)
        umqtt.fetch(venv)
        npm.fetch(venv)
    except SetUpError as error:
        print(f"\nset-up stopped: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
