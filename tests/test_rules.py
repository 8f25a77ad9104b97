"""Does the product follow the project's rules that no linter checks?"""

import ast
from pathlib import Path

import pytest

from tests.test_arrows import run

ROOT = Path(__file__).parent.parent
PRODUCT = sorted(path for room in ("firmware", "modem", "cloud_bridge") for path in (ROOT / room).rglob("*.py"))
ON_THE_UNIT = [path for path in PRODUCT if "cloud_bridge" not in path.parts and "installer" not in path.parts]
NOT_IN_MICROPYTHON = {"typing", "enum", "dataclasses", "abc", "logging", "__future__", "contextlib", "functools"}
CPYTHON_ONLY = {"pyserial_port.py", "__main__.py"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_nothing_is_asserted_and_nothing_is_caught_blindly(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        assert not isinstance(node, ast.Assert), f"{name_of(path)}:{node.lineno} asserts what a peer may say otherwise"
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"{name_of(path)}:{node.lineno} catches everything"


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    text = path.read_text()
    if path.name == "__init__.py" or path.name == "main.py":
        return
    assert ast.get_docstring(ast.parse(text)), f"{name_of(path)} has no docstring"


@pytest.mark.parametrize("path", ON_THE_UNIT, ids=name_of)
def test_what_runs_on_the_unit_imports_only_what_micropython_has(path: Path) -> None:
    if path.name in CPYTHON_ONLY:
        return
    if path.name == "__init__.py":
        assert path.read_text() == "", f"{name_of(path)} is not empty"
    for node in run(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {node.module or ""}
        else:
            continue
        strange = {name.split(".")[0] for name in names} & NOT_IN_MICROPYTHON
        assert not strange, f"{name_of(path)} imports {strange}"
