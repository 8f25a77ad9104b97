"""`python -m firmware.image BOARD FOLDER`: compile this tree's image for a board, as a tree of files in FOLDER.

The same tree and SOURCE_DATE_EPOCH give the same bytes. The exit code is 1, with one line on standard error, if a file does
not compile or there is no such board.
"""

import sys
from pathlib import Path

from firmware.image.sources import DoesNotCompile, compile_file, sources

CHECKOUT = Path(__file__).resolve().parents[2]


def main(board: str, folder: Path) -> int:
    """Compile all files of the image into `folder`; return the exit code."""
    try:
        for name, source in sources(board, CHECKOUT, folder / "generated").items():
            compile_file(name, source, (folder / "image" / name).with_suffix(".mpy"))
    except DoesNotCompile as error:
        print(str(error).splitlines()[-1], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m firmware.image BOARD FOLDER")
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
