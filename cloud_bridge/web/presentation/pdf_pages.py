"""Pages of text as a PDF: it can be searched and copied, in all European scripts.

ReportLab draws them in Roboto, and embeds only the glyphs that occur. Both are imported when the first text is measured, so a
process that draws no PDF does not load them. One file is drawn at a time.
"""

import io
import threading
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any, NamedTuple

from cloud_bridge.words.language import language_now

MEDIA_TYPE = "application/pdf"
LANGUAGES = {"en": "en-GB"}  # language tags in a PDF that differ from ours
PLAIN, BOLD = "Roboto-Regular", "Roboto-Bold"

Measure = Callable[[str, str, float], float]  # text, font and size in points, to width in points

_one_at_a_time = threading.Lock()


class Size(NamedTuple):
    """The size of a page in points."""

    width: float
    height: float


class Text(NamedTuple):
    """A text at a position on a page, from the lower left corner. With `ends`, the text is right-aligned there."""

    x: float
    y: float
    words: str
    font: str = PLAIN
    size: float = 8.5
    ends: bool = False


def measure(words: str, font: str, size: float) -> float:
    """Return the width of a text in points."""
    with _one_at_a_time:
        return float(_metrics().stringWidth(words, font, size))


def drawn(title: str, size: Size, pages: Sequence[Sequence[Text]]) -> bytes:
    """Return the PDF file."""
    with _one_at_a_time:
        _metrics()
        made = io.BytesIO()
        canvas: Any = import_module("reportlab.pdfgen.canvas").Canvas(
            made, pagesize=size, pageCompression=1, lang=LANGUAGES.get(language_now(), language_now())
        )
        canvas.setTitle(title)
        canvas.setAuthor("Chargekeeper")
        for texts in pages:
            for text in texts:
                canvas.setFont(text.font, text.size)
                (canvas.drawRightString if text.ends else canvas.drawString)(text.x, text.y, text.words)
            canvas.showPage()
        canvas.save()
        return made.getvalue()


@cache
def _metrics() -> Any:
    """Return ReportLab's font metrics, with the fonts registered."""
    metrics: Any = import_module("reportlab.pdfbase.pdfmetrics")
    make: Any = import_module("reportlab.pdfbase.ttfonts").TTFont
    for font in (PLAIN, BOLD):
        metrics.registerFont(make(font, str(files("font_roboto").joinpath("files", f"{font}.ttf"))))
    return metrics
