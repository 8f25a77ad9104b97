"""Commissions a charge point over its console: asks the installer one question at a time, checks each answer immediately, and
sends all answers in one command, which the unit records (firmware/commissioning.py).

The answers so far are stored in a file, so that an installer who stops, or has to correct something first, can continue later.
Only the installer code is asked for again.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from modem import signal
from modem.installer.advice import advice
from modem.installer.console_source import ConsoleSource, Refused
from modem.installer.measuring import Measurement

LEAST_A, MOST_A = 6, 80
RCD_TRIP_MAX_MS = 300  # BS 7671:2018+A2:2022, regulation 643.8, at the rated residual current [from memory]
EARTHING = ("TN-S", "TN-C-S", "TT")  # BS 7671, section 312
BY_MAX = 40  # characters
NO_BOOST, FITTED, ORDERED = "none", "fitted", "ordered"
PROGRESS_MAX_BYTES = 4096
CODE_TRIES = 3  # as many as the unit accepts without a wait (firmware/unlocking.py)


class NotYet(Exception):
    """The unit cannot be commissioned until something is corrected. The message is one line for people, with the remedy."""


class Unclear(ValueError):
    """The answer is not valid. The message describes a valid one."""


class Question(NamedTuple):
    """A question to the installer. `read` converts the typed answer to its value; it raises Unclear or NotYet."""

    name: str  # key in the JSON of the `commission` command
    words: str
    read: Callable[[str], Any]


class Talk(NamedTuple):
    """The dialogue with the installer, and the measurement."""

    ask: Callable[[str], str]  # raises EOFError
    ask_secret: Callable[[str], str]  # does not show what is typed; raises EOFError
    say: Callable[[str], None]
    measure: Callable[[], Measurement]


def _by(text: str) -> str:
    if not 0 < len(text) <= BY_MAX or not text.isprintable():
        raise Unclear(f"Type your name, 1 to {BY_MAX} characters.")
    return text


def _amps(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 4 and LEAST_A <= int(text) <= MOST_A):
        raise Unclear(f"Type a whole number from {LEAST_A} to {MOST_A}.")
    return int(text)


def _earth(text: str) -> str:
    if text.upper() not in EARTHING:
        raise Unclear("Type one of " + ", ".join(EARTHING) + ". PME is TN-C-S.")
    return text.upper()


def _polarity(text: str) -> bool:
    if text.lower() in ("n", "no"):
        raise NotYet(
            "The polarity is reversed: the unit cannot be commissioned. Correct the supply, then run this command again."
        )
    if text.lower() not in ("y", "yes"):
        raise Unclear("Type y or n.")
    return True


def _rcd_ms(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 6 and int(text) > 0):
        raise Unclear("Type the trip time that your tester shows, in whole milliseconds.")
    if int(text) > RCD_TRIP_MAX_MS:
        raise NotYet(
            f"The RCD trips after {int(text)} ms; the limit is {RCD_TRIP_MAX_MS} ms. The unit cannot be commissioned."
            " Correct this, then run this command again."
        )
    return int(text)


QUESTIONS = (
    Question("by", "Your name, for the record", _by),
    Question("amps", f"Rating of the circuit in A ({LEAST_A} to {MOST_A})", _amps),
    Question("earth", "Earthing arrangement (TN-S, TN-C-S or TT)", _earth),
    Question("polarity", "Is the polarity correct: live on L, neutral on N? (y/n)", _polarity),
    Question("rcd_ms", "Trip time of the RCD at its rated residual current, in ms", _rcd_ms),
)


class Progress:
    """The answers so far, as typed, in a file. They belong to one unit."""

    def __init__(self, path: Path, unit: str) -> None:
        self._path = path
        self._unit = unit
        self.answers = self._stored()

    def keep(self, name: str, answer: str | None) -> None:
        """Store the answer to question `name`; None removes it, so that the question is asked again. Raises OSError."""
        self.answers.pop(name, None)
        if answer is not None:
            self.answers[name] = answer
        kept = json.dumps({"unit": self._unit, "answers": self.answers}, ensure_ascii=False)
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.write_text(kept, encoding="utf-8")
        fresh.replace(self._path)

    def forget(self) -> None:
        """Delete the file: the unit is commissioned. Raises OSError."""
        self._path.unlink(missing_ok=True)

    def _stored(self) -> dict[str, str]:
        """Return the stored answers; {} if the file is missing or invalid, or belongs to another unit."""
        try:
            with self._path.open("rb") as file:
                stored = json.loads(file.read(PROGRESS_MAX_BYTES))
        except (OSError, ValueError):
            return {}
        if (
            not isinstance(stored, dict)
            or stored.get("unit") != self._unit
            or not isinstance(stored.get("answers"), dict)
        ):
            return {}
        return {name: answer for name, answer in stored["answers"].items() if isinstance(answer, str)}


def commission(source: ConsoleSource, talk: Talk, progress: Progress) -> dict[str, str]:
    """Ask all questions and send the `commission` command; return the unit's record, by name.

    Raises NotYet, Refused and CannotTalk; EOFError or KeyboardInterrupt if the installer stops; OSError if `progress` cannot
    be written. The answers so far remain in `progress`.
    """
    talk.say(f"Commissioned so far: {source.named('status').get('commissioned', 'not reported')}")
    _unlock(source, talk)
    order = {question.name: _answer(question, talk, progress) for question in QUESTIONS}
    order |= _signal(talk)
    source.ask("commission " + json.dumps(order, separators=(",", ":")))
    return source.named("commission")


def _unlock(source: ConsoleSource, talk: Talk) -> None:
    if source.named("config").get("installer_code") != "(set)":
        return
    for _ in range(CODE_TRIES):
        try:
            source.ask("unlock " + talk.ask_secret("Installer code of the unit"))
            return
        except Refused as refused:
            talk.say(f"The unit refused: {refused.why}")
    raise NotYet(
        "The unit cannot be commissioned without its installer code. Find it in the unit's papers, then run this again."
    )


def _answer(question: Question, talk: Talk, progress: Progress) -> Any:
    """Return the stored answer if it is still valid; otherwise ask until the answer is valid, and store it."""
    known = progress.answers.get(question.name)
    if known is not None:
        try:
            value = question.read(known)
            talk.say(f"{question.words}: {known} (answered before)")
            return value
        except (Unclear, NotYet):
            pass
    while True:
        typed = talk.ask(question.words).strip()
        try:
            value = question.read(typed)
        except Unclear as unclear:
            talk.say(str(unclear))
            continue
        except NotYet:
            progress.keep(question.name, None)
            raise
        progress.keep(question.name, typed)
        return value


def _signal(talk: Talk) -> dict[str, Any]:
    """Measure until the CSQ passes or a boost is ordered; return `csq` and `boost` for the command."""
    boost = NO_BOOST
    while True:
        measured = talk.measure()
        csq = csq_of(measured.verdict)
        if signal.passes(csq):
            return {"csq": csq, "boost": boost}
        talk.say(advice(measured.verdict, measured.latest.plmn, None).text)
        talk.say(f"The CSQ must be greater than {signal.PASS_ABOVE_CSQ}. Offer a signal boost to the customer.")
        typed = _choice(talk)
        if typed == "o":
            return {"csq": csq, "boost": ORDERED}
        boost = FITTED if typed == "f" else boost


def _choice(talk: Talk) -> str:
    while True:
        typed = talk.ask("f = boost fitted, measure again; a = measure again; o = boost ordered").strip().lower()
        if typed in ("f", "a", "o"):
            return typed


def csq_of(verdict: signal.Verdict) -> int:
    """Return the median as a whole number, rounded so that it passes if and only if the verdict does; NO_READING if the
    verdict is unknown.
    """
    if verdict.verdict == signal.UNKNOWN:
        return signal.NO_READING
    median = float(verdict.median)
    return math.ceil(median) if verdict.verdict == signal.PASS else math.floor(median)


# Labels of the values in the unit's record.
NAMES = {
    "amps": "Rating of the circuit (A)",
    "earth": "Earthing arrangement",
    "polarity": "Polarity correct",
    "rcd_ms": "Trip time of the RCD (ms)",
    "csq": "CSQ",
    "boost": "Signal boost",
    "by": "Commissioned by",
    "at": "When (UTC, seconds since 1970)",
    "via": "Commissioned via",
    "v": "Firmware",
}


def report(unit: str, record: dict[str, str], when: str) -> str:
    """Return the record as text. `when`: the time by this computer, because the unit's may be unknown."""
    rows = {"Charger": unit, "Written": when} | {NAMES[name]: record[name] for name in NAMES if name in record}
    said = "This record was read from the unit. The job's page in the cloud has the same record as a PDF."
    return "\n".join(
        ["COMMISSIONING RECORD", "", *(f"{name:<32}{value}" for name, value in rows.items()), "", said, ""]
    )
