"""The current language. Each request and each letter has a reader, and its texts are in the reader's language. English texts
are in the code itself, so English needs no lookup.

A request learns who the person is only after its context was created, in another thread, and context variables set in a thread
are lost when it ends. The context therefore holds a Reader, one object that all threads of the request share and change.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from cloud_bridge.words.catalogues import ENGLISH, LANGUAGES, Catalogue, catalogue_of


class Reader:
    """The reader of the current texts. `usual` is the language until one is chosen. A language that we do not have becomes
    English."""

    __slots__ = ("_usual", "catalogue", "language")

    def __init__(self, usual: str | None = None) -> None:
        self._usual = usual if usual in LANGUAGES else ENGLISH
        self.choose(None)

    def choose(self, language: str | None) -> None:
        """Choose a language. None, or a language that this version does not have, selects the usual one."""
        self.language: str = language if language in LANGUAGES else self._usual
        self.catalogue: Catalogue | None = None if self.language == ENGLISH else catalogue_of(self.language)


_NOBODY = Reader()  # for logs, the command line and programs
_reader: ContextVar[Reader] = ContextVar("reader", default=_NOBODY)


def language_now() -> str:
    return _reader.get().language


@contextmanager
def speaking(language: str | None) -> Iterator[None]:
    """Use a language until the end of the block; None is English."""
    token = _reader.set(Reader(language))
    try:
        yield
    finally:
        _reader.reset(token)


def choose_language(language: str | None) -> None:
    """Set the language of the current reader when it becomes known. None means that they have chosen none."""
    reader = _reader.get()
    if reader is not _NOBODY:
        reader.choose(language)


def gettext(message: str) -> str:
    """Translate a message into the current language. A message that the catalogue lacks is returned as it is."""
    catalogue = _reader.get().catalogue
    return message if catalogue is None or not message else catalogue.gettext(message)  # "" is the header's key


def ngettext(one: str, more: str, number: int) -> str:
    """Translate a message with the plural form for the number. English has two forms."""
    catalogue = _reader.get().catalogue
    if catalogue is None:
        return one if number == 1 else more
    return catalogue.ngettext(one, more, number)


def pgettext(context: str, message: str) -> str:
    """Translate a word that has several meanings: `context` says which one is meant."""
    catalogue = _reader.get().catalogue
    return message if catalogue is None else catalogue.pgettext(context, message)


def N_(message: str) -> str:  # noqa: N802  gettext's own name for it
    """Mark a constant for the catalogue. It is translated by `gettext` where it is shown."""
    return message
