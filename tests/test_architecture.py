"""Do the diagrams agree with the code, and does every link of every page lead somewhere?"""

from pathlib import Path
from posixpath import normpath

import pytest

from hil_tests.docs.pages import ROOT, as_site_page, links, pages
from hil_tests.docs.reference import board_page, http_page, wire_page
from tests import architecture


def test_the_diagrams_are_made_of_the_code() -> None:
    assert architecture.PAGE.read_text(encoding="utf-8") == architecture.written(), "python -m tests.architecture"


def test_what_other_arrows_reach_has_none_of_its_own() -> None:
    arrows = {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert architecture.without_detours(arrows) == {"a": {"b"}, "b": {"c"}, "c": set()}
    circle = {"a": {"b", "c"}, "b": {"a", "c"}, "c": set()}
    assert architecture.without_detours(circle) == circle, (
        "of two that import each other both are shown with what they import"
    )


@pytest.mark.parametrize("name", pages())
def test_each_link_within_the_tree_leads_somewhere(name: str) -> None:
    folder = Path(name).parent.as_posix()
    lost = [
        link
        for link in links((ROOT / name).read_text(encoding="utf-8"))
        if not (ROOT / normpath(f"{folder}/{link}")).exists()
    ]
    assert lost == []


def test_a_link_to_no_page_is_told_by_name() -> None:
    taken = frozenset({"README.md", "modem/README.md", "modem/notes.md"})

    def shown(link: str) -> str:
        return as_site_page("modem/notes.md", link, str, taken)

    assert shown("[the tool](../modem)") == "[the tool](../modem/README.md)"
    assert shown("[start](../README.md#the-map)") == "[start](../README.md#the-map)"
    assert shown("[at.py](at.py)") == "`modem/at.py`"
    assert shown("[the parser](at.py)") == "the parser (`modem/at.py`)"
    assert (
        shown("![picture](a.webp) [abroad](https://example.com/a)")
        == "![picture](a.webp) [abroad](https://example.com/a)"
    )


def test_a_diagram_becomes_a_picture() -> None:
    page = as_site_page(
        "a/b.md", "x\n```mermaid\nflowchart\n```\ny", lambda source: f"drawn/{len(source)}.svg", frozenset()
    )
    assert page == "x\n![diagram](../drawn/10.svg)\ny"


def test_the_reference_has_every_key_route_and_method() -> None:
    assert "| `q` | Signal strength as the modem reports it" in wire_page(ROOT)
    assert "## GET /api/charge-points/{unit_id}" in http_page(ROOT)
    assert "### `read(self, inputs: 'Inputs') -> None`" in board_page(ROOT)
