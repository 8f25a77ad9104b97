"""The car maker's cloud over HTTP: the page where the driver consents, the OAuth endpoints, the cars."""

import asyncio
import html
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from urllib.parse import urlencode

import uvicorn
from fastapi import FastAPI, Form, Header, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp

from hil_tests.sim.car_account import CarAccount, Refused

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Demo Motors</title>
<body><h1>Demo Motors</h1><p>Chargekeeper asks to read your car: battery, charging, range.</p>
<form method="get" action="decide">{hidden}
<p><button name="answer" value="yes">Allow</button> <button name="answer" value="no">Do not allow</button></p></form>"""

Text = Annotated[str, Form()]


def create_app(account: CarAccount) -> FastAPI:
    """Return the account's web application, to be served on a port of the caller's."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.exception_handler(Refused)
    async def refused(_request: Request, refusal: Exception) -> JSONResponse:
        assert isinstance(refusal, Refused)
        return JSONResponse({"error": refusal.error}, refusal.status)

    @app.get("/authorize")
    async def authorize(
        client_id: str, redirect_uri: str, state: str, code_challenge: str, code_challenge_method: str
    ) -> HTMLResponse:
        if client_id != account.client_id or not redirect_uri.startswith(account.redirect_prefix):
            raise Refused(400, "invalid_request")
        if code_challenge_method != "S256":
            raise Refused(400, "invalid_request")
        kept = {"redirect_uri": redirect_uri, "state": state, "challenge": code_challenge}
        hidden = "".join(f'<input type="hidden" name="{k}" value="{html.escape(v)}">' for k, v in kept.items())
        return HTMLResponse(PAGE.format(hidden=hidden))

    @app.get("/decide")
    async def decide(redirect_uri: str, state: str, challenge: str, answer: str) -> RedirectResponse:
        if not redirect_uri.startswith(account.redirect_prefix):
            raise Refused(400, "invalid_request")
        said = {"code": account.consent(challenge, redirect_uri)} if answer == "yes" else {"error": "access_denied"}
        return RedirectResponse(f"{redirect_uri}?{urlencode(said | {'state': state})}", 303)

    @app.post("/token")
    async def token(request: Request) -> dict[str, Any]:
        form = await request.form()
        told = account.token({name: str(value) for name, value in form.items()})
        await asyncio.sleep(account.answer_s)
        return told

    @app.post("/revoke")
    async def revoke(token: Text) -> Response:
        account.revoke(token)
        return Response()

    @app.get("/api/vehicles")
    async def cars(authorization: Annotated[str, Header()] = "") -> dict[str, Any]:
        account.check(authorization.removeprefix("Bearer "))
        return {"vehicles": [{"id": car.id, "vin": car.vin, "name": car.name} for car in account.cars]}

    @app.get("/api/vehicles/{car_id}")
    async def car(car_id: str, authorization: Annotated[str, Header()] = "") -> dict[str, Any]:
        return account.car(authorization.removeprefix("Bearer "), car_id)

    return app


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Serve the application in its own thread on a loopback port, and yield the address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
