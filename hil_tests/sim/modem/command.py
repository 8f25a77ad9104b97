"""Parse AT command lines (ITU-T V.250 section 5), and the errors of a command."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Kind = Literal["execute", "read", "test", "write"]


class AtError(Exception):
    """The modem refuses a command with plain ERROR, whatever CMEE is."""


class CmeError(AtError):
    """The modem refuses a command with a reason, in the form that AT+CMEE selects."""

    def __init__(self, code: int) -> None:
        super().__init__(CME_TEXT[code])
        self.code = code


# AT manual V1.12 chapter 19: those that this simulator raises.
CME_TEXT = {
    3: "operation not allowed",
    10: "SIM not inserted",
    30: "no network service",
    50: "incorrect parameters",
    100: "unknown",
    148: "unspecified GPRS error",
    609: "Abort Cops",
    797: "CFUN state is 0 or 4",
}


@dataclass(frozen=True)
class Command:
    """One command of a line: `AT+CREG=2` is Command("+CREG", "write", ("2",))."""

    name: str
    kind: Kind
    arguments: tuple[str, ...] = ()

    def number(self, index: int, default: int | None = None, *, within: range) -> int:
        """Return an argument as a number, or `default` if it is missing. Raises CmeError 50 if it is out of range."""
        text = self.arguments[index] if index < len(self.arguments) else ""
        if text == "" and default is not None:
            return default
        if not text.isdecimal() or int(text) not in within:
            raise CmeError(50)
        return int(text)

    def text(self, index: int, default: str = "") -> str:
        """Return an argument without its quotes, or `default` if it is missing."""
        return self.arguments[index] if index < len(self.arguments) else default


@dataclass(frozen=True)
class Final:
    """The final result of a command that does not end with a plain OK. `then` are lines that follow it at once."""

    text: str | None = "OK"
    then: tuple[str, ...] = ()


Handler = Callable[[Command], Awaitable[Final | None]]


def fixed(say: Callable[[str], None], text: str) -> Handler:
    """Return a handler that always answers with the same line."""

    async def reply(command: Command) -> None:
        if command.kind != "test":
            say(text)

    return reply


_DIAL = re.compile(r"D(?P<number>[^;]*)")  # V.250 section 6.3.1: up to the end of the line, or ";"
_BASIC = re.compile(r"(?P<name>&?[A-Z])(?P<value>\d*)(?P<rest>=\?|\?|=\d*)?")
_EXTENDED = re.compile(r'(?P<name>[+*#$^][A-Z0-9]+)(?P<rest>(?:"[^"]*"|[^";])*)')


@lru_cache(256)  # a unit sends the same commands all day
def commands(body: str) -> tuple[Command, ...]:
    """Return the commands after AT on one line, in order. Raises AtError if the line is not valid."""
    found: list[Command] = []
    at = 0
    while at < len(body):
        if body[at] in "; ":
            at += 1
            continue
        extended = _EXTENDED.match(body.upper(), at)
        basic = _BASIC.match(body.upper(), at)
        dial = _DIAL.match(body.upper(), at)
        if dial:
            found.append(Command("D", "execute", (dial["number"].strip(),)))
            at = dial.end()
        elif extended:
            name = extended["name"]
            found.append(_extended(name, body[at + len(name) : extended.end()].strip()))
            at = extended.end()
        elif basic:
            kind: Kind = "read" if basic["rest"] == "?" else "execute"
            found.append(Command(basic["name"], kind, (basic["value"],)))
            at = basic.end()
        else:
            raise AtError(body[at:])
    return tuple(found) or (Command("", "execute"),)


def _extended(name: str, rest: str) -> Command:
    if rest == "":
        return Command(name, "execute")
    if rest == "?":
        return Command(name, "read")
    if rest == "=?":
        return Command(name, "test")
    if not rest.startswith("="):
        raise AtError(name + rest)
    return Command(name, "write", tuple(_unquoted(field) for field in _split(rest[1:])))


def _split(fields: str) -> list[str]:
    """Split at commas outside quotes."""
    return re.findall(r'(?:^|,)((?:"[^"]*"|[^",])*)', fields)


def _unquoted(field: str) -> str:
    field = field.strip()
    return field[1:-1] if len(field) >= 2 and field[0] == field[-1] == '"' else field
