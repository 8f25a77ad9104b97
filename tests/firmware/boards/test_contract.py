"""Does every board keep to its contract: the constructor, and what it must do?"""

import ast
from pathlib import Path

import pytest

from hil_tests.rig import image

BOARDS = Path(image.CHECKOUT) / "firmware" / "boards"


def class_of(board: str, base: str = "Board") -> ast.ClassDef:
    tree = ast.parse((BOARDS / f"{board}.py").read_text())
    (found,) = [
        node
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        and (node.name == base if board == "board" else base in [ast.unparse(one) for one in node.bases])
    ]
    return found


def methods(made: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in made.body if isinstance(node, ast.FunctionDef)}


CONTRACT = methods(class_of("board"))


@pytest.mark.parametrize("board", image.boards())
def test_a_board_has_the_arguments_of_the_contract(board: str) -> None:
    for name, method in methods(class_of(board)).items():
        if name in CONTRACT:
            assert [one.arg for one in method.args.args] == [one.arg for one in CONTRACT[name].args.args], name


@pytest.mark.parametrize("board", image.boards())
def test_a_board_does_what_every_board_must(board: str) -> None:
    needed = {name for name, method in CONTRACT.items() if ast.unparse(method.body[-1]) == "raise NotImplementedError"}
    assert {"__init__", "read", "write", "feed", "reset"} <= needed <= set(methods(class_of(board)))


@pytest.mark.parametrize("board", image.boards())
def test_a_board_has_every_port_of_the_contract(board: str) -> None:
    ports = {
        node.target.id
        for node in class_of("board").body
        if isinstance(node, ast.AnnAssign) and node.value is None and isinstance(node.target, ast.Name)
    }
    assert ports == {"modem_port", "console_port", "modem_power"}
    assigned = {
        target.attr
        for node in ast.walk(class_of(board))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute)
    }
    assert ports <= assigned
