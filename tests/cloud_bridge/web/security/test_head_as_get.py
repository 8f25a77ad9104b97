"""Is HEAD answered like GET, without the body, on every route with GET?"""

import re
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from cloud_bridge.store.access import Role
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import Bridge

# What differs in every answer: form tokens, and with them the length of a compressed page.
OF_THE_MOMENT = {"content-length", "set-cookie", "date"}


@pytest.mark.parametrize("who", ["olga", "nobody", "token"])
def test_every_route_answers_head_as_get(bridge: Bridge, who: str) -> None:
    bridge.add_unit("1")
    olga = Visitor(bridge, "olga", Role.OPERATOR)
    client = {"olga": olga.client, "nobody": bridge.stranger(), "token": bridge.client}[who]
    app: Any = bridge.client.app
    paths = {context.path or "" for context in iter_route_contexts(app.routes) if "GET" in (context.methods or ())}
    tried = 0
    for path in sorted({re.sub(r"\{\w+\}", "1", path) for path in paths} | {"/no-such-page"}):
        if path.endswith("/live"):
            continue  # GET would not end
        tried += 1
        told = client.get(path, follow_redirects=False)
        head = client.head(path, follow_redirects=False)
        assert head.status_code == told.status_code, path
        assert head.content == b""
        assert {**head.headers}.keys() == {**told.headers}.keys(), path
        for name, value in head.headers.items():
            assert name in OF_THE_MOMENT or value == told.headers[name], (path, name)
    assert tried > 40


def test_the_head_of_a_stream_ends(bridge: Bridge) -> None:
    bridge.add_unit("cp-9")
    olga = Visitor(bridge, "olga", Role.OPERATOR)
    for path in ("/charge-points/cp-9/live", "/live?of=cp-9:"):
        head = olga.client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"].startswith("text/event-stream")


def test_what_no_get_answers_no_head_does(bridge: Bridge) -> None:
    assert bridge.stranger().head("/logout").status_code == 405
