"""The commissioning record as a one-page A4 PDF, for installer and owner to keep."""

from collections.abc import Sequence

from cloud_bridge.store.commissioning import Record
from cloud_bridge.web.presentation.commissioning_words import Line, lines
from cloud_bridge.web.presentation.pdf_pages import BOLD, PLAIN, Size, Text, drawn, measure
from cloud_bridge.words import gettext as _

A4 = Size(595.3, 841.9)  # points
MARGIN = 56.0
VALUE_AT = 220.0
TITLE_SIZE, SIZE, LINE = 18.0, 10.5, 15.0
MAX_LINES = 4  # of one value, such as an address


def record_pdf(record: Record, unit_id: str, time_zone: str, address: str) -> bytes:
    """Draw the record. `address` is that of the site and may be empty. Takes some hundred milliseconds, so do not call it on
    the event loop."""
    title = _("Commissioning record")
    about = [Line(_("Charger"), unit_id), *([Line(_("Address"), address)] if address else [])]
    return drawn(f"{title}, {unit_id}", A4, [_laid_out(title, [*about, *lines(record, time_zone)])])


def _laid_out(title: str, rows: Sequence[Line]) -> list[Text]:
    y = A4.height - MARGIN - TITLE_SIZE
    texts = [Text(MARGIN, y, title, BOLD, TITLE_SIZE)]
    y -= 2 * LINE
    for name, value in rows:
        texts.append(Text(MARGIN, y, name, BOLD, SIZE))
        for words in _wrapped(value, A4.width - MARGIN - VALUE_AT):
            texts.append(Text(VALUE_AT, y, words, PLAIN, SIZE))
            y -= LINE
        y -= LINE / 2
    said = _("The charger itself has told this record. It never charges with more than the rating of its circuit.")
    for words in _wrapped(said, A4.width - 2 * MARGIN):
        y -= LINE
        texts.append(Text(MARGIN, y, words, PLAIN, SIZE))
    return texts


def _wrapped(words: str, width: float) -> list[str]:
    """Break a text into at most MAX_LINES lines that fit. Words that are too long are cut off."""
    found = [""]
    for word in words.split():
        longer = f"{found[-1]} {word}".strip()
        if measure(longer, PLAIN, SIZE) <= width:
            found[-1] = longer
            continue
        while measure(word, PLAIN, SIZE) > width:
            word = word[:-1]
        found.append(word)
    return [line for line in found if line][:MAX_LINES] or ["–"]
