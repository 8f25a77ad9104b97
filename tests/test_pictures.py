"""Does every picture of the gallery exist, small enough and shown? Does the mission's table find text as a person reads it?"""

import re
from pathlib import Path

from hil_tests.web.gallery import DARK, DESK, LIGHT, PHONE, PICTURES, ROLES, page
from hil_tests.web.mission import Reader, lines_of

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "hil_tests" / "screenshots"
ONE_BYTES, ALL_BYTES, MOVING_BYTES = 60_000, 1_200_000, 200_000
LEAST = 15
PAGE = """<title>Not read</title><main id="main"><h1>Last
contacted</h1><p><strong>sam</strong>, CK-0003<br>2 minutes ago &amp; well</p><script>let unread;</script></main>"""


def test_every_picture_is_there_and_small() -> None:
    sizes = {path.stem: path.stat().st_size for path in FOLDER.glob("*.webp")}
    assert sizes.keys() == {picture.name for picture in PICTURES}, "`make screenshots`"
    assert {name: size for name, size in sizes.items() if size > ONE_BYTES} == {}
    assert sum(sizes.values()) <= ALL_BYTES


def test_the_picture_that_moves_is_small() -> None:
    (moving,) = (FOLDER / "moving").iterdir()
    assert moving.stat().st_size <= MOVING_BYTES


def test_every_role_is_shown_at_both_sizes_and_in_both_themes() -> None:
    assert len(PICTURES) >= LEAST
    assert {picture.role for picture in PICTURES} == set(ROLES)
    assert {picture.size for picture in PICTURES} >= {PHONE, DESK}
    assert {picture.theme for picture in PICTURES} == {LIGHT, DARK}


def test_the_gallery_is_that_of_the_table_and_the_readme_shows_what_there_is() -> None:
    assert (FOLDER / "README.md").read_text() == page(), "`make screenshots`"
    shown = re.findall(r"\((hil_tests/screenshots/[^)]+\.webp)\)", (ROOT / "README.md").read_text())
    assert len(shown) >= 6
    assert [name for name in shown if not (ROOT / name).exists()] == []


def test_lines_are_what_a_person_reads() -> None:
    assert lines_of(PAGE) == ["Last contacted", "sam, CK-0003", "2 minutes ago & well"]
    assert lines_of(" FAIL  median\n\n  CSQ 9 ") == ["FAIL median", "CSQ 9"], "of a terminal"


def test_a_sentence_without_its_words_is_seen() -> None:
    reader = Reader()
    reader.hold("First", "/", PAGE, ("Last contacted", "minutes ago"), without="lost access")
    reader.hold("Missing", "/", PAGE, ("Last contacted", "Continue"), without="well")
    first, missing = reader.rows
    assert (first.lines, first.missing) == (["Last contacted", "2 minutes ago & well"], [])
    assert missing.missing == ["Continue", "not 'well'"]
    assert "| Missing | / | Last contacted **MISSING: Continue, not 'well'** |" in reader.markdown()
