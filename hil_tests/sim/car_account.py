"""A car maker's cloud: an OAuth 2 authorisation server with a consent page, and the cars behind it.

It is as strict as real servers: PKCE S256 (RFC 7636), single-use codes and single-use refresh tokens. A refresh token
that is used twice ends the whole grant, because one of the two users must be a thief (RFC 9700 4.14). Some makers
tolerate a client that lost their answer: for `second_chance_s` the token that was used last is valid once more, and the
token issued for its first use is then invalid. With `path`, the grants are stored in a JSON file, so that a demo
survives a restart.
"""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ACCESS_LIFE_S = 3600
CODE_LIFE_S = 60
KEPT_GRANTS = 100


@dataclass
class Car:
    """A car. `read` returns its present state."""

    id: str
    vin: str
    name: str
    read: Callable[[], dict[str, Any]]


@dataclass
class Grant:
    """A consent, with its tokens as hashes. Used refresh tokens are stored to detect a second use."""

    access: str = ""
    access_until_s: float = 0
    refresh: str = ""
    used: list[str] = field(default_factory=list)
    used_s: float = 0  # when the latest of them was used, in seconds since 1970


class Refused(Exception):
    """A 4xx answer: its status, and the error code in its body."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status, self.error = status, error


class CarAccount:
    """One driver's account. Not thread-safe: use it on one event loop."""

    def __init__(self, client_id: str, redirect_prefix: str, cars: list[Car], path: Path | None = None) -> None:
        self.client_id = client_id
        self.cars = cars
        self.redirect_prefix = redirect_prefix
        self.asleep = False
        self.remote_off = False
        self.answer_s = 0.0  # delay of the token endpoint's answers
        self.second_chance_s = 0.0
        self.refreshes = 0
        self.second_chances = 0
        self.reuses = 0
        self._codes: dict[str, tuple[str, str, float]] = {}  # code -> challenge, redirect_uri, until
        self._path = path
        self._grants: list[Grant] = []
        if path is not None and path.exists():
            self._grants = [Grant(**kept) for kept in json.loads(path.read_text())]

    @property
    def linked(self) -> bool:
        """Whether any grant exists now."""
        return bool(self._grants)

    def lose_access(self) -> None:
        """End every grant, as when the driver changes the password."""
        self._grants = []
        self._codes = {}
        self._store()

    def consent(self, challenge: str, redirect_uri: str) -> str:
        """Return the code for a consent that was just given."""
        code = secrets.token_urlsafe(16)
        self._codes[code] = (challenge, redirect_uri, time.monotonic() + CODE_LIFE_S)
        return code

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        """Answer a request to the token endpoint. Raises Refused."""
        if form.get("client_id") != self.client_id:
            raise Refused(401, "invalid_client")
        kind = form.get("grant_type")
        if kind == "authorization_code":
            return self._exchange(form)
        if kind == "refresh_token":
            return self._refresh(form.get("refresh_token", ""))
        raise Refused(400, "unsupported_grant_type")

    def revoke(self, token: str) -> None:
        """Revoke a token. An unknown token is accepted too (RFC 7009)."""
        mark = _hash(token)
        self._grants = [grant for grant in self._grants if mark not in (grant.access, grant.refresh)]
        self._store()

    def car(self, token: str, car_id: str) -> dict[str, Any]:
        """Return the car's state. Raises Refused."""
        self.check(token)
        car = next((car for car in self.cars if car.id == car_id), None)
        if car is None:
            raise Refused(404, "not_found")
        if self.remote_off:
            raise Refused(403, "remote_access_disabled")
        if self.asleep:
            raise Refused(408, "asleep")
        return car.read()

    def check(self, token: str) -> None:
        """Raise Refused for an invalid access token."""
        mark = _hash(token)
        if not any(grant.access == mark and time.time() < grant.access_until_s for grant in self._grants):
            raise Refused(401, "invalid_token")

    def _exchange(self, form: dict[str, str]) -> dict[str, Any]:
        challenge, redirect_uri, until_s = self._codes.pop(form.get("code", ""), ("", "", 0))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        right = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
        if not right or form.get("redirect_uri") != redirect_uri or time.monotonic() > until_s:
            raise Refused(400, "invalid_grant")
        self._grants = [*self._grants, Grant()][-KEPT_GRANTS:]
        return self._tokens(self._grants[-1])

    def _refresh(self, token: str) -> dict[str, Any]:
        mark = _hash(token)
        for grant in self._grants:
            if mark == grant.refresh:
                grant.used.append(mark)
                grant.used_s = time.time()
                self.refreshes += 1
                return self._tokens(grant)
            if grant.used[-1:] == [mark] and time.time() < grant.used_s + self.second_chance_s:
                self.second_chances += 1
                self.refreshes += 1
                grant.used.insert(0, grant.refresh)
                return self._tokens(grant)
            if mark in grant.used:
                self.reuses += 1
                self._grants.remove(grant)
                self._store()
                break
        raise Refused(400, "invalid_grant")

    def _tokens(self, grant: Grant) -> dict[str, Any]:
        access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        grant.access, grant.refresh = _hash(access), _hash(refresh)
        grant.access_until_s = time.time() + ACCESS_LIFE_S
        self._store()
        return {
            "access_token": access,
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": ACCESS_LIFE_S,
            "scope": "offline_access vehicle:read",
        }

    def _store(self) -> None:
        if self._path is not None:
            self._path.write_text(json.dumps([vars(grant) for grant in self._grants]))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
