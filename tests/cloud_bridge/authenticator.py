"""Authenticator apps and recovery codes of people in tests. Codes follow RFC 4226 and 6238, without our code."""

import base64
import hmac
import html
import re
import struct
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

STEP_MS = 30_000


def code_of(key: str, at_ms: int) -> str:
    """Return the code at `at_ms`. `key` is in base 32, as the page shows it."""
    text = key.replace(" ", "")
    counter = struct.pack(">Q", at_ms // STEP_MS)
    mark = hmac.new(base64.b32decode(text + "=" * (-len(text) % 8)), counter, "sha1").digest()
    at = mark[-1] & 0xF
    return f"{(struct.unpack('>I', mark[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def hidden_in(page: str) -> dict[str, str]:
    """Return the hidden fields of the page's first form."""
    first = page.partition("<form")[2].partition("</form")[0]
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', first)
    return {name: html.unescape(value) for name, value in fields}


def key_in(page: str) -> str:
    found = re.search(r"<code>([A-Z2-7 ]{32,})</code>", page)
    assert found, page
    return found[1]


def recovery_codes_in(page: str) -> list[str]:
    return re.findall(r"<li><code>([0-9A-Z-]{19})</code>", page)


def pass_second_factor(client: TestClient, answer: Response, name: str) -> Response:
    """Complete the login after the password. Return the answer itself if no second factor is asked for.

    The first login sets the second factor up, later ones use a recovery code, which works although the clock stands still.
    """
    app: Any = client.app
    codes: dict[str, list[str]] = app.state._state.setdefault("recovery_codes_of_tests", {})
    if answer.is_redirect:
        if not answer.headers["Location"].startswith("/login/"):
            return answer
        answer = client.get(answer.headers["Location"])
    if answer.url.path == "/login/second-factor":
        now_ms = app.state.bridge.clock.now_ms()
        fields = hidden_in(answer.text) | {"code": code_of(key_in(answer.text), now_ms)}
        shown = client.post("/login/second-factor", data=fields)
        assert shown.status_code == 200, shown.text
        codes[name] = recovery_codes_in(shown.text)
        return client.get(fields["next"])
    if answer.url.path == "/login/code":
        return client.post("/login/code", data=hidden_in(answer.text) | {"code": codes[name].pop()})
    return answer
