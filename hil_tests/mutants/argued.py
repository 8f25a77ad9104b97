"""Survivors that stay, each with its reason, in argued.toml: found by what stands there, on whichever line that is by then.

They count as survivors all the same: at least 90 % have to be noticed by tests. A report only says which of the others have
a reason, so that what nobody has looked at yet stands out.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hil_tests.mutants.operators import Mutant, changed_lines

FILE = Path(__file__).with_name("argued.toml")


@dataclass(frozen=True)
class Argued:
    """A mistake, and why no test can tell it, or none should. `line` and `mistake`: as `changed_lines` has them."""

    module: str
    function: str
    operator: str
    line: str
    mistake: str
    reason: str

    def is_of(self, mutant: Mutant) -> bool:
        """Whether this is the mistake of a mutant."""
        found = (mutant.path, mutant.function, mutant.operator, *changed_lines(mutant))
        return found == (self.module, self.function, self.operator, self.line, self.mistake)


def argued(text: str) -> list[Argued]:
    """All that are argued in a text like that of FILE. Raises TypeError if a field is missing, or one more is there."""
    return [Argued(**fields) for fields in tomllib.loads(text).get("argued", [])]


def reason(mutant: Mutant, reasons: Iterable[Argued]) -> str | None:
    """Why the mutant may survive; None if nobody has argued it."""
    return next((one.reason for one in reasons if one.is_of(mutant)), None)
