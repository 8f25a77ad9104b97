"""Is every sentence in the code in the catalogue, also if no test shows it?

A string that begins with a capital and has a second word counts as a sentence. test_pages.py finds the others.
Only the descriptions of the HTTP interface are not translated.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_bridge.words.extraction import KEYWORDS

ROOM = Path(__file__).parents[3] / "cloud_bridge"
INTERFACE = ROOM / "web" / "api"
SENTENCE = re.compile("[A-Z][a-z]+,? [a-z]{2,}")
TO_NOBODY = {
    "cli",
    "deploy",
    "ingest",
    "node_modules",
    "roles",
}  # rooms whose texts only go to logs and operators
TO_OPERATORS = {
    "command_line.py",
    "web/api/metrics.py",
    "store/error_text.py",
    "store/database.py",
}  # the command line
TO_PROGRAMS = {"home/entities.py"}  # in English, like the API
FILES = [
    file
    for file in sorted(ROOM.rglob("*.py"))
    if not TO_NOBODY & set(file.parts) and str(file.relative_to(ROOM)) not in TO_OPERATORS | TO_PROGRAMS
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOM)))
def test_what_the_code_says_is_in_the_catalogue(file: Path) -> None:
    strays = strays_in_interface if file.parent == INTERFACE else strays_in
    assert strays(file.read_text()) == []


def test_a_sentence_that_is_not_would_be_found() -> None:
    assert strays_in('x = "It is warm"') == ["It is warm"]
    assert strays_in('f(f"Since then {n} came")') == ["Since then "]
    assert strays_in('"""It is warm."""\nx = _("It is warm"), N_("It is warm"), ngettext("It is", "They are", n)') == []
    assert strays_in('_log.warning("It is warm")\ndef f():\n    """It is warm."""') == []


def test_a_description_of_the_interface_is_in_english() -> None:
    described = 'Field(description="It is warm"), {404: {"description": "It is warm"}}'
    assert strays_in_interface(described) == []
    assert strays_in(described) == ["It is warm", "It is warm"]
    assert strays_in_interface('Field(title="It is warm"), {"detail": "It is warm"}') == ["It is warm", "It is warm"]


def strays_in(source: str) -> list[str]:
    return list(_strays(ast.parse(source)))


def strays_in_interface(source: str) -> list[str]:
    return list(_strays(_WithoutDescriptions().visit(ast.parse(source))))


def _strays(node: ast.AST) -> Iterator[str]:
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.Call) and _is_marked_or_logged(inner.func):
            continue
        if isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Constant):  # a docstring
            continue
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str) and SENTENCE.match(inner.value):
            yield inner.value
        yield from _strays(inner)


class _WithoutDescriptions(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.keywords = [keyword for keyword in node.keywords if keyword.arg != "description"]
        return self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        kept = [(key, value) for key, value in zip(node.keys, node.values, strict=True) if not _is_description(key)]
        node.keys, node.values = [key for key, _ in kept], [value for _, value in kept]
        return self.generic_visit(node)


def _is_description(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value == "description"


def _is_marked_or_logged(called: ast.expr) -> bool:
    if isinstance(called, ast.Name):
        return called.id in KEYWORDS
    return isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "_log"
