"""The pages as an app on a phone: manifest, service worker, and the offline page.

The service worker caches the shell (styles, icons, scripts) and never a page, because a cached dashboard would show an
outdated last contact. Files that few pages need, such as charts and /docs, are left to the browser's own cache. The service
worker also shows what arrives by Web Push (alerts/web_push.py).
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from cloud_bridge.web import static_files
from cloud_bridge.web.page import page
from cloud_bridge.web.public_address import address_of
from cloud_bridge.web.translated_templates import template
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _
from cloud_bridge.words.catalogues import ENGLISH
from cloud_bridge.words.language import choose_language, language_now
from cloud_bridge.words.negotiation import preferred

ON_DEMAND = ("uPlot", "charts", "docs", "passkeys", "push")
KEPT = [f"{static_files.PATH}/{name}" for name in static_files.FILES if not name.startswith(ON_DEMAND)]

OFFLINE = "/offline"
MAX_TAG = 20  # characters of a language tag

MANIFEST: dict[str, Any] = {  # with internal paths; `manifest` puts the public address in front of them
    "id": "/",
    "name": "Chargekeeper",
    "short_name": "Chargekeeper",
    "description": N_("Does my charger work, and when was it heard last?"),
    "start_url": "/",
    "scope": "/",
    "display": "standalone",
    "background_color": "#f3f6f4",
    "theme_color": "#0b6e4f",
    "icons": [
        {"src": f"{static_files.PATH}/icon.svg", "type": "image/svg+xml", "sizes": "any", "purpose": "any"},
        {
            "src": f"{static_files.PATH}/icon-maskable.svg",
            "type": "image/svg+xml",
            "sizes": "any",
            "purpose": "maskable",
        },
    ],
}

router = APIRouter(include_in_schema=False)


@router.get("/manifest.webmanifest")
def manifest(request: Request) -> Response:
    root = address_of(request).root
    paths = {key: root + MANIFEST[key] for key in ("id", "start_url", "scope")}
    icons = [icon | {"src": root + icon["src"]} for icon in MANIFEST["icons"]]
    return JSONResponse(
        MANIFEST | paths | {"icons": icons, "description": _(MANIFEST["description"])},
        media_type="application/manifest+json",
    )


@router.get("/worker.js")
def worker(request: Request, language: Annotated[str, Query(max_length=MAX_TAG)] = "") -> Response:
    """Return the service worker. It is at the root because its scope is its own directory. Each page requests the worker of
    its own language (an HTML `lang`), which then caches the offline page in that language."""
    choose_language(preferred(language))
    root = address_of(request).root
    script = template("worker.js").render(
        version=static_files.VERSION, shell=[root + path for path in KEPT], offline=root + offline_path(), root=root
    )
    return Response(script, media_type="text/javascript")


def offline_path() -> str:
    """Return the path of the offline page in the current language."""
    return OFFLINE if language_now() == ENGLISH else f"{OFFLINE}/{language_now()}"


@router.get(OFFLINE)
@router.get(OFFLINE + "/{language}")
def offline(request: Request, language: str = ENGLISH) -> Response:
    choose_language(language)
    return page(request, "everyone/offline.html", None)
