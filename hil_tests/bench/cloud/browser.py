"""A logged-in person who opens pages again and again, in a process of its own.

`python -m hil_tests.bench.cloud.browser PORT PASSWORD PATH` opens PATH until its input ends, and prints each time in
seconds.
"""

import json
import re
import sys
import threading
import time
import urllib.parse
import urllib.request
from http.client import HTTPResponse
from http.cookiejar import CookieJar

NAME = "bench"  # of the person; the caller adds the account
PAUSE_S = 0.02
WITHIN_S = 60.0


class Browser:
    """A browser without a cache and without scripts."""

    def __init__(self, port: int, password: str) -> None:
        self._address = f"http://127.0.0.1:{port}"
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        found = re.search(r'name="form" value="([0-9a-f]+)"', self.get("/login"))
        assert found is not None
        form = urllib.parse.urlencode({"name": NAME, "password": password, "form": found[1]})
        self.opener.open(f"{self._address}/login", form.encode(), WITHIN_S).close()

    def open(self, path: str) -> HTTPResponse:
        answer: HTTPResponse = self.opener.open(f"{self._address}{path}", timeout=WITHIN_S)
        return answer

    def get(self, path: str) -> str:
        with self.open(path) as page:
            return page.read().decode()

    def look(self, path: str) -> float:
        """Open a page. Return the seconds from the request to the last byte."""
        started_s = time.monotonic()
        self.get(path)
        return time.monotonic() - started_s


def main(port: int, password: str, path: str) -> None:
    stop = threading.Event()

    def heed_the_end() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=heed_the_end, daemon=True).start()
    browser = Browser(port, password)
    times = []
    while not stop.wait(PAUSE_S):
        times.append(browser.look(path))
    print(json.dumps(times))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
