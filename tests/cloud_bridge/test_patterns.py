"""Does every regular expression of the cloud take linear time for any text?

Python's engine backtracks: a pattern that can begin anywhere and repeats without a bound can take quadratic time; nested
repetitions can take exponential time. Each pattern is tested with texts of its own parts, repeated and never completed.
Patterns of forms and queries belong to pydantic, whose engine is linear (Rust's regex).
"""

import ast
import importlib
import pkgutil
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from re import _constants as codes
from re import _parser as parser
from types import FrameType
from typing import Any

import pytest

import cloud_bridge

LENGTHS = (8_000, 40_000)  # characters; the engine cannot be interrupted, and finishes soon with few
LIMIT_S = 0.05  # processor time for one text; at 40,000 characters a quadratic pattern takes thrice that, ours a third
ROOT = Path(cloud_bridge.__file__ or "").parent
COMPILE = "re.compile"
FUNCTIONS = {COMPILE} | {
    f"re.{name}" for name in ("match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer")
}
OURS = {  # file: why no user chooses the text
    "store/backup.py": "the dump of PostgreSQL that the operator restores",
    "store/migrations/versions/0011_ids_never_reused.py": "the statements that made our own tables",
}
ANYTHING = " a0A_-.:/\\\"'@&;%+="


class TooSlow(Exception):
    """The time limit was exceeded."""


def modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages([str(ROOT)], "cloud_bridge."):
        path = found.name.removeprefix("cloud_bridge.").replace(".", "/") + ".py"
        if path not in OURS and not path.endswith("__main__.py") and "migrations/" not in path:
            yield importlib.import_module(found.name)


def patterns_in(value: Any) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple | list | frozenset | set):
        for one in value:
            yield from patterns_in(one)
    elif isinstance(value, dict):
        yield from patterns_in(list(value.values()))


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield calls of functions of `re`, by file."""
    for path in sorted(ROOT.rglob("*.py")):
        name = str(path.relative_to(ROOT))
        if "node_modules" in name or name in OURS:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in FUNCTIONS:
                yield name, node


def all_patterns() -> dict[str, re.Pattern[str]]:
    found = {one.pattern: one for module in modules() for one in patterns_in(list(vars(module).values()))}
    for _, call in calls():
        if isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str):
            found.setdefault(call.args[0].value, re.compile(call.args[0].value))
    return {text: one for text, one in found.items() if isinstance(text, str)}


PATTERNS = all_patterns()


def sample(items: Any) -> str:
    """Return a short text that the parsed pattern matches, or almost."""
    return "".join(map(sample_of, items))


def sample_of(item: tuple[Any, Any]) -> str:
    code, value = item
    if code is codes.LITERAL:
        return chr(value)
    if code is codes.NOT_LITERAL:
        return "a" if value != ord("a") else "b"
    if code is codes.ANY:
        return "a"
    if code is codes.IN:
        return next((one for one in map(chr, range(32, 127)) if is_in(value, one)), "\u00e9")
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
        return sample(value[2]) * max(1, int(value[0]))
    if code is codes.SUBPATTERN:
        return sample(value[3])
    if code is codes.BRANCH:
        return sample(value[1][0])
    return ""  # of a place or a reference


def is_in(items: Any, one: str) -> bool:
    text = "[^" if items[0][0] is codes.NEGATE else "["
    for code, value in items:
        if code is codes.LITERAL:
            text += re.escape(chr(value))
        elif code is codes.RANGE:
            text += f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
        elif code is codes.CATEGORY:
            text += CATEGORIES[value]
    return re.fullmatch(text + "]", one) is not None


CATEGORIES = {
    codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_NOT_DIGIT: r"\D",
    codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S",
    codes.CATEGORY_WORD: r"\w",
    codes.CATEGORY_NOT_WORD: r"\W",
}


def pumps(items: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """Yield, for every repetition, the text before it and the text that it repeats."""
    for item in items:
        code, value = item
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            yield before, sample(value[2])
            yield from pumps(value[2], before)
        elif code is codes.SUBPATTERN:
            yield from pumps(value[3], before)
        elif code is codes.BRANCH:
            for branch in value[1]:
                yield from pumps(branch, before)
        before += sample_of(item)


def attacks(pattern: re.Pattern[str], length: int) -> Iterator[str]:
    parsed = parser.parse(pattern.pattern, pattern.flags)
    whole = sample(parsed)
    pieces = {(before, item) for before, item in pumps(parsed)} | {("", one) for one in (whole, whole[:-1], *ANYTHING)}
    for before, item in sorted(pieces):
        for repeated in {item, before + item, before}:
            if repeated:
                yield before + repeated * (length // len(repeated)) + "\x01"


def too_slow(_number: int, _frame: FrameType | None) -> None:
    raise TooSlow


def is_linear(pattern: re.Pattern[str]) -> bool:
    before = signal.signal(signal.SIGPROF, too_slow)
    try:
        for text in (text for length in LENGTHS for text in attacks(pattern, length)):
            signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
            try:
                pattern.sub("", text)
                pattern.fullmatch(text)
            except TooSlow:
                return False
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
    finally:
        signal.signal(signal.SIGPROF, before)
    return True


def test_every_pattern_is_known() -> None:
    """Patterns compiled in a module, and literals: none is built at run time."""
    unknown = [
        f"{name}:{call.lineno}"
        for name, call in calls()
        if not isinstance(call.args[0], ast.Constant) and ast.unparse(call.func) != COMPILE
    ]
    assert unknown == []
    assert len(PATTERNS) > 20


@pytest.mark.parametrize("text", sorted(PATTERNS))
def test_it_takes_linear_time(text: str) -> None:
    assert is_linear(PATTERNS[text])


@pytest.mark.parametrize(
    "text", [r"AT\+(CIICR|CGATT)\S*: .*", r"\s+$", r"(a+)+b", r"(?:\w|_)*x", r"\d+x", r"<[^>]*>", r"(x+x+)+y"]
)
def test_a_bad_pattern_would_be_found(text: str) -> None:
    assert not is_linear(re.compile(text))
