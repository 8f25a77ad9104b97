"""Does every board fulfil its contract: the constructor and the required methods?"""

import ast
from pathlib import Path

import pytest

from hil_tests.rig import image

BOARDS = Path(image.CHECKOUT) / "firmware" / "boards"


def classes_of(board: str) -> list[ast.ClassDef]:
    """Return the class of a board, and those of the boards from which it is derived."""
    tree = ast.parse((BOARDS / f"{board}.py").read_text())
    (found,) = [
        node
        for node in tree.body
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Board") for base in node.bases)
    ]
    (base,) = [ast.unparse(base) for base in found.bases]
    homes = [
        str(node.module).rpartition(".")[2]
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and base in [alias.name for alias in node.names]
    ]
    return [found, *(classes_of(homes[0]) if base != "Board" else [])]


def methods(classes: list[ast.ClassDef]) -> dict[str, ast.FunctionDef]:
    return {node.name: node for made in classes for node in made.body if isinstance(node, ast.FunctionDef)}


(BOARD,) = [
    node
    for node in ast.parse((BOARDS / "board.py").read_text()).body
    if isinstance(node, ast.ClassDef) and node.name == "Board"
]
CONTRACT = methods([BOARD])


@pytest.mark.parametrize("board", image.boards())
def test_a_board_has_the_arguments_of_the_contract(board: str) -> None:
    for name, method in methods(classes_of(board)).items():
        if name in CONTRACT:
            assert [one.arg for one in method.args.args] == [one.arg for one in CONTRACT[name].args.args], name


@pytest.mark.parametrize("board", image.boards())
def test_a_board_does_what_every_board_must(board: str) -> None:
    needed = {name for name, method in CONTRACT.items() if ast.unparse(method.body[-1]) == "raise NotImplementedError"}
    assert {"__init__", "read", "write", "feed", "reset"} <= needed <= set(methods(classes_of(board)))


@pytest.mark.parametrize("board", image.boards())
def test_a_board_has_every_port_of_the_contract(board: str) -> None:
    ports = {
        node.target.id
        for node in BOARD.body
        if isinstance(node, ast.AnnAssign) and node.value is None and isinstance(node.target, ast.Name)
    }
    assert ports == {"modem_port", "console_port", "modem_power"}
    assigned = {
        target.attr
        for made in classes_of(board)
        for node in ast.walk(made)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute)
    }
    assert ports <= assigned


@pytest.mark.parametrize("board", image.boards())
def test_a_board_without_a_guard_erases_no_flash_while_the_contactor_is_closed(board: str) -> None:
    """A board has a guard, or mounts its flash through unguarded_flash.py; is that module in the image?"""
    guards = [
        node.value
        for made in classes_of(board)
        for node in made.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "has_guard"
    ]
    has_guard = bool(guards) and ast.unparse(guards[0]) == "True"
    assert has_guard != ("firmware/boards/unguarded_flash.py" in image.sources(board))
