"""`GET /openapi.json`: the description of the HTTP interface, for those who may use it."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from cloud_bridge.web.security.access import ApiAsker

router = APIRouter(include_in_schema=False)


@router.get("/openapi.json")
def description(request: Request, _asker: ApiAsker) -> JSONResponse:
    """OpenAPI 3.1. Needs a token or a login: a stranger need not know what there is to try."""
    described: dict[str, Any] = request.app.openapi()
    return JSONResponse(described)
