"""The pages as an app on a phone: manifest, service worker, and the page for when there is no network.

The service worker keeps the shell (styles, signs, scripts) and never a page: a dashboard out of a cache would show a
last contact that is none. What only draws charts is left to the browser's own cache.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from cloud_bridge.web import static_files
from cloud_bridge.web.page import page, templates

KEPT = [f"{static_files.PATH}/{name}" for name in static_files.FILES if not name.startswith(("uPlot", "charts"))]

MANIFEST: dict[str, Any] = {
    "id": "/",
    "name": "Chargekeeper",
    "short_name": "Chargekeeper",
    "description": "Does my charger work, and when was it heard last?",
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
def manifest() -> Response:
    return JSONResponse(MANIFEST, media_type="application/manifest+json")


@router.get("/worker.js")
def worker() -> Response:
    """From the root, because a service worker serves what lies beside and below it."""
    script = templates.get_template("worker.js").render(version=static_files.VERSION, shell=KEPT)
    return Response(script, media_type="text/javascript")


@router.get("/offline")
def offline(request: Request) -> Response:
    return page(request, "everyone/offline.html", None)
