"""What a new user would do in a browser, done for the visitor of `make run` with the same pages and forms, over HTTP."""

import html
import re
import time
from types import TracebackType

import httpx

from hil_tests.fixtures.authenticator import STEP_S, code_of

ANSWER_WITHIN_S = 60


class PageUnexpected(Exception):
    """A page is not the expected one. The text names the page and what is missing."""


class Browser:
    """A browser that keeps cookies and one page. Use it with `async with`."""

    def __init__(self, address: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=address, follow_redirects=True, timeout=ANSWER_WITHIN_S, trust_env=False
        )
        self._page = ""
        self._at = ""

    async def __aenter__(self) -> "Browser":
        return self

    async def __aexit__(self, *error: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self._client.aclose()

    async def log_in(self, name: str, password: str) -> None:
        """Log in. Raises httpx.HTTPError, PageUnexpected."""
        await self._open("/login")
        await self._send("/login", name=name, password=password)

    async def set_up_second_factor(self) -> str:
        """After the first login of a person who needs a second factor, set it up. Return the key of the authenticator
        app. Raises as `log_in`."""
        try:
            return await self._confirm_app(time.time() - STEP_S)  # the previous code: the present one stays unused
        except PageUnexpected:  # the code had just expired
            await self._open("/login/second-factor")
            return await self._confirm_app(time.time())

    async def _confirm_app(self, at_s: float) -> str:
        key = self._find(r"<li>.*?<p><code>([^<]+)</code>", "the key").replace(" ", "")
        await self._send("/login/second-factor", new=self._field("new"), code=code_of(key, at_s))
        self._find(r"(Recovery codes)", "the recovery codes")
        return key

    async def connect_vehicle(self, provider: str) -> None:
        """Consent at the car maker's and add all vehicles of the account, unless a vehicle is linked. Raises as `log_in`."""
        await self._open("/account/vehicles")
        if re.search(r'href="/account/vehicles/\d+"', self._page):
            return
        await self._open("/account/vehicles/connect")
        await self._send("/account/vehicles/connect", provider=provider)
        await self.consent()

    async def consent(self) -> None:
        """Follow the link to the car maker's page, press Allow, and return. Raises as `log_in`."""
        await self._open(self._find(r'http-equiv="refresh" content="0; url=([^"]+)"', "the way to the car maker"))
        consent = {name: self._field(name) for name in ("redirect_uri", "state", "challenge")}
        await self._open(str(httpx.URL(self._at).join("decide")), answer="yes", **consent)
        if "/choose/" in self._at:
            cars = re.findall(r'name="car" value="([^"]+)"', self._page)
            await self._send(self._at, car=[html.unescape(car) for car in cars])
        self._find(r"(Your vehicle is connected)", "the vehicle")

    async def read(self, path: str) -> str:
        """Open a page and return its text. Raises as `log_in`."""
        await self._open(path)
        return self._page

    @property
    def page(self) -> str:
        """The text of the present page."""
        return self._page

    async def send_form(self, path: str, form_on: str | None = None, **fields: str) -> None:
        """Send the form of `path`, which is on the page of that path or on `form_on`. Raises as `log_in`."""
        await self._open(form_on or path)
        once = re.search(r'name="once" value="([^"]*)"', self._page)
        await self._send(path, **({"once": once[1]} if once else {}), **fields)

    async def _open(self, url: str, **parameters: str) -> None:
        self._take(await self._client.get(url, params=parameters or None))

    async def _send(self, url: str, **fields: str | list[str]) -> None:
        self._take(await self._client.post(url, data={"form": self._field("form"), **fields}))

    def _take(self, answer: httpx.Response) -> None:
        self._page, self._at = answer.text, str(answer.url)
        if answer.is_error:
            raise PageUnexpected(f"{self._at} answered {answer.status_code}")

    def _field(self, name: str) -> str:
        return self._find(rf'name="{name}" value="([^"]*)"', f"the field {name}")

    def _find(self, pattern: str, what: str) -> str:
        found = re.search(pattern, self._page, re.DOTALL)
        if found is None:
            raise PageUnexpected(f"{self._at} lacks {what}")
        return html.unescape(found[1])
