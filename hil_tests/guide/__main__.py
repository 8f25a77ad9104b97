"""`make stranger`: run the operator's guide on a clean Debian 12. Print how long each block of commands took, as a table."""

import sys

from hil_tests.environment.errors import SetUpError
from hil_tests.guide.clean_root import reason_against
from hil_tests.guide.story import CommandFailed, tell


def main() -> int:
    reason = reason_against()
    if reason is not None:
        print(f"skipped: {reason}")
        return 0
    try:
        tell()
    except (CommandFailed, SetUpError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
