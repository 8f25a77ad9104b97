"""The templates in each language. Text between `{% trans %}` and `{% endtrans %}` is translated when a template is compiled,
not when a page is rendered, so every language renders as fast as English without translation.

Each language therefore has its own environment with its own compiled templates.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, nodes
from jinja2.exceptions import TemplateAssertionError
from jinja2.ext import InternationalizationExtension

from cloud_bridge.words.catalogues import ENGLISH, Catalogue, catalogue_of, language_tag
from cloud_bridge.words.language import gettext as _gettext
from cloud_bridge.words.language import language_now, ngettext, pgettext

FOLDER = Path(__file__).with_name("templates")
SHARED: dict[str, Any] = {}  # available in every template, in every language
_PLACE = re.compile(r"%\((?P<name>\w+)\)s|%%")


def template(name: str) -> Template:
    """Return a template in the current language."""
    return environment(language_now()).get_template(name)


@cache
def environment(language: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        auto_reload=False,  # otherwise each template checks its file's time and releases the GIL for that
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["ext.i18n.trimmed"] = True
    made.extend(catalogue=None if language == ENGLISH else catalogue_of(language))
    made.add_extension(CompiledWords)
    made.install_gettext_callables(_gettext, ngettext, newstyle=True, pgettext=pgettext)  # type: ignore[attr-defined]
    made.globals |= {"_": _gettext, "language": language, "language_tag": language_tag(language)} | SHARED
    return made


class CompiledWords(InternationalizationExtension):
    """Translates `{% trans %}` with the environment's catalogue. Plurals are looked up at rendering, when the number is
    known."""

    def _make_node(
        self,
        singular: str,
        plural: str | None,
        context: str | None,
        variables: dict[str, nodes.Expr],
        plural_expr: nodes.Expr | None,
        vars_referenced: bool,
        num_called_num: bool,
    ) -> nodes.Output:
        if plural_expr is not None:
            return super()._make_node(
                singular, plural, context, variables, plural_expr, vars_referenced, num_called_num
            )
        catalogue: Catalogue | None = self.environment.catalogue  # type: ignore[attr-defined]
        text = singular
        if catalogue is not None:
            text = catalogue.gettext(singular) if context is None else catalogue.pgettext(context, singular)
        return nodes.Output(list(_pieces(text, variables)))


def _pieces(text: str, variables: dict[str, nodes.Expr]) -> Iterator[nodes.Expr]:
    """Yield the text as it is (translations are trusted like templates), and between its parts the escaped values. Raises
    TemplateAssertionError for a translation with an unknown value."""
    done = 0
    for place in _PLACE.finditer(text):
        if place.start() > done:
            yield nodes.TemplateData(text[done : place.start()])
        name = place["name"]
        if name is None:
            yield nodes.TemplateData("%")
        elif name in variables:
            yield variables[name]
        else:
            raise TemplateAssertionError(f"{text!r} has no value {name}", 1)
        done = place.end()
    if done < len(text):
        yield nodes.TemplateData(text[done:])
