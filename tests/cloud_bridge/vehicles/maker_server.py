"""A car maker's endpoints on a loopback socket. The test sets the answers."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CAR = {"id": "car-1", "vin": "VIN0000000000BLUE", "name": "Blue"}


class MakerServer:
    """Serves one account with one car. If set, `token` is the answer of the token endpoint instead of a grant."""

    def __init__(self) -> None:
        self.token: tuple[int, Any] | None = None
        self.api: tuple[int, Any] | None = None  # the answer of the data endpoints, if set
        self.refreshes = 0
        self.revoked = 0
        self.pause = threading.Event()  # while cleared, no request is answered
        self.pause.set()
        self._grants = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def settings(self) -> str:
        """Return vehicles.toml for a bridge in which this server is the provider "maker"."""
        return (
            f'public_url = "https://app.example"\n[provider.maker]\nkind = "generic"\ntitle = "Maker"\nclient_id = "us"\n'
            f'authorise_url = "{self.address}/authorize"\ntoken_url = "{self.address}/token"\n'
            f'revoke_url = "{self.address}/revoke"\napi_url = "{self.address}/api"\nscopes = ["read"]\n'
        )

    def close(self) -> None:
        self.pause.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str, body: bytes) -> tuple[int, Any]:
        """Return status and body."""
        if path == "/token":
            self.refreshes += b"grant_type=refresh_token" in body
            if self.token is not None:
                return self.token
            self._grants += 1
            return 200, {"access_token": f"A{self._grants}", "refresh_token": f"R{self._grants}", "expires_in": 28_800}
        if path == "/revoke":
            self.revoked += 1
            return 200, {}
        if self.api is not None:
            return self.api
        return 200, {"vehicles": [CAR]} if path == "/api/vehicles" else {"battery_percent": 50, "charging": False}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        maker = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                maker.pause.wait()
                status, answer = maker.answer(self.path, body)
                content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = handle_any  # noqa: N815  http.server's own names

            def log_message(self, *arguments: object) -> None:
                pass

        return Handler


@contextmanager
def maker_server() -> Iterator[MakerServer]:
    server = MakerServer()
    try:
        yield server
    finally:
        server.close()
