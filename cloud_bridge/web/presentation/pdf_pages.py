"""Pages of text as PDF: it can be searched and copied, umlauts and other scripts of Europe.

ReportLab draws them, in Roboto, of which only the letters that occur go into the file. Both are imported when the first text
is measured: a process that makes no PDF does not pay for them. One file is drawn at a time.
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
LANGUAGES = {"en": "en-GB"}  # as a PDF names them, where that is another name
PLAIN, BOLD = "Roboto-Regular", "Roboto-Bold"

Measure = Callable[[str, str, float], float]  # a text, its font and size, to points

_one_at_a_time = threading.Lock()


class Size(NamedTuple):
    """Of a page, points."""

    width: float
    height: float


class Text(NamedTuple):
    """At a place of a page, from its lower left corner; with `ends` the text ends there."""

    x: float
    y: float
    words: str
    font: str = PLAIN
    size: float = 8.5
    ends: bool = False


def measure(words: str, font: str, size: float) -> float:
    """The width of a text, points."""
    with _one_at_a_time:
        return float(_metrics().stringWidth(words, font, size))


def drawn(title: str, size: Size, pages: Sequence[Sequence[Text]]) -> bytes:
    """The file."""
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
    """ReportLab's measures, which know the fonts."""
    metrics: Any = import_module("reportlab.pdfbase.pdfmetrics")
    make: Any = import_module("reportlab.pdfbase.ttfonts").TTFont
    for font in (PLAIN, BOLD):
        metrics.registerFont(make(font, str(files("font_roboto").joinpath("files", f"{font}.ttf"))))
    return metrics
