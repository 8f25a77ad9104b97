"""Hostile texts in every field of every form and query on the pages of a driver and a support person.

The driver owns the units of the attacker `poison`, so the pages show their messages.
"""

import re
import urllib.parse
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import NamedTuple

from hil_tests.siege import hostile
from hil_tests.siege.attack import Attack
from hil_tests.siege.http_client import Answer, HttpClient
from hil_tests.siege.population import PASSWORD

DRIVER, SUPPORTER = "mallory", "sue"
ADDRESSES = {DRIVER: "127.0.0.10", SUPPORTER: "127.0.0.11"}
MAX_PAGES = 150  # of one round; the number of conversations and jobs grows
PAUSE_S = 0.02
NO_PAGES = ("/logout", "/static", "/live", "/openapi", "/docs")
TOKEN = "form"
NUMBERS = re.compile(r"\d+")


class Form(NamedTuple):
    """`fields` are name and value, for a choice its first option; `files` are the names of file fields."""

    page: str
    method: str
    action: str
    fields: tuple[tuple[str, bytes], ...]
    files: tuple[str, ...]

    @property
    def key(self) -> str:
        """Return a key that is equal for forms that only differ in numbers and values."""
        fixed = [value.decode("utf-8", "replace") for name, value in self.fields if name in ("via", "choice", "on")]
        return NUMBERS.sub("0", f"{self.action} {[name for name, _ in self.fields]} {fixed}")


class Page(HTMLParser):
    """The links and forms of a page."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._path = path
        self._form: Form | None = None
        self._choice = ""  # a select that still needs its first option
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect links and fields. A form that is not closed is dropped at the next one."""
        of = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.append(urllib.parse.urljoin(self._path, of.get("href", "")))
        elif tag == "form":
            action = urllib.parse.urljoin(self._path, of.get("action", self._path))
            self._form = Form(self._path, of.get("method", "get").lower(), action, (), ())
        elif self._form is None:
            return
        elif tag == "option" and self._choice:
            self._add(self._choice, of.get("value", ""))
            self._choice = ""
        elif name := of.get("name", ""):
            if tag == "select":
                self._choice = name
            elif tag in ("input", "textarea", "button"):
                self._add(name, of.get("value", ""), of.get("type") == "file")

    def handle_endtag(self, tag: str) -> None:
        """Add the completed form."""
        if tag == "form" and self._form is not None:
            self.forms.append(self._form)
            self._form = None

    def _add(self, name: str, value: str, is_file: bool = False) -> None:
        assert self._form is not None
        fields = (*self._form.fields, (name, value.encode("utf-8", "replace")))
        files = (*self._form.files, name) if is_file else self._form.files
        self._form = self._form._replace(fields=fields, files=files)


def attack(attack: Attack) -> None:
    """Repeat rounds: each person logs in, opens every page, and sends every form."""
    people = [_Person(attack, name) for name in ADDRESSES]
    while not attack.over.is_set():
        for person in people:
            person.round()
            attack.counts[f"rounds of {person.name}"] += 1


class _Person:
    """One of the two people, with a session."""

    def __init__(self, attack: Attack, name: str) -> None:
        self.name, self._attack = name, attack
        self._client = HttpClient(attack.target.http_port, ADDRESSES[name])
        self._logged_in = False

    def round(self) -> None:
        """Attack all pages once. Ends early when the siege is over."""
        known: set[str] = set()
        for page in self._pages():
            for link in page.links:
                self._hostile_query(link, known)
            for form in page.forms:
                if form.key not in known and not self._attack.over.is_set():
                    known.add(form.key)
                    self._fill(form)
        self._attack.counts["forms"] += len(known)
        self._claim_again()

    def _pages(self) -> Iterator[Page]:
        """Yield every page that can be reached by links from the first page, breadth first."""
        to_open, seen = ["/"], {"/"}
        while to_open and len(seen) <= MAX_PAGES + len(to_open) and not self._attack.over.is_set():
            path = to_open.pop(0)
            answer = self._get(path)
            if answer is None or answer.status != 200:
                continue
            self._attack.counts["pages"] += 1
            page = Page(path, answer.text)
            yield page
            for link in page.links:
                link = link.partition("#")[0]
                if link.startswith("/") and link not in seen and not link.startswith(NO_PAGES):
                    seen.add(link)
                    to_open.append(link)

    def _get(self, path: str) -> Answer | None:
        """Get a page with a session. Only follow the redirect to the login."""
        for _ in range(2):
            if not self._logged_in:
                self._log_in()
            answer = self._asked(f"GET {path}", path)
            if answer is None or not answer.location.startswith("/login"):
                return answer
            self._logged_in = False
        return answer

    def _log_in(self) -> None:
        answer = self._attack.ask("login", lambda: self._client.log_in(self.name.encode(), PASSWORD.encode()))
        self._logged_in = answer is not None and answer.status == 303

    def _fill(self, form: Form) -> None:
        """Send the form with each field hostile alone, all fields hostile, all twice, all missing, and with a wrong token."""
        chance, fields = self._attack.random, form.fields
        names = [name for name, _ in fields if name != TOKEN]
        for name in names:
            self._submit(form, [(n, hostile.text(chance) if n == name else value) for n, value in fields])
        if names:
            self._submit(form, [(n, value if n == TOKEN else hostile.text(chance)) for n, value in fields])
            self._submit(form, [*fields, *fields])
        self._submit(form, [(n, value) for n, value in fields if n == TOKEN])
        self._submit(form, [(n, hostile.text(chance) if n == TOKEN else value) for n, value in fields])

    def _submit(self, form: Form, fields: list[tuple[str, bytes]]) -> None:
        if self._attack.over.wait(PAUSE_S) or form.action == "/logout":
            return
        self._attack.counts["submissions"] += 1
        said = f"{form.method.upper()} {form.action} of {self.name} with {[(n, v[:60]) for n, v in fields]!r:.1500}"
        if form.method == "post":
            self._check(said, self._attack.ask(said, lambda: self._client.post(form.action, fields, form.files)))
        else:
            query = "&".join(f"{n}={urllib.parse.quote_from_bytes(v)}" for n, v in fields)
            self._asked(said, f"{form.action}?{query}")

    def _hostile_query(self, link: str, known: set[str]) -> None:
        """Request the link with each parameter of its query hostile alone."""
        path, _, query = link.partition("#")[0].partition("?")
        parameters = urllib.parse.parse_qsl(query)
        key = f"{NUMBERS.sub('0', path)}?{[name for name, _ in parameters]}"
        if not parameters or not path.startswith("/") or key in known:
            return
        known.add(key)
        for name, _ in parameters:
            if self._attack.over.wait(PAUSE_S):
                return
            self._attack.counts["queries"] += 1
            pairs = [
                (n, hostile.text(self._attack.random)[:8000] if n == name else value.encode())
                for n, value in parameters
            ]
            asked = "&".join(f"{n}={urllib.parse.quote_from_bytes(v)}" for n, v in pairs)
            self._asked(f"GET {path}?{asked:.1500}", f"{path}?{asked}")

    def _asked(self, said: str, path: str) -> Answer | None:
        quoted = urllib.parse.quote(path, safe="/?&=%:;,+~!*'()@$-._")
        answer = self._attack.ask(said, lambda: self._client.get(quoted))
        self._check(said, answer)
        return answer

    def _check(self, said: str, answer: Answer | None) -> None:
        """Record a fault if the page contains our script unescaped."""
        is_page = answer is not None and answer.content_type.startswith("text/html")
        if answer is not None and is_page and hostile.SCRIPT.decode() in answer.text:
            self._attack.fault(f"a script that was typed stands in the page after {said}")

    def _claim_again(self) -> None:
        """Claim our units again, which an earlier form may have released."""
        owned = self._get("/account/units") if self.name == DRIVER and not self._attack.over.is_set() else None
        if owned is None:
            return
        for form in Page("/account/units", owned.text).forms:
            for unit in (self._attack.target.units[name] for name in self._attack.target.people[DRIVER].units):
                if "code" in dict(form.fields) and unit.name not in owned.text:
                    code = unit.claim_code.encode()
                    self._submit(form, [(name, code if name == "code" else value) for name, value in form.fields])
                    self._attack.counts["units claimed again"] += 1
