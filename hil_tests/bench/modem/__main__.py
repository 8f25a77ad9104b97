"""`python -m hil_tests.bench.modem [NAME ...]`: measure what the modem layer promises. Exits with 1 if it is not held."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
# umqtt.simple is MicroPython's. Modules that it and the firmware import by MicroPython's names are beside the tests.
sys.path[:0] = [str(ROOT / ".venv" / "micropython" / "lib"), str(ROOT / "tests" / "on_cpython")]


def main() -> int:
    """Run the command line."""
    from hil_tests.bench.modem import commands, families, faults, heap, parser, start, stream, urcs

    benches = {
        "parser": parser.run,
        "ten": commands.ten,
        "urcs": urcs.run,
        "stream": stream.run,
        "start": start.run,
        "faults": faults.run,
        "families": families.run,
        "heap": heap.run,
    }
    names = sys.argv[1:] or list(benches)
    if unknown := set(names) - set(benches):
        print(f"there is no {', '.join(unknown)}; there are {', '.join(benches)}", file=sys.stderr)
        return 2
    held = [benches[name]() for name in names]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
