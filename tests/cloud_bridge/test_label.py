"""Does the label contain the id, the code, and an intact QR code of the link?"""

import re
import xml.etree.ElementTree as ElementTree

import pytest
import segno

from cloud_bridge.label import HEIGHT_MM, QUIET_MODULES, WIDTH_MM, label_svg

SVG = "{http://www.w3.org/2000/svg}"
CODE = "7K4M-2QXP-9BCD"


def drawn_modules(path: str) -> set[tuple[int, int]]:
    """Return the dark modules of a path of horizontal strokes, as (row, column) without the quiet zone."""
    dark, column, row = set(), 0, 0
    for letter, numbers in re.findall(r"([Mmh])([-\d. ]+)", path):
        values = [float(number) for number in numbers.split()]
        if letter == "h":
            dark |= {(row, column + step) for step in range(int(values[0]))}
            column += int(values[0])
        elif letter == "M":
            column, row = int(values[0]), int(values[1])
        else:
            column, row = column + int(values[0]), row + int(values[1])
    return {(row - QUIET_MODULES, column - QUIET_MODULES) for row, column in dark}


@pytest.mark.parametrize("url", ["https://chargers.example", f"https://{'long-name.' * 8}example/chargers"])
@pytest.mark.parametrize("unit_id", ["CK-0001", "a" * 36])
def test_a_label(unit_id: str, url: str) -> None:
    label = ElementTree.fromstring(label_svg(unit_id, CODE, url))
    assert (label.get("width"), label.get("height")) == (f"{WIDTH_MM}mm", f"{HEIGHT_MM}mm")
    texts = [one.text for one in label.iter(f"{SVG}text")]
    assert unit_id in texts and CODE in texts
    (path,) = (one.get("d") for one in label.iter(f"{SVG}path"))
    wanted = segno.make_qr(f"{url}/claim?code={CODE}", error="m").matrix
    assert drawn_modules(path or "") == {
        (row, column) for row, line in enumerate(wanted) for column, is_dark in enumerate(line) if is_dark
    }
