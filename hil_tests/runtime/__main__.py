"""`python3 -m hil_tests.runtime [FOLDER]`: make everything this project runs on, in one folder (.venv).

Run by `make .venv` with the machine's own Python, before anything is installed: this package uses the standard library alone.
"""

import sys
from pathlib import Path

from hil_tests.runtime import environment, micropython, npm, umqtt
from hil_tests.runtime.errors import SetUpError


def main() -> int:
    venv = Path(sys.argv[1] if len(sys.argv) > 1 else ".venv").absolute()
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
