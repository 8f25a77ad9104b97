"""The label inside a charge point's cover as SVG: id, claim code, and a QR code with the address of the claim page."""

from html import escape
from io import BytesIO

import segno

WIDTH_MM, HEIGHT_MM = 62, 29  # a standard size of label printers
QUIET_MODULES = 4  # the quiet zone around the code (ISO/IEC 18004)
CORRECTION = "m"  # error correction level M recovers 15 % damage

_LABEL = """<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}">
<title>{unit_id}</title>
<rect width="{width}" height="{height}" fill="#fff"/>
<svg width="{height}" height="{height}" viewBox="0 0 {modules} {modules}">{code}</svg>
<g font-family="monospace" fill="#000">
<text x="{left}" y="7" font-size="3" font-family="sans-serif">Chargekeeper</text>
<text x="{left}" y="12.5" font-size="3"{fitted}>{unit_id}</text>
<text x="{left}" y="19" font-size="3.4" font-weight="bold">{claim_code}</text>
<text x="{left}" y="24" font-size="2.2" font-family="sans-serif">Scan or type it to claim</text>
</g>
</svg>
"""
_TEXT_MM = WIDTH_MM - HEIGHT_MM - 2
_LONG_ID = 17  # characters at 1.8 mm; a longer id is condensed to fit


def label_svg(unit_id: str, claim_code: str, public_url: str) -> str:
    """Return the label as SVG, for printing. Anybody who reads it can claim the unit."""
    code = segno.make_qr(f"{public_url}/claim?code={claim_code}", error=CORRECTION)
    drawn = BytesIO()
    code.save(drawn, kind="svg", border=QUIET_MODULES, xmldecl=False, svgns=False, svgclass=None, lineclass=None)
    modules, _ = code.symbol_size(border=QUIET_MODULES)
    return _LABEL.format(
        width=WIDTH_MM,
        height=HEIGHT_MM,
        left=HEIGHT_MM,
        modules=modules,
        code=drawn.getvalue().decode().strip(),
        unit_id=escape(unit_id),
        fitted=f' textLength="{_TEXT_MM}" lengthAdjust="spacingAndGlyphs"' if len(unit_id) > _LONG_ID else "",
        claim_code=escape(claim_code),
    )
