"""Modem families by model number: the one place where a model is mapped to its driver.

To add a family: a module in this folder with a driver as its FAMILY, and a line in MODELS for each model. Only the
module that is asked for is imported, so a board holds the code of one family (and of the one that it extends).
"""

from modem.errors import CommandError
from modem.families import driver

if False:  # for mypy alone
    from modem.client import Modem
    from modem.contracts import Family

# (part of the answer to one of QUESTIONS, module in modem/families). The first row that fits counts.
MODELS = (
    ("SIM7000", "sim7000"),
    ("SIM7070", "sim7000"),
    ("SIM7080", "sim7000"),
    ("SIM7500", "sim7600"),
    ("SIM7600", "sim7600"),
    ("A7600", "sim7600"),
    ("A7670", "sim7600"),
    ("A7672", "sim7600"),
    ("SIM800", "sim800"),
    ("EC20", "quectel"),
    ("EC21", "quectel"),
    ("EC25", "quectel"),
    ("EG21", "quectel"),
    ("EG25", "quectel"),
    ("EG91", "quectel"),
    ("EG95", "quectel"),
    ("BG77", "quectel"),
    ("BG95", "quectel"),
    ("BG96", "quectel"),
)
DEFAULT = "sim800"  # for models that are not listed
UNKNOWN = "driver"  # for the first commands, before the model is known: those of the standards

# 27.007, 5.2 and 5.3, V.250, 6.1.3: the model ("SIMCOM_SIM800L"), the product ("SIM800 R14.18") and the firmware revision
# ("Revision:1418B05SIM800L24"). The later ones are only sent if the earlier ones do not name a listed model.
QUESTIONS = ("AT+CGMM", "ATI", "AT+CGMR")


def family_name(answer: str) -> "str | None":
    """Return the module name of the family whose model number is part of `answer`, or None."""
    for model, name in MODELS:
        if model in answer:
            return name
    return None


def load(name: str = UNKNOWN) -> "Family":
    """Import modem/families/`name` and return its driver. Raises ImportError if there is no such module."""
    family: Family = driver.load(name).FAMILY
    return family


def identify(modem: "Modem") -> "str | None":
    """Ask a synchronised modem for its model and make it use the driver of its family; DEFAULT for an unknown model.

    Returns the first line of the first answer, usually the model number; None if the modem refuses all QUESTIONS. Raises the
    errors of Modem.query, except CommandError.
    """
    model = name = None
    for question in QUESTIONS:
        try:
            answer = modem.query(question, str)
        except CommandError:
            continue
        model = model or answer.split("\n")[0].strip() or None
        name = family_name(answer)
        if name:
            break
    modem.use_family(load(name or DEFAULT))
    return model
