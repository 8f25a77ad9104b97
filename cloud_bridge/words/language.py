"""Which language is spoken now. Each request and each letter has a reader; what is said while it is made is said in the
reader's language. English is the text in the code itself, so nothing is looked up for it.

A request learns late who asks, on another thread than the one that made its context, and what a thread sets in a context is
lost when it ends. Therefore the context holds a Reader, one object for all threads of the request, and the Reader changes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from cloud_bridge.words.catalogues import ENGLISH, LANGUAGES, Catalogue, catalogue_of


class Reader:
    """Who reads what is said. `usual` is the language as long as none is chosen; one that we do not have is English."""

    __slots__ = ("_usual", "catalogue", "language")

    def __init__(self, usual: str | None = None) -> None:
        self._usual = usual if usual in LANGUAGES else ENGLISH
        self.choose(None)

    def choose(self, language: str | None) -> None:
        """None, or a language that this version does not have: the usual one."""
        self.language: str = language if language in LANGUAGES else self._usual
        self.catalogue: Catalogue | None = None if self.language == ENGLISH else catalogue_of(self.language)


_NOBODY = Reader()  # logs, the command line, programs
_reader: ContextVar[Reader] = ContextVar("reader", default=_NOBODY)


def language_now() -> str:
    return _reader.get().language


@contextmanager
def speaking(language: str | None) -> Iterator[None]:
    """To a reader of this language until the end of the block; None: English."""
    token = _reader.set(Reader(language))
    try:
        yield
    finally:
        _reader.reset(token)


def choose_language(language: str | None) -> None:
    """The reader of now has chosen it, as is found out. None: they have chosen none."""
    reader = _reader.get()
    if reader is not _NOBODY:
        reader.choose(language)


def gettext(message: str) -> str:
    """The message in the language of now; the message itself where the catalogue lacks it."""
    catalogue = _reader.get().catalogue
    return message if catalogue is None or not message else catalogue.gettext(message)  # that of "" is the file's head


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
