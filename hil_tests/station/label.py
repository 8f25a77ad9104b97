"""The label of a unit: serial number, rating, and the claim code as a QR code; as PDF, and as ZPL for a label printer.

A unit has one code, so both are drawn from the journal, and drawn again they are the same.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import NamedTuple

import segno
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]  # ReportLab comes without types

WIDTH_MM, HEIGHT_MM = 62, 29  # as cloud_bridge/label.py has it
QUIET_MODULES = 4  # around the code (ISO/IEC 18004)
LEFT_MM, WIDEST_MM = HEIGHT_MM, WIDTH_MM - HEIGHT_MM - 2
POINTS = 72 / 25.4  # of a millimetre
DOTS_PER_MM = 8  # of a printer of 203 dpi
LARGEST = 10  # dots of a module that a printer draws
EDGE_MM = 2


class Label(NamedTuple):
    """What stands on it."""

    serial: str
    rating: Sequence[str]
    claim_code: str
    claim_page: str

    @property
    def address(self) -> str:
        """What the QR code says."""
        return f"{self.claim_page}?code={self.claim_code}"


def as_pdf(label: Label) -> bytes:
    """One page of the label's size. The same label gives the same bytes."""
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
    """Smaller where it would not fit."""
    while canvas.stringWidth(text, font, size) > WIDEST_MM * POINTS and size > 1:
        size -= 0.25
    canvas.setFont(font, size)
    canvas.drawString(LEFT_MM * POINTS, up_mm * POINTS, text)


def as_zpl(label: Label) -> bytes:
    """For a printer of 203 dpi; its own QR code, of model 2 with correction M (ZPL II programming guide, ^BQ)."""
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
    """What ZPL would take for a command, and ^FH's own sign, as hexadecimal."""
    return "".join(f"_{ord(sign):02X}" if sign in "^~_\\" else sign for sign in text)
