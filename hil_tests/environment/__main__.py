"""`python3 -m hil_tests.environment [FOLDER] [--product]`: create everything this project runs on, in one folder
(.venv).

`make .venv` runs it with the machine's own Python, before anything is installed: this package uses only the standard
library.
"""

import argparse
import sys
from pathlib import Path

from hil_tests.environment import faketime, micropython, npm, python_packages, umqtt
from hil_tests.environment.errors import SetUpError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m hil_tests.environment", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(".venv"))
    about = "the cloud and the installer's tool alone, without what tests them"
    parser.add_argument("--product", action="store_true", help=about)
    wanted = parser.parse_args()
    venv = wanted.folder.absolute()
    try:
        python_packages.make(venv, wanted.product)
        if not wanted.product:
            micropython.fetch(venv)
            faketime.fetch(venv)
            umqtt.fetch(venv)
        npm.fetch(venv, wanted.product)
    except SetUpError as error:
        print(f"\nset-up stopped: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
