"""`/docs`: the HTTP interface, to read and to try out. It shows /openapi.json, and is available to everybody who is logged
in."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud_bridge.web.page import PersonOf, page
from cloud_bridge.web.security.security_headers import POLICY_OF_DOCS

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def docs(request: Request, person: PersonOf) -> Response:
    shown = page(request, "everyone/docs.html", person)
    shown.headers["Content-Security-Policy"] = POLICY_OF_DOCS
    return shown
