"""Is a survivor that was argued found again wherever it stands by then, and is nothing argued that is not there?"""

from pathlib import Path

import pytest

from hil_tests.mutants.argued import FILE, argued, reason
from hil_tests.mutants.operators import OPERATORS, mutants

ROOT = Path(__file__).parents[3]
TEXT = """
[[argued]]
module = "a.py"
function = "f"
operator = "numbered"
line = "a = b[6]"
mistake = "a = b[7]"
reason = "both are the same"
"""


def reasons_in(source: str, path: str = "a.py") -> list[str]:
    """The operators and reasons of the mutants of a text that TEXT argues."""
    return [f"{mutant.operator}: {why}" for mutant in mutants(path, source) if (why := reason(mutant, argued(TEXT)))]


def test_it_is_found_by_what_stands_there() -> None:
    found = ["numbered: both are the same"]
    assert reasons_in("def f(b):\n    a = b[6]\n") == found
    assert reasons_in("import b\n\n\ndef f(b):\n    if b:\n        a = b[6]\n") == found


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("def f(b):\n    a = b[6]\n", "b.py"),
        ("def g(b):\n    a = b[6]\n", "a.py"),
        ("def f(b):\n    a = b[5]\n", "a.py"),
        ("def f(b):\n    a = b[6] + 1\n", "a.py"),
    ],
    ids=["of another module", "of another function", "another line", "more on the line"],
)
def test_another_mistake_is_not_argued(source: str, path: str) -> None:
    assert reasons_in(source, path) == []


def test_a_mistake_over_several_lines_is_written_as_one() -> None:
    text = TEXT.replace("a = b[6]", "a = ( b[6] )").replace("a = b[7]", "a = ( b[7] )")
    (mutant, _) = mutants("a.py", "def f(b):\n    a = (\n        b[6]\n    )\n")
    assert reason(mutant, argued(TEXT)) is None and reason(mutant, argued(text)) is None
    assert reason(mutant, argued(TEXT.replace("a = b[6]", "b[6]").replace("a = b[7]", "b[7]")))


def test_an_argument_without_a_reason_is_none() -> None:
    with pytest.raises(TypeError):
        argued(TEXT.replace("reason", "because"))


def test_all_that_is_argued_stands_in_the_tree_today() -> None:
    made = {path: mutants(path, (ROOT / path).read_text()) for path in {one.module for one in argued(FILE.read_text())}}
    gone = [one for one in argued(FILE.read_text()) if not any(one.is_of(mutant) for mutant in made[one.module])]
    assert gone == [], "remove them: nobody can make this mistake any more"
    assert {one.operator for one in argued(FILE.read_text())} <= set(OPERATORS)
