"""Sets the language of each request (words/language.py): the one that the browser prefers, until the person is known and has
chosen one. Programs always get English, the source language, because they may compare texts."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud_bridge.words.catalogues import ENGLISH
from cloud_bridge.words.language import speaking
from cloud_bridge.words.negotiation import preferred

FOR_PROGRAMS = ("/api/", "/healthz", "/livez", "/metrics", "/openapi.json")  # prefixes of their paths
FOR_PEOPLE = (
    "text/html",
    "application/manifest+json",
)  # media types that vary by Accept-Language; the paths of all others determine their language


class ReadersLanguage:
    """ASGI middleware, outside everything that produces text."""

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

        with speaking(preferred(Headers(scope=scope).get("accept-language", ""))):
            await self._app(scope, receive, send_with_vary)
