"""Do commands, typed or sent, only use what charge_point.py gives them, and do all answers have the same form?"""

import ast
from pathlib import Path

import pytest

from firmware.console import COMMANDS

ROOT = Path(__file__).parent.parent.parent
FILES = sorted([*(ROOT / "firmware" / "service").glob("[a-z]*.py"), ROOT / "firmware" / "commands.py"])
ENOUGH = 26  # members


def members() -> tuple[set[str], set[str]]:
    """Return (what may be read, what may be called)."""
    (made,) = [
        node
        for node in ast.parse((ROOT / "firmware" / "charge_point.py").read_text()).body
        if isinstance(node, ast.ClassDef)
    ]
    attributes = {node.target.id for node in made.body if isinstance(node, ast.AnnAssign)}  # type: ignore[union-attr]
    methods = {node.name for node in made.body if isinstance(node, ast.FunctionDef)}
    return {name for name in attributes if name[0] != "_"}, methods


def is_unit(node: ast.expr) -> bool:
    return ast.unparse(node) in ("unit", "self._unit")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_command_uses_the_protocol_and_changes_only_what_happens_after_its_answer(file: Path) -> None:
    attributes, methods = members()
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.Attribute):
            continue
        if is_unit(node.value):
            assert node.attr in attributes | methods, ast.unparse(node)
            assert isinstance(node.ctx, ast.Load) or node.attr == "after_answer", ast.unparse(node)
        elif ast.unparse(node).startswith(("unit.", "self._unit.")):
            assert isinstance(node.ctx, ast.Load), f"{ast.unparse(node)} is not a command's to set"


def test_the_protocol_is_small() -> None:
    attributes, methods = members()
    assert len(attributes | methods) <= ENOUGH, sorted(attributes | methods)


def test_every_answer_takes_the_unit_and_an_argument_and_gives_lines() -> None:
    """The console finds them by name, so no type checker sees the call."""
    for room, names in COMMANDS.items():
        made = ast.parse((ROOT / "firmware" / "service" / f"{room}.py").read_text()).body
        found = {node.name: node for node in made if isinstance(node, ast.FunctionDef)}
        for name in names:
            answer = found[f"answer_{name}"]
            assert ast.unparse(answer.args) == "unit: 'ChargePoint', argument: str"
            assert answer.returns is not None and ast.unparse(answer.returns) == "'list[str]'"
