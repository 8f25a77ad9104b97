"""`python -m tests.requirements`: print each rule of requirements.toml with the tests for it; exit with 1 if a rule has
none."""

import re
import sys
import tomllib
from itertools import zip_longest
from pathlib import Path

HERE = Path(__file__).parent
ROOMS = (HERE, HERE.parent / "hil_tests")
MARK = re.compile(r"\[([A-Z][A-Za-z0-9-]+)\]")
TEST = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)


def rules() -> dict[str, str]:
    """Return the rules by id."""
    return tomllib.loads((HERE / "requirements.toml").read_text())


def carried() -> dict[str, list[str]]:
    """Return the tests by rule id. The id is in square brackets in the test's docstring."""
    found: dict[str, list[str]] = {}
    for path in sorted(path for room in ROOMS for path in room.rglob("test_*.py")):
        heads = list(TEST.finditer(text := path.read_text()))
        for head, following in zip_longest(heads, heads[1:]):
            body = text[head.start() : following.start() if following else len(text)]
            for name in MARK.findall(body):
                found.setdefault(name, []).append(f"{path.relative_to(HERE.parent)}::{head[1]}")
    return found


def main() -> int:
    """The command line."""
    tests = carried()
    missing = [name for name in rules() if name not in tests]
    for name, rule in rules().items():
        print(f"{name:9} {len(tests.get(name, [])):2} {'test ' if len(tests.get(name, [])) == 1 else 'tests'}  {rule}")
    print(f"without a test: {', '.join(missing) or 'none'}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
