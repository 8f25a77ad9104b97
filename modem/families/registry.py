"""Modem families by model number: the one place where a model is mapped to its tables.

To add a family of SIMCom's CIP dialect: a module in this folder with the names of sim800.py, and a line in MODELS. Only the
module that is asked for is imported, so a board holds the tables of one family (and of the one that it extends).
"""

from modem.errors import CommandError

if False:  # for mypy alone
    from modem.client import Modem
    from modem.contracts import Family

# (part of the answer to one of QUESTIONS, module in modem/families). The first row that fits counts.
MODELS = (
    ("SIM7000", "sim7000"),
    ("SIM7070", "sim7000"),
    ("SIM7080", "sim7000"),
    ("SIM800", "sim800"),
)
DEFAULT = "sim800"  # for the first commands, before the model is known, and for models that are not listed

# SIM800 Series AT Command Manual V1.12: the model ("SIMCOM_SIM800L"), the product ("SIM800 R14.18") and the firmware revision
# ("Revision:1418B05SIM800L24"). The later ones are only sent if the earlier ones do not name a listed model.
QUESTIONS = ("AT+CGMM", "ATI", "AT+CGMR")


def family_name(answer: str) -> "str | None":
    """Return the module name of the family whose model number is part of `answer`, or None."""
    for model, name in MODELS:
        if model in answer:
            return name
    return None


def load(name: str = DEFAULT) -> "Family":
    """Import modem/families/`name` and return it. Raises ImportError if there is no such module."""
    family: "Family" = __import__("modem.families." + name, None, None, (name,))  # noqa: UP037  MicroPython has no Family
    return family


def identify(modem: "Modem") -> "str | None":
    """Ask a synchronised modem for its model and make it use the tables of its family.

    Returns the first line of the first answer, usually the model number; None if the modem refuses all QUESTIONS. An unknown
    model keeps the tables that are in use. Raises the errors of Modem.query, except CommandError.
    """
    model = None
    for question in QUESTIONS:
        try:
            answer = modem.query(question, str)
        except CommandError:
            continue
        model = model or answer.split("\n")[0].strip() or None
        name = family_name(answer)
        if name:
            modem.use_family(load(name))
            break
    return model
