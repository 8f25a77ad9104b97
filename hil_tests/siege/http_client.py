"""A person's HTTP client, with cookies, a source address, and the token that every form contains."""

import http.client
import re
import secrets
import urllib.parse
from collections.abc import Sequence
from contextlib import closing
from typing import NamedTuple

ANSWER_WITHIN_S = 30.0
MAX_ANSWER = 4_000_000  # bytes; longer answers are truncated
LOGIN_TRIES = 5  # for 429, which is the answer while too many passwords are checked
FORM_TOKEN = re.compile(r'name="form" value="(\w+)"')

Fields = Sequence[tuple[str, bytes]]


class LoginFailed(Exception):
    """The answer to the login was not a redirect to a page; the text is its status."""


class Answer(NamedTuple):
    """`location` is "" unless the answer is a redirect."""

    status: int
    location: str
    content_type: str
    text: str


def urlencoded(fields: Fields) -> bytes:
    """Encode fields as a browser does. Values need not be UTF-8."""
    return "&".join(
        f"{urllib.parse.quote(name)}={urllib.parse.quote_from_bytes(value)}" for name, value in fields
    ).encode()


def multipart(fields: Fields, files: Sequence[str]) -> tuple[str, bytes]:
    """Return content type and body (RFC 7578). Fields named in `files` become files."""
    boundary = secrets.token_hex(16)
    body = b""
    for name, value in fields:
        file = '; filename="report.txt"' if name in files else ""
        body += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + value + b"\r\n"
        )
    return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


class HttpClient:
    """Reuses its connection with `keep_alive`. Not thread-safe."""

    def __init__(self, port: int, source: str = "127.0.0.1", keep_alive: bool = False) -> None:
        self._port, self._source, self._keep_alive = port, source, keep_alive
        self._cookies: dict[str, str] = {}
        self._connection: http.client.HTTPConnection | None = None

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Get a page without following a redirect. Raises OSError, http.client.HTTPException."""
        return self._ask("GET", path, None, headers or {})

    def post(self, path: str, fields: Fields, files: Sequence[str] = ()) -> Answer:
        """Post a form, as multipart if there are `files`. Raises OSError, http.client.HTTPException."""
        if files:
            content_type, body = multipart(fields, files)
        else:
            content_type, body = "application/x-www-form-urlencoded", urlencoded(fields)
        return self._ask("POST", path, body, {"Content-Type": content_type})

    def log_in(self, name: bytes, password: bytes) -> Answer:
        """Try to log in; return the answer, accepted or not. Raises OSError, http.client.HTTPException, LoginFailed."""
        found = FORM_TOKEN.search((page := self.get("/login")).text)
        if found is None:
            raise LoginFailed(f"{page.status}: no form")
        return self.post("/login", [("name", name), ("password", password), ("form", found[1].encode())])

    def must_log_in(self, name: str, password: str) -> None:
        """Log in, with some retries. Raises LoginFailed, OSError, http.client.HTTPException."""
        for _ in range(LOGIN_TRIES):
            if (answer := self.log_in(name.encode(), password.encode())).status == 303:
                return
        raise LoginFailed(f"{name}: {answer.status}")

    def close(self) -> None:
        """Close the connection. The next request opens a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        if self._cookies:
            headers = headers | {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self._port, timeout=ANSWER_WITHIN_S, source_address=(self._source, 0)
            )
        try:
            self._connection.request(method, path, body, headers)
            with closing(self._connection.getresponse()) as answer:
                for one in answer.msg.get_all("set-cookie") or []:
                    name, _, value = one.partition("=")
                    self._cookies[name] = value.partition(";")[0]
                text = answer.read(MAX_ANSWER).decode("utf-8", "replace")
                location, content_type = answer.getheader("Location") or "", answer.getheader("Content-Type") or ""
                return Answer(answer.status, location, content_type, text)
        except BaseException:
            self.close()
            raise
        finally:
            if not self._keep_alive:
                self.close()
