"""`GET /openapi.json`: the OpenAPI description of the HTTP interface, for callers with a token or a login."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from cloud_bridge.web.security.access import ApiAsker

router = APIRouter(include_in_schema=False)


@router.get("/openapi.json")
def description(request: Request, _asker: ApiAsker) -> JSONResponse:
    """Return the OpenAPI 3.1 description. Anonymous callers get 401: they need not learn which routes exist."""
    described: dict[str, Any] = request.app.openapi()
    return JSONResponse(described)
