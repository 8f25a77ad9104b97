"""The files that pages are made of besides their HTML: our own in static/, and htmx and uPlot, which npm has fetched.

All are read once and lie under a path that names their content, so a browser that has one never asks for it again, and
a page of one version never meets the scripts of another.
"""

import hashlib
import mimetypes
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

from cloud_bridge.errors import SettingError

STATIC = Path(__file__).with_name("static")
LIBRARIES = Path(__file__).with_name("node_modules")
FROM_NPM = (
    "htmx.org/dist/htmx.min.js",
    "uplot/dist/uPlot.iife.min.js",
    "uplot/dist/uPlot.min.css",
)
VERSION_LENGTH = 12  # hexadecimal digits
FOR_EVER = "public, max-age=31536000, immutable"


PATHS = [*sorted(STATIC.iterdir()), *(LIBRARIES / name for name in FROM_NPM)]
FILES = {path.name: path.read_bytes() for path in PATHS if path.exists()}
VERSION = hashlib.sha256(b"".join(FILES.values())).hexdigest()[:VERSION_LENGTH]
PATH = f"/static/{VERSION}"

router = APIRouter(include_in_schema=False)


def check() -> None:
    """Raises SettingError where npm's part was never fetched."""
    missing = [path.name for path in PATHS if path.name not in FILES]
    if missing:
        raise SettingError(f"the pages want {', '.join(missing)}: `make .venv` fetches them")


@router.get(PATH + "/{name}")
def file(name: str) -> Response:
    content = FILES.get(name)
    if content is None:
        raise HTTPException(404, "no such file")
    media_type, _ = mimetypes.guess_type(name)
    return Response(content, media_type=media_type, headers={"Cache-Control": FOR_EVER})
