"""Each request has a reader (words/language.py): in the language that the browser asks for, until it is known who is logged in
and has chosen one. Programs read English, in which they were written: what they are told may be compared.
"""

from functools import lru_cache

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud_bridge.words.catalogues import ENGLISH, LANGUAGES
from cloud_bridge.words.language import speaking

FOR_PROGRAMS = ("/api/", "/healthz", "/livez", "/metrics", "/openapi.json")  # how their paths begin
FOR_PEOPLE = (
    "text/html",
    "application/manifest+json",
)  # content that differs by language; the others' paths say theirs
MAX_HEADER = 200  # characters of Accept-Language; browsers send some 40


class ReadersLanguage:
    """ASGI middleware, outside whatever says something."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"].startswith(FOR_PROGRAMS):
            with speaking(ENGLISH):
                await self._app(scope, receive, send)
            return

        async def send_with_vary(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith(FOR_PEOPLE):
                    headers.add_vary_header("Accept-Language")
            await send(message)

        with speaking(preferred(Headers(scope=scope).get("accept-language", "")[:MAX_HEADER])):
            await self._app(scope, receive, send_with_vary)


@lru_cache(maxsize=200)
def preferred(header: str) -> str:
    """The best of our languages by an Accept-Language header (RFC 9110, 12.5.4), "de-CH" being served by "de" (RFC 4647,
    3.4); English where it names none of ours."""
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
