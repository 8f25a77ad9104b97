"""Build the firmware image of a board: MicroPython's .mpy files in one ROMFS (build/image/BOARD.romfs).

firmware/image/sources.py chooses the modules. The environment variable BOARD chooses another board than the virtual
one.

A board runs a ROMFS in place from its flash (`mpremote romfs deploy`), so neither the compiler nor the code takes heap.
The virtual unit maps the same image into memory (boot.py), so its heap holds the same objects as a board's. Only files
changed since the last build are compiled. `python -m hil_tests.rig.image` prints the sizes against the budget. It also
copies the sources into a folder to be frozen into a MicroPython image (build/image/BOARD-sources, for
firmware/boards/BOARD/manifest.py).
"""

import binascii
import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from firmware.boards.stock import main as starter
from firmware.image import sources as image_sources
from firmware.image.sources import CONTRACT, board_classes, compile_file, family_of
from firmware.image.sources import VERSION as VERSION
from firmware.image.sources import VIRTUAL as VIRTUAL
from firmware.image.sources import DoesNotCompile as DoesNotCompile
from firmware.version import VERSION as FLASHED

CHECKOUT = Path(__file__).resolve().parents[2]
BUILD = CHECKOUT / "build" / "image"
LARGEST_SHOWN = 12
# Of all .mpy files. Every flash has room for more, but an update over GPRS sends every byte. 12,000 bytes of it guard
# against wrong data: networks that no scan measures, idle connections, clocks, meters and single readings that are
# wrong, authorities that expire, and contactor wear. Updates take 16,000, the record of an installer's commissioning
# 3,500. 1,500 are for the station that provisions units: it never prints a secret, calibrates the pilot reading, and
# shows the board's readings on the console.
BUDGET_BYTES = 173_000


def chosen() -> str:
    """Return the board of this run: BOARD in the environment, or the virtual board."""
    return os.environ.get("BOARD") or VIRTUAL


def boards() -> list[str]:
    """Return the names of all boards."""
    return [path.stem for path in sorted((CHECKOUT / CONTRACT).parent.glob("*.py")) if len(board_classes(path)) == 1]


def sources(board: str) -> dict[str, Path]:
    """Return the sources that `board` needs, by name in the image. Raises DoesNotCompile if there is no such board."""
    return image_sources.sources(board, CHECKOUT, BUILD)


def build(board: str = VIRTUAL) -> Path:
    """Compile changed sources, remove stale files, and return the ROMFS. Raises DoesNotCompile."""
    (BUILD / board).mkdir(parents=True, exist_ok=True)
    with (BUILD / f"{board}.lock").open("w") as lock:  # several rigs may build at once, and none may map half an image
        fcntl.flock(lock, fcntl.LOCK_EX)
        _build(board)
    return BUILD / f"{board}.romfs"


def write_list(board: str, folder: Path, made_for: str, heap_bytes: int) -> Path:
    """Write the list by which the starter of a stock image checks the compiled files of `board`. Return its path."""
    files = {
        path.relative_to(BUILD / board).as_posix(): binascii.crc32(path.read_bytes())
        for path in sorted((BUILD / board).rglob("*.mpy"))
    }
    mpy = (BUILD / board / "firmware" / "app.mpy").read_bytes()[1]  # "M", then the version of the format
    listed = {"version": FLASHED, "image": made_for, "mpy": mpy, "heap_bytes": heap_bytes, "files": files}
    path = folder / starter.LIST
    path.write_text(json.dumps(listed))
    return path


def lay_sources(board: str) -> Path:
    """Copy the sources of an image into a folder, with their times, and return it. Raises DoesNotCompile."""
    tree = BUILD / f"{board}-sources"
    tree.mkdir(parents=True, exist_ok=True)
    with (BUILD / f"{board}.lock").open("w") as lock:  # a reader must find every file, so replace each file in one step
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = sources(board)
        for name, source in found.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            fresh = (tree / name).with_suffix(".new")
            shutil.copy2(source, fresh)
            fresh.replace(tree / name)
        for stale in {path for path in tree.rglob("*") if path.is_file()} - {tree / name for name in found}:
            stale.unlink()
    return tree


def _build(board: str) -> None:
    wanted, image, romfs = set(), BUILD / board, BUILD / f"{board}.romfs"
    changed = not romfs.exists()
    for name, source in sources(board).items():
        target = (image / name).with_suffix(".mpy")
        wanted.add(target)
        if not target.exists() or target.stat().st_mtime_ns != source.stat().st_mtime_ns:
            compile_file(name, source, target)
            changed = True
    for stale in set(image.rglob("*.mpy")) - wanted:
        stale.unlink(missing_ok=True)
        changed = True
    if changed or not (image / starter.LIST).exists():
        write_list(board, image, board, 0)  # 0: the code runs in place
        _pack(image, romfs)


def _pack(image: Path, romfs: Path) -> None:
    fresh = romfs.with_suffix(".new")
    command = [sys.executable, "-m", "mpremote", "romfs", "--output", str(fresh), "build", str(image)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DoesNotCompile(done.stdout + done.stderr)
    fresh.replace(romfs)


def main() -> int:
    """Build the image of BOARD, or of every board. Return 1 if an image exceeds the budget or does not compile.

    The budget does not apply to a board that names no modem family: it is a rig's, and its image holds all families.
    """
    try:
        totals = {
            board: _print_size(board) for board in ([os.environ["BOARD"]] if os.environ.get("BOARD") else boards())
        }
    except DoesNotCompile as error:
        print(error, file=sys.stderr)
        return 1
    if not os.environ.get("BOARD"):
        _print_memory()
    return 1 if any(total > BUDGET_BYTES and family_of(board, CHECKOUT) for board, total in totals.items()) else 0


def _print_size(board: str) -> int:
    build(board)
    lay_sources(board)
    sizes: dict[str, int] = {}
    for path in (BUILD / board).rglob("*.mpy"):
        parts = path.relative_to(BUILD / board).parts
        room = "/".join(parts[:-1][:2])
        sizes[room] = sizes.get(room, 0) + path.stat().st_size
    for room, size in sorted(sizes.items(), key=lambda row: -row[1]):
        print(f"{size:8,} bytes  {room}")
    total = sum(sizes.values())
    judged = f"of {BUDGET_BYTES:,}" if family_of(board, CHECKOUT) else "with every modem family: it names none"
    print(f"{total:8,} bytes  all of it for BOARD={board}, {judged}\n")
    return total


def _print_memory() -> None:
    """Print what the modules leave in memory, as memory_on_micropython.py measures it."""
    boot, script = Path(__file__).with_name("boot.py"), Path(__file__).with_name("memory_on_micropython")
    command: list[str | Path] = [Path(sys.prefix) / "bin" / "micropython", "-X", "heapsize=8M", boot, build(), script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    print(f"{sum(int(own) for own, _ in rows):8,} bytes of memory (64 bits) for {len(rows)} modules; the largest:")
    for own, name in rows[:LARGEST_SHOWN]:
        print(f"{int(own):8,} bytes  {name}")


if __name__ == "__main__":
    sys.exit(main())
