"""Is every word of every template in the catalogue? Templates are parsed, so branches that no test shows are covered."""

import re
from collections.abc import Iterator

import pytest
from jinja2 import nodes

from cloud_bridge.web.translated_templates import FOLDER, environment
from tests.cloud_bridge.words.no_words import NO_WORDS
from tests.cloud_bridge.words.pseudo import CLOSING, LANGUAGE, OPENING, speak_pseudo
from tests.cloud_bridge.words.read_html import said_in, strays_of

TEMPLATES = sorted(str(file.relative_to(FOLDER)) for file in FOLDER.rglob("*.html"))
MARKS = ("_", "gettext", "ngettext", "pgettext")


@pytest.fixture(autouse=True, scope="module")
def pseudo() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        speak_pseudo(patch)
        environment.cache_clear()
        yield
    environment.cache_clear()


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_a_template_says_is_in_the_catalogue(name: str) -> None:
    assert strays_in((FOLDER / name).read_text()) == []


def test_a_word_that_is_not_would_be_found() -> None:
    assert strays_in("<p>{% if x %}Hello{% endif %} {% trans %}you{% endtrans %}</p>") == ["Hello"]
    assert strays_in('<p title="{{ _("Fine") }}">{{ "Yes" if x else _("No") }}</p>') == ["Yes"]
    assert strays_in('<img alt="A car">{% set said = "It charges" %}') == ["alt=A car", "It charges"]
    assert strays_in("{% trans n=units %}{{ n }} unit{% pluralize %}{{ n }} units{% endtrans %}") == []


def strays_in(source: str) -> list[str]:
    tree = environment(LANGUAGE).parse(source)
    strays = strays_of("".join(shown(tree)))
    strays += [said for said in constants(tree) if " " in said.strip() or re.match("[A-Z][a-z]", said)]
    return [stray for stray in dict.fromkeys(strays) if not NO_WORDS.fullmatch(said_in(stray))]


def shown(node: nodes.Node) -> Iterator[str]:
    """Yield the page's text with every branch once, and a mark in place of each value."""
    for inner in node.iter_child_nodes():
        if isinstance(inner, nodes.TemplateData):
            yield inner.data
        elif isinstance(inner, nodes.Expr):
            yield OPENING + CLOSING
        else:
            yield from shown(inner)


def constants(node: nodes.Node) -> Iterator[str]:
    """Yield the strings of expressions, except those that are translated."""
    for inner in node.iter_child_nodes():
        if isinstance(inner, nodes.Call) and isinstance(inner.node, nodes.Name) and inner.node.name in MARKS:
            continue
        if isinstance(inner, nodes.Const) and isinstance(inner.value, str):
            yield inner.value
        yield from constants(inner)
