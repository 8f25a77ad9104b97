"""The static files of the pages: our own in static/, and htmx, uPlot and Swagger UI, which npm has fetched.

Their path contains a hash of their content, so browsers cache them for good, and a page never loads scripts of another
version. All are read at startup except Swagger UI: its 2 MB are for a single page, and are read and compressed when it is
first opened.
"""

import gzip
import hashlib
import mimetypes
from functools import cache
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from cloud_bridge.errors import SettingError

STATIC = Path(__file__).with_name("static")
LIBRARIES = Path(__file__).with_name("node_modules")
FROM_NPM = (
    "htmx.org/dist/htmx.min.js",
    "uplot/dist/uPlot.iife.min.js",
    "uplot/dist/uPlot.min.css",
)
LARGE_FROM_NPM = ("swagger-ui-dist/swagger-ui-bundle.js", "swagger-ui-dist/swagger-ui.css")
LARGE_VERSION = "swagger-ui-dist/package.json"
VERSION_LENGTH = 12  # hexadecimal digits
FOR_EVER = "public, max-age=31536000, immutable"
POLICY_OF_FILES = (
    "default-src 'self'"  # for workers, and for images that are opened directly; short, because every file carries it
)


PATHS = [*sorted(STATIC.iterdir()), *(LIBRARIES / name for name in FROM_NPM)]
FILES = {path.name: path.read_bytes() for path in PATHS if path.exists()}
LARGE = {Path(name).name: LIBRARIES / name for name in LARGE_FROM_NPM}


def _version() -> str:
    version = LIBRARIES / LARGE_VERSION
    contents = [*FILES.values(), version.read_bytes() if version.exists() else b""]
    return hashlib.sha256(b"".join(contents)).hexdigest()[:VERSION_LENGTH]


VERSION = _version()
PATH = f"/static/{VERSION}"

router = APIRouter(include_in_schema=False)


def check() -> None:
    """Raise SettingError if files from npm are missing."""
    missing = [path.name for path in PATHS if path.name not in FILES]
    missing += [name for name, path in LARGE.items() if not path.exists()]
    if missing:
        raise SettingError(
            f"the pages need {', '.join(missing)}: `make .venv` fetches them, also before a wheel is built"
        )


@router.get(PATH + "/{name}")
def file(request: Request, name: str) -> Response:
    media_type, _ = mimetypes.guess_type(name)
    headers = {"Cache-Control": FOR_EVER, "Content-Security-Policy": POLICY_OF_FILES}
    if name in LARGE:
        content = _zipped(name)
        headers["Vary"] = "Accept-Encoding"
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
        else:
            content = gzip.decompress(content)
    elif name in FILES:
        content = FILES[name]
    else:
        raise HTTPException(404, "no such file")
    return Response(content, media_type=media_type, headers=headers)


@cache
def _zipped(name: str) -> bytes:
    return gzip.compress(LARGE[name].read_bytes(), mtime=0)
