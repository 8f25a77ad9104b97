"""The argued survivors of argued.toml. A mutant is matched by the text of its line, not by the line number.

Argued survivors still count as survivors: tests must kill at least 90 % of all mutants. The report separates them from
the others, which nobody has examined yet.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hil_tests.mutants.operators import Mutant, changed_lines

FILE = Path(__file__).with_name("argued.toml")


@dataclass(frozen=True)
class Argued:
    """A mistake, and why no test can or should notice it. `line` and `mistake` are the texts of `changed_lines`."""

    module: str
    function: str
    operator: str
    line: str
    mistake: str
    reason: str

    def is_of(self, mutant: Mutant) -> bool:
        """Return whether this is the mistake of the mutant."""
        found = (mutant.path, mutant.function, mutant.operator, *changed_lines(mutant))
        return found == (self.module, self.function, self.operator, self.line, self.mistake)


def argued(text: str) -> list[Argued]:
    """Parse a text in the format of FILE. Raise TypeError if an entry lacks a field or has an unknown one."""
    return [Argued(**fields) for fields in tomllib.loads(text).get("argued", [])]


def reason(mutant: Mutant, reasons: Iterable[Argued]) -> str | None:
    """Return why the mutant may survive, or None if it is not argued."""
    return next((one.reason for one in reasons if one.is_of(mutant)), None)
