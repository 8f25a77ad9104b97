"""Which language is spoken now. Each request and each letter has a reader; what is said while it is made is said in the
reader's language. English is the text in the code itself, so nothing is looked up for it.

A request learns late who asks, on another thread than the one that made its context; what a thread sets in a context is lost
when it ends. Therefore the context holds a Reader, which is one object for all threads of the request, and it is the Reader
that changes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from cloud_bridge.words.catalogues import ENGLISH, Catalogue, catalogue_of


class Reader:
    """Who reads what is said: `language` is one of LANGUAGES."""

    __slots__ = ("catalogue", "language")

    def __init__(self, language: str = ENGLISH) -> None:
        self.speaks(language)

    def speaks(self, language: str) -> None:
        self.language = language
        self.catalogue: Catalogue | None = None if language == ENGLISH else catalogue_of(language)


_NOBODY = Reader()
_reader: ContextVar[Reader] = ContextVar("reader", default=_NOBODY)


def language_now() -> str:
    return _reader.get().language


@contextmanager
def speaking(language: str) -> Iterator[Reader]:
    """To a reader of this language, until the end of the block."""
    reader = Reader(language)
    token = _reader.set(reader)
    try:
        yield reader
    finally:
        _reader.reset(token)


def gettext(message: str) -> str:
    """The message in the language of now; the message itself where the catalogue lacks it."""
    catalogue = _reader.get().catalogue
    return message if catalogue is None else catalogue.gettext(message)


def ngettext(one: str, more: str, number: int) -> str:
    """The form for the number: English has two."""
    catalogue = _reader.get().catalogue
    if catalogue is None:
        return one if number == 1 else more
    return catalogue.ngettext(one, more, number)


def pgettext(context: str, message: str) -> str:
    """For a word that means two things, each with its own translation: `context` says which is meant."""
    catalogue = _reader.get().catalogue
    return message if catalogue is None else catalogue.pgettext(context, message)


def N_(message: str) -> str:  # noqa: N802  gettext's own name for it
    """Marks a constant for the catalogue. It is translated where it is shown, by `gettext`."""
    return message
