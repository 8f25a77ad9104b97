"""Which clients may use the panel?"""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from hil_tests.rig.panel.security_headers import LoopbackOnly


def answer(**headers: str) -> tuple[int, dict[str, str]]:
    """Return status and headers of one request."""
    said: list[Message] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": raw, "query_string": b""}
    asyncio.run(LoopbackOnly(inner)(scope, receive, send))
    return said[0]["status"], {name.decode(): value.decode() for name, value in said[0]["headers"]}


@pytest.mark.parametrize("host", ["127.0.0.1:8081", "localhost", "localhost:8081", "[::1]:8081"])
def test_may_this_machine(host: str) -> None:
    """By each of its names, from a script and from our own page?"""
    assert answer(host=host)[0] == 200
    assert answer(host=host, origin=f"http://{host}")[0] == 200


@pytest.mark.parametrize("host", ["", "rig.example", "127.0.0.1.example", "192.0.2.7:8081", "localhost.example:8081"])
def test_may_no_other_name(host: str) -> None:
    """A name that resolves to this machine is still not its name (DNS rebinding)?"""
    assert answer(host=host)[0] == 403


@pytest.mark.parametrize("origin", ["http://rig.example", "https://127.0.0.1:8081", "http://127.0.0.1:9999", "null"])
def test_may_no_page_of_another_site(origin: str) -> None:
    """Another host, scheme or port, or a sandboxed frame?"""
    assert answer(host="127.0.0.1:8081", origin=origin)[0] == 403


def test_are_browsers_told_to_be_strict() -> None:
    """No scripts, styles or frames but our own?"""
    assert answer(host="localhost")[1]["content-security-policy"].startswith("default-src 'self'")
