"""The glossary: terms on the pages, in the reader's language and in all others."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud_bridge.web.page import page, viewer_of
from cloud_bridge.words import gettext as _
from cloud_bridge.words.catalogues import LANGUAGES
from cloud_bridge.words.formats import name_of
from cloud_bridge.words.glossary import TERMS, Term
from cloud_bridge.words.language import language_now, speaking

router = APIRouter(include_in_schema=False)


@router.get("/glossary")
def glossary(request: Request) -> Response:
    person = viewer_of(request)
    others = [language for language in LANGUAGES if language != language_now()]
    said = [(term, [(language, _in(language, term)) for language in others]) for term in TERMS]
    return page(request, "everyone/glossary.html", person, terms=sorted(said, key=_alphabet), name_of=name_of)


def _alphabet(said: tuple[Term, object]) -> str:
    return _(said[0].word).casefold()


def _in(language: str, term: Term) -> str:
    with speaking(language):
        return _(term.word)
