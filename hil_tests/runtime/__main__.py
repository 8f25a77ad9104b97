"""`python3 -m hil_tests.runtime [FOLDER]`: make everything this project runs on, in one folder (.venv).

Run by `make .venv` with the machine's own Python, before anything is installed: this package uses the standard library alone.
"""

import argparse
import sys
from pathlib import Path

from hil_tests.runtime import environment, micropython, npm, umqtt
from hil_tests.runtime.errors import SetUpError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m hil_tests.runtime", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(".venv"))
    venv = parser.parse_args().folder.absolute()
    try:
        environment.make(venv)
        micropython.fetch(venv)
        umqtt.fetch(venv)
        npm.fetch(venv)
    except SetUpError as error:
        print(f"\nset-up stopped: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
