"""The table of mistakes, and all mutants of a source text. Pure.

Only the code in functions is changed. Texts are left out, because tests do not repeat what people read. Constants of
modules and classes are left out too: tests refer to them by name, so the expected values would change with them.
"""

import ast
import copy
import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

Change = Callable[[ast.AST], Iterable[ast.AST]]

COMPARED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
CALCULATED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
CONNECTED: dict[type[ast.AST], type[ast.AST]] = {ast.And: ast.Or, ast.Or: ast.And}
CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}
DEFINED = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
# Swapping the arguments of these changes nothing, or fails in every test.
NOT_SWAPPED = ("min", "max", "suppress", "isinstance", "issubclass", "hasattr", "getattr")
LOGS = ("log", "_log", "logging", "logger")  # texts for people


@dataclass(frozen=True)
class Mutant:
    """A mistake in `source`: `instead` replaces the bytes from `begin` to `end`. `name` identifies it."""

    path: str
    name: str  # path:line:column:operator-number
    function: str  # Outbox.put
    source: str
    begin: int
    end: int
    instead: str

    @property
    def operator(self) -> str:
        """Return the key in OPERATORS that made it."""
        return self.name.rpartition(":")[2].rpartition("-")[0]

    def mutated(self) -> str:
        """Return the whole source with the mistake."""
        text = self.source.encode()
        return (text[: self.begin] + self.instead.encode() + text[self.end :]).decode()


def _compared(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for number, sign in enumerate(node.ops):
            signs = [*node.ops[:number], COMPARED[type(sign)](), *node.ops[number + 1 :]]
            yield ast.Compare(node.left, signs, node.comparators)  # type: ignore[arg-type]  # the table has operators only


def _calculated(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in CALCULATED:
        parts = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.value,)
        if not any(_is_text(part) for part in parts):
            yield _with(node, op=CALCULATED[type(node.op)]())


def _connected(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BoolOp):
        yield _with(node, op=CONNECTED[type(node.op)]())


def _without_not(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand


def _numbered(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        yield from (ast.Constant(node.value + 1), ast.Constant(node.value - 1))


def _opposite(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)


def _called(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLED:
        yield _with(node, func=ast.Name(CALLED[node.func.id]))


def _swapped(node: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(node, ast.Call) or len(node.args) < 2 or any(isinstance(one, ast.Starred) for one in node.args):
        return
    if not (isinstance(node.func, ast.Name) and node.func.id in NOT_SWAPPED):
        first, second, *others = node.args
        if ast.dump(first) != ast.dump(second):
            yield _with(node, args=[second, first, *others])


def _returned(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Return) and node.value and not _is_one_of(node.value, (None, False, True)):
        yield ast.Return(ast.Constant(None))


def _dropped(node: ast.AST) -> Iterator[ast.AST]:
    drops = isinstance(node, (ast.Raise, ast.Break, ast.Continue, ast.AugAssign))
    if isinstance(node, ast.Expr):
        drops = isinstance(node.value, (ast.Call, ast.Await))
    elif isinstance(node, ast.Assign):  # except to a name: without it, its first use fails
        drops = all(isinstance(target, (ast.Attribute, ast.Subscript)) for target in node.targets)
    if drops:
        yield ast.Pass()


OPERATORS: dict[str, Change] = {
    "compared": _compared,
    "calculated": _calculated,
    "connected": _connected,
    "without-not": _without_not,
    "numbered": _numbered,
    "opposite": _opposite,
    "called": _called,
    "swapped": _swapped,
    "returned": _returned,
    "dropped": _dropped,
}


def mutants(path: str, source: str) -> list[Mutant]:
    """Return every mutant of a source text, sorted by place."""
    starts = [0, *accumulate(len(line) for line in source.encode().splitlines(keepends=True))]
    named: Counter[str] = Counter()
    found = []
    for function, node in _changeable(ast.parse(source)):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        for operator, change in OPERATORS.items():
            for new in change(node):
                written = ast.unparse(ast.fix_missing_locations(new))
                if isinstance(new, ast.expr) and not isinstance(new, (ast.Constant, ast.Call)):
                    written = f"({written})"
                name = f"{path}:{node.lineno}:{node.col_offset}:{operator}"
                named[name] += 1
                found.append(Mutant(path, f"{name}-{named[name]}", function, source, begin, end, written))
    return found


def marked(path: str, source: str) -> str:
    """Return the same program, in which each function reports its call to `builtins.reached`.

    It passes the text "path Class.function".
    """
    tree = ast.parse(source)
    for function, node in list(_functions(tree)):
        tell = ast.parse(f"_reached({f'{path} {function}'!r})").body
        node.body[ast.get_docstring(node) is not None : 0] = tell
    first = next((at for at, node in enumerate(tree.body) if not _is_beginning(node)), len(tree.body))
    tree.body[first:first] = ast.parse("_reached = getattr(__import__('builtins'), 'reached', id)").body
    return ast.unparse(ast.fix_missing_locations(tree))


def difference(mutant: Mutant) -> str:
    """Return the lines that the mutant changes, with - and + as in a diff."""
    lines = difflib.unified_diff(mutant.source.splitlines(), mutant.mutated().splitlines(), n=0, lineterm="")
    return "\n".join(line for line in lines if line[:3] not in ("---", "+++") and line[:2] != "@@")


def changed_lines(mutant: Mutant) -> tuple[str, str]:
    """Return the original lines and the mutated lines, without indentation."""
    lines = difference(mutant).splitlines()
    before, after = (" ".join(line[1:].strip() for line in lines if line[0] == sign) for sign in "-+")
    return before, after


def _changeable(node: ast.AST, within: str = "", function: str = "") -> Iterator[tuple[str, ast.expr | ast.stmt]]:
    """Yield the expressions and statements in functions, each with the name of the innermost function."""
    for child in _children(node):
        if isinstance(child, DEFINED):
            name = within + child.name
            yield from _changeable(child, name + ".", "" if isinstance(child, ast.ClassDef) else name)
        else:
            if function and isinstance(child, (ast.expr, ast.stmt)):
                yield function, child
            yield from _changeable(child, within, function)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the children, except types, decorators, f-strings, logging, and what only mypy reads."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.If) and isinstance(node.test, ast.Constant)):
        return
    for field, value in ast.iter_fields(node):
        if field not in ("annotation", "returns", "decorator_list"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not _is_logging(child):
                    yield child


def _functions(node: ast.AST, within: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield within + child.name, child
        yield from _functions(child, within + child.name + "." if isinstance(child, DEFINED) else within)


def _is_logging(node: ast.AST) -> bool:
    called = node.value if isinstance(node, ast.Expr) else node
    logger = called.func.value if isinstance(called, ast.Call) and isinstance(called.func, ast.Attribute) else None
    return isinstance(logger, ast.Name) and logger.id in LOGS


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)))


def _is_one_of(node: ast.AST, values: tuple[object, ...]) -> bool:
    return isinstance(node, ast.Constant) and any(node.value is value for value in values)


def _is_beginning(node: ast.stmt) -> bool:
    """Return whether this statement has to come first in a module: its docstring, or a future import."""
    if isinstance(node, ast.ImportFrom):
        return node.module == "__future__"
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for field, value in fields.items():
        setattr(changed, field, value)
    return changed
