"""A mail server that stores the messages it receives, for tests that read them."""

import email
import email.policy
import queue
import socketserver
import threading


class Letters:
    """Listens on a free port. `address` is the value for CHARGEKEEPER_MAIL."""

    def __init__(self) -> None:
        self._arrived: queue.Queue[bytes] = queue.Queue()
        arrived = self._arrived

        class Talk(socketserver.StreamRequestHandler):
            """Accept every command (RFC 5321)."""

            def handle(self) -> None:
                self.wfile.write(b"220 letters\r\n")
                for line in self.rfile:
                    word = line[:4].upper()
                    if word == b"DATA":
                        self.wfile.write(b"354 go on\r\n")
                        arrived.put(b"".join(iter(self.rfile.readline, b".\r\n")))
                    self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                    if word == b"QUIT":
                        return

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        port = self._server.server_address[1]
        self.address = f"mailto://127.0.0.1:{port}?from=keeper@example.org&mode=insecure"

    def next(self, within_s: float) -> str:
        """Return the text of the next letter. Raises queue.Empty after `within_s`."""
        letter = email.message_from_bytes(self._arrived.get(timeout=within_s), policy=email.policy.default)
        body = letter.get_body(("plain", "html"))
        assert body is not None
        return str(body.get_content())

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
