"""Chooses the language for a browser by its preferences. Pure."""

from functools import lru_cache

from cloud_bridge.words.catalogues import ENGLISH, LANGUAGES

MAX_HEADER = 200  # characters of Accept-Language that are read; browsers send about 40


def preferred(header: str) -> str:
    """Return the preferred language of an Accept-Language header (RFC 9110, 12.5.4). "de-CH" is served by "de" (RFC 4647,
    3.4). Return English if the header names none of our languages."""
    return _preferred(header[:MAX_HEADER])


@lru_cache(maxsize=200)
def _preferred(header: str) -> str:
    ranked = []
    for position, one in enumerate(header.split(",")):
        tag, _, weight = one.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        language = _ours(tag.strip())
        if language is not None and 0 < quality <= 1:
            ranked.append((-quality, position, language))
    return min(ranked)[2] if ranked else ENGLISH


def _ours(tag: str) -> str | None:
    parts = tag.replace("-", "_").split("_")
    for length in range(len(parts), 0, -1):
        wanted = "_".join(parts[:length]).lower()
        for language in LANGUAGES:
            if language.lower() == wanted:
                return language
    return None
