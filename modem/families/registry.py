"""Modem families by model number: the only place where a model is mapped to its driver.

To add a family, add a module to this folder with a driver as its FAMILY, and a line to MODELS for each model. Only the
requested module is imported, so a board holds the code of one family in memory (and of the one that it extends).
"""

from modem.errors import CommandError
from modem.families import driver

if False:  # for mypy alone
    from modem.client import Modem
    from modem.contracts import Family

# (part of the answer to one of QUESTIONS, module in modem/families). The first matching row applies.
MODELS = (
    ("SIM7000", "sim7000"),
    ("SIM7070", "sim7080"),
    ("SIM7080", "sim7080"),
    ("SIM7090", "sim7080"),
    ("SIM7500", "sim7600"),
    ("SIM7600", "sim7600"),
    ("A7600", "sim7600"),
    ("A7670", "sim7600"),
    ("A7672", "sim7600"),
    ("A76", "sim7600"),  # the other models of the A76XX Series AT Command Manual
    ("SIM80", "sim800"),  # SIM800, SIM808
    ("SIM86", "sim800"),  # SIM868
    ("SIM90", "sim800"),  # SIM900, SIM908: SIM900 Series AT Command Manual V1.11 has the same commands
    ("EC20", "quectel"),  # and EC200
    ("EC21", "quectel"),
    ("EC25", "quectel"),
    ("EG21", "quectel"),
    ("EG25", "quectel"),
    ("EG91", "quectel"),  # and EG912, EG915
    ("EG95", "quectel"),
    ("BG77", "quectel"),
    ("BG95", "quectel"),
    ("BG96", "quectel"),
    ("BG600", "quectel"),
    ("M10", "m95"),
    ("M26", "m95"),
    ("M35", "m95"),
    ("M66", "m95"),
    ("M72", "m95"),
    ("M95", "m95"),
    ("MC20", "m95"),
    ("MC60", "m95"),
)
# A model of at most this many characters may occur within another word, such as a firmware revision ("LE20B03SIM7600M22"), so
# it matches only if none of OF_A_WORD precedes it.
SHORT_MODEL = 4
OF_A_WORD = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
DEFAULT = "sim800"  # for models that are not listed
UNKNOWN = "driver"  # before the model is known: the commands of the standards only

# 27.007, 5.2 and 5.3, V.250, 6.1.3: the model ("SIMCOM_SIM800L"), the product ("SIM800 R14.18") and the firmware revision
# ("Revision:1418B05SIM800L24"). A later query is sent only if the earlier ones did not return a listed model.
QUESTIONS = ("AT+CGMM", "ATI", "AT+CGMR")


def family_name(answer: str) -> "str | None":
    """Return the module name of the family whose model number occurs in `answer`, or None."""
    answer = answer.upper()
    for model, name in MODELS:
        at = answer.find(model)
        while at >= 0:
            if not at or len(model) > SHORT_MODEL or answer[at - 1] not in OF_A_WORD:
                return name
            at = answer.find(model, at + 1)
    return None


def load(name: str = UNKNOWN) -> "Family":
    """Import modem/families/`name` and return its driver. Raises ImportError if there is no such module."""
    family: Family = driver.load(name).FAMILY
    return family


def identify(modem: "Modem") -> "str | None":
    """Query the model of a synchronised modem, and set the driver of its family; DEFAULT for an unknown model.

    Return the first line that contains a listed model, else the first line of the first answer; `family_name` of it is None if
    DEFAULT was used. Return None if the modem refuses all QUESTIONS. Raises the errors of Modem.query, except CommandError.
    """
    model = name = None
    for question in QUESTIONS:
        try:
            answer = modem.query(question, str)
        except CommandError:
            continue
        for line in answer.split("\n"):
            name = family_name(line)
            model = line if name else model or line
            if name:
                break
        if name:
            break
    modem.use_family(load(name or DEFAULT))
    return model and _bare(model)


def _bare(model: str) -> str:
    """Strip stray bytes, the prefix "+CGMM: " that some firmware writes, and quotes."""
    at = 0
    while at < len(model) and not " " < model[at] < "\x7f":
        at += 1
    model = model[at:]
    return (model[6:] if model.startswith("+CGMM:") else model).strip().strip('"')
