"""Are maker-specific commands only in modem/families, so that a unit can have another maker's modem?

For a new standard command outside of it, add a line to STANDARD with the clause that defines it. A command without a standard
belongs to a family.
"""

import re
from pathlib import Path

import pytest

from modem.families import m95, quectel, sim800, sim7000, sim7080, sim7600

ROOT = Path(__file__).parent.parent.parent
FAMILIES = ROOT / "modem" / "families"
REDACTION = ROOT / "modem" / "installer" / "redaction.py"  # sends nothing, and recognises the logins of all makers
OUTSIDE = sorted(
    path for room in ("modem", "firmware") for path in (ROOT / room).rglob("*.py*")
    if path.suffix in (".py", ".pyi") and path.parent != FAMILIES and path != REDACTION
)  # fmt: skip
NAME = re.compile(r"(?:\bAT|[\"'`(,] ?)[+*^$#%]([A-Z][A-Z0-9]{2,})")
# Bare names too, as in comments: a maker's name begins with this, or ends with a command of one maker's socket API.
MAKERS = re.compile(
    r"\b(CIP(?!HER)[A-Z]{3,}|CII?CR|CIFSR|CSTT|CNETSCAN|CENG|CLTS|CPSI|CNACT|CNCFG|CA(?:OPEN|SEND|RECV|ACK|STATE|CLOSE)|NETOPEN|NETCLOSE|QI[A-Z]{2,}|QENG|QCSQ)\b"
)
STANDARD = {
    "3GPP TS 27.007": {
        "CBC": "8.4", "CCLK": "8.15", "CEREG": "10.1.22", "CFUN": "8.2", "CGATT": "10.1.9", "CGAUTH": "10.1.31",
        "CGDCONT": "10.1.1", "CGMM": "5.2", "CGMR": "5.3", "CGREG": "10.1.20", "CGSN": "5.4", "CLCK": "7.4", "CME": "9.2",
        "CMEE": "9.1", "COPS": "7.3", "CPIN": "8.3", "CPWD": "7.5", "CREG": "7.2", "CRSM": "8.18", "CSCS": "5.5", "CSQ": "8.5",
        "CTZU": "8.40", "CUSD": "7.15",
    },
    "3GPP TS 27.005": {"CMS": "3.2.5", "CMT": "3.4.1"},
    "ITU-T V.250": {"IPR": "6.2.10", "IFC": "6.2.12"},
    "the form of a command": {"NAME": "modem/at.py"},
}  # fmt: skip
ALLOWED = {name for clauses in STANDARD.values() for name in clauses}


def of_a_maker(text: str) -> set[str]:
    """Return the names of commands that no standard defines."""
    return set(NAME.findall(text)) - ALLOWED | set(MAKERS.findall(text))


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_command_of_one_maker_stands_outside_the_families(path: Path) -> None:
    strays = of_a_maker(path.read_text())
    assert not strays, f"{path.relative_to(ROOT)}: {sorted(strays)} belong to a driver in modem/families"


def test_a_stray_command_would_be_seen() -> None:
    for text in ('modem.ensure("AT+CIPSHUT")', '"AT+CNETSCAN"', "# CIPSHUT before that", '"+QIURC: "', '"AT+XYZ=1"'):
        assert of_a_maker(text), text
    assert not of_a_maker('"AT+CSQ" or "AT+COPS=?", CIPHERS, QUEUE')


def test_the_families_have_some() -> None:
    for module in (m95, quectel, sim800, sim7000, sim7080, sim7600):
        assert of_a_maker(Path(str(module.__file__)).read_text())
