"""Is each kind of mutation made at each place of a function, and nothing else?"""

import ast
import builtins

import pytest

from hil_tests.mutants.operators import OPERATORS, Mutant, difference, marked, mutants


def of(body: str) -> list[Mutant]:
    """Return the mutants of a function with this body."""
    return mutants("a.py", f"def f(a, b):\n    {body}\n")


def written(body: str, operator: str) -> set[str]:
    """Return what this operator makes of the body."""
    return {mutant.mutated().splitlines()[1].strip() for mutant in of(body) if f":{operator}-" in mutant.name}


@pytest.mark.parametrize(
    ("operator", "body", "mistakes"),
    [
        ("compared", "if a < b: pass", {"if (a <= b): pass"}),
        ("compared", "if 0 < a <= b: pass", {"if (0 <= a <= b): pass", "if (0 < a < b): pass"}),
        ("compared", "if a is None: pass", {"if (a is not None): pass"}),
        ("compared", "if a in b: pass", {"if (a not in b): pass"}),
        ("calculated", "a += b + a", {"a -= b + a", "a += (b - a)"}),
        ("calculated", "a = b // a * b", {"a = (b * a) * b", "a = (b // a // b)"}),
        ("calculated", "a = 'text %d' % b", set()),
        ("connected", "if a and b: pass", {"if (a or b): pass"}),
        ("without-not", "if not a: pass", {"if (a): pass"}),
        ("numbered", "a = b[7]", {"a = b[8]", "a = b[6]"}),
        ("opposite", "a = True", {"a = False"}),
        ("called", "a = min(b)", {"a = max(b)"}),
        ("swapped", "a(b, a, 3)", {"a(a, b, 3)"}),
        ("swapped", "isinstance(a, b)", set()),
        ("swapped", "min(a, b)", set()),
        ("swapped", "suppress(a, b)", set()),
        ("swapped", "a(b, b)", set()),
        ("returned", "return a", {"return None"}),
        ("returned", "return None", set()),
        ("dropped", "a.b = 1", {"pass"}),
        ("dropped", "a()", {"pass"}),
        ("dropped", "raise a", {"pass"}),
        ("dropped", "a = 1", set()),
    ],
)
def test_a_mistake_of_this_kind(operator: str, body: str, mistakes: set[str]) -> None:
    assert written(body, operator) == mistakes


def test_every_operator_has_been_asked_about() -> None:
    (mark,) = [mark for mark in test_a_mistake_of_this_kind.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]
    assert {operator for operator, _, mistakes in mark.args[1] if mistakes} == set(OPERATORS)


@pytest.mark.parametrize(
    "source",
    [
        "LIMIT = 7\n",
        "class A:\n    number: int = 7\n",
        "def f() -> tuple[int, 7]:\n    '''It is < 7.'''\n",
        "def f(a):\n    return f'{a + 1}' if a else ''\n",
        "@cache(7)\ndef f(a: list[7]):\n    pass\n",
        "def f():\n    _log.info('%d', 7)\n",
        "def f():\n    if False:\n        g(7)\n",
    ],
)
def test_what_no_test_can_be_asked_for_stays(source: str) -> None:
    assert [mutant for mutant in mutants("a.py", source) if ":returned" not in mutant.name] == []


SOURCE = '''"""A module."""

from __future__ import annotations


class Box:
    def put(self, new):
        """Keep the larger, of ä or ö."""
        def is_larger():
            return "ä" and new > self.kept
        if is_larger():
            self.kept = new
'''


def test_each_mutant_is_one_change_of_a_program_and_has_a_name_of_its_own() -> None:
    found = mutants("box.py", SOURCE)
    for mutant in found:
        ast.parse(mutant.mutated())
        assert mutant.mutated() != SOURCE
    assert len({mutant.name for mutant in found}) == len(found)
    assert {(mutant.name.split(":")[3], mutant.function) for mutant in found} == {
        ("returned-1", "Box.put.is_larger"),
        ("connected-1", "Box.put.is_larger"),
        ("compared-1", "Box.put.is_larger"),
        ("dropped-1", "Box.put"),
    }


def test_a_difference_shows_the_lines_alone() -> None:
    (dropped,) = [mutant for mutant in mutants("box.py", SOURCE) if "dropped" in mutant.name]
    assert difference(dropped) == "-            self.kept = new\n+            pass"


def test_a_marked_program_says_which_functions_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    monkeypatch.setattr(builtins, "reached", begun.append, raising=False)
    program: dict[str, type] = {}
    exec(marked("box.py", SOURCE), program)
    box = program["Box"]()
    box.kept = 1
    box.put(2)
    assert box.kept == 2 and begun == ["box.py Box.put", "box.py Box.put.is_larger"]
