"""Does every service object of the room have at most five collaborators?

A record (a dataclass or NamedTuple without methods) may have as many fields as it needs.
"""

import ast
from pathlib import Path

import pytest

ROOM = Path(__file__).parents[3] / "cloud_bridge" / "vehicles"
MOST = 5  # without self
MODULES = sorted(ROOM.rglob("*.py"))


def parameters(made: ast.ClassDef) -> list[str]:
    """Return the parameters of the class's constructor; none for a record."""
    methods = {node.name: node for node in made.body if isinstance(node, ast.FunctionDef)}
    if "__init__" in methods:
        arguments = methods["__init__"].args
        return [argument.arg for argument in (*arguments.posonlyargs, *arguments.args[1:], *arguments.kwonlyargs)]
    properties = {name for name, node in methods.items() if "property" in map(ast.unparse, node.decorator_list)}
    acts = {name for name in methods if not name.startswith("__")} - properties
    return [ast.unparse(node.target) for node in made.body if isinstance(node, ast.AnnAssign)] if acts else []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOM)))
def test_no_constructor_has_more_than_five_parameters(path: Path) -> None:
    classes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)]
    assert {made.name: parameters(made) for made in classes if len(parameters(made)) > MOST} == {}


def test_a_service_with_six_would_be_seen() -> None:
    fields = "\n".join(f"    {letter}: int" for letter in "abcdef")
    record, service = ast.parse(f"class A:\n{fields}\nclass B:\n{fields}\n    def work(self): ...").body
    assert isinstance(record, ast.ClassDef) and isinstance(service, ast.ClassDef)
    assert (parameters(record), parameters(service)) == ([], list("abcdef"))
