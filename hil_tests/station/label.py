"""The label of a unit: serial number, rating, and the claim code as a QR code; as PDF, and as ZPL for a label printer.

Both are drawn from the journal, so that a label drawn again has the same claim code.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import NamedTuple

import segno
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]  # ReportLab comes without types

WIDTH_MM, HEIGHT_MM = 62, 29  # as in cloud_bridge/label.py
QUIET_MODULES = 4  # border of a QR code (ISO/IEC 18004)
LEFT_MM, WIDEST_MM = HEIGHT_MM, WIDTH_MM - HEIGHT_MM - 2
POINTS = 72 / 25.4  # per millimetre
DOTS_PER_MM = 8  # a printer of 203 dpi
LARGEST = 10  # largest size of a module, in dots, that a printer accepts
EDGE_MM = 2


class Label(NamedTuple):
    """The contents of a label."""

    serial: str
    rating: Sequence[str]
    claim_code: str
    claim_page: str

    @property
    def address(self) -> str:
        """The content of the QR code."""
        return f"{self.claim_page}?code={self.claim_code}"


def as_pdf(label: Label) -> bytes:
    """Return one page of the label's size. The same label gives the same bytes."""
    drawn = BytesIO()
    canvas = Canvas(drawn, (WIDTH_MM * POINTS, HEIGHT_MM * POINTS), invariant=True)
    canvas.setTitle(label.serial)
    code = segno.make_qr(label.address, error="m")
    rows = list(code.matrix_iter(border=QUIET_MODULES))
    module = HEIGHT_MM * POINTS / len(rows)
    for down, row in enumerate(rows, 1):
        for right, is_dark in enumerate(row):
            if is_dark:
                canvas.rect(right * module, HEIGHT_MM * POINTS - down * module, module, module, stroke=0, fill=1)
    _write(canvas, 23, "Helvetica", 8, "Chargekeeper")
    _write(canvas, 18.5, "Courier-Bold", 9, label.serial)
    for number, line in enumerate(label.rating):
        _write(canvas, 15 - 2.7 * number, "Helvetica", 6.5, line)
    _write(canvas, 5.5, "Courier-Bold", 9, label.claim_code)
    _write(canvas, 2.5, "Helvetica", 5.5, "Scan or type it to claim")
    canvas.save()
    return drawn.getvalue()


def _write(canvas: Canvas, up_mm: float, font: str, size: float, text: str) -> None:
    """Write a line, with a smaller font if it does not fit."""
    while canvas.stringWidth(text, font, size) > WIDEST_MM * POINTS and size > 1:
        size -= 0.25
    canvas.setFont(font, size)
    canvas.drawString(LEFT_MM * POINTS, up_mm * POINTS, text)


def as_zpl(label: Label) -> bytes:
    """Return the label for a printer of 203 dpi. The printer draws the QR code, model 2 with correction M (ZPL II guide,
    ^BQ)."""
    modules, _ = segno.make_qr(label.address, error="m").symbol_size(border=0)
    dots = min(LARGEST, (HEIGHT_MM - 2 * EDGE_MM) * DOTS_PER_MM // modules)
    lines = [
        "^XA^CI28",
        f"^PW{WIDTH_MM * DOTS_PER_MM}^LL{HEIGHT_MM * DOTS_PER_MM}",
        f"^FO{EDGE_MM * DOTS_PER_MM},{EDGE_MM * DOTS_PER_MM}^BQN,2,{dots}^FH^FDMA,{_escaped(label.address)}^FS",
        _field(3, 24, "Chargekeeper"),
        _field(7, 28, label.serial),
        *(_field(11 + 3 * number, 20, line) for number, line in enumerate(label.rating)),
        _field(21, 30, label.claim_code),
        _field(25.5, 18, "Scan or type it to claim"),
        "^XZ",
    ]
    return "".join(line + "\n" for line in lines).encode()


def _field(down_mm: float, dots: int, text: str) -> str:
    return f"^FO{LEFT_MM * DOTS_PER_MM},{round(down_mm * DOTS_PER_MM)}^A0N,{dots},{dots}^FH^FD{_escaped(text)}^FS"


def _escaped(text: str) -> str:
    """Write ZPL's command characters, and ^FH's escape character, in hexadecimal."""
    return "".join(f"_{ord(sign):02X}" if sign in "^~_\\" else sign for sign in text)
