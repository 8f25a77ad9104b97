"""The pages as an app on a phone: manifest, service worker, and the page for when there is no network.

The service worker keeps the shell (styles, signs, scripts) and never a page: a dashboard out of a cache would show a
last contact that is none.
"""

import hashlib
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from cloud_bridge.web.page import page, templates

STATIC = Path(__file__).with_name("static")
SHELL = sorted(f"/static/{path.name}" for path in STATIC.iterdir())
VERSION = hashlib.sha256(b"".join((STATIC / Path(name).name).read_bytes() for name in SHELL)).hexdigest()[:12]

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
        {"src": "/static/icon.svg", "type": "image/svg+xml", "sizes": "any", "purpose": "any"},
        {"src": "/static/icon-maskable.svg", "type": "image/svg+xml", "sizes": "any", "purpose": "maskable"},
    ],
}

router = APIRouter(include_in_schema=False)


@router.get("/manifest.webmanifest")
def manifest() -> Response:
    return JSONResponse(MANIFEST, media_type="application/manifest+json")


@router.get("/worker.js")
def worker() -> Response:
    """From the root, because a service worker serves what lies beside and below it."""
    script = templates.get_template("worker.js").render(version=VERSION, shell=SHELL)
    return Response(script, media_type="text/javascript")


@router.get("/offline")
def offline(request: Request) -> Response:
    return page(request, "offline.html", None)
