"""The OAuth 2 part that all providers share: Authlib with PKCE, and a base class for providers.

A token endpoint's response is checked before Authlib sees it. A response without a token is interpreted by token_errors.py; of
one with a token, only the parameters of RFC 6749, 5.1 are passed on. A response to a refresh, which has used up the old token,
is therefore never lost because of something unexpected beside the new token.
"""

from dataclasses import dataclass, field
from typing import Any

import httpx2
from authlib.integrations.httpx_client import OAuth2Client

from cloud_bridge.vehicles.providers.answers import decoded_object, is_broken, words_of_content
from cloud_bridge.vehicles.providers.calls import CLIENT, retry_after_ms, unreachable
from cloud_bridge.vehicles.providers.provider import Grant, ProviderError, Webhook
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from cloud_bridge.vehicles.providers.section import Section
from cloud_bridge.vehicles.providers.token_errors import refusal

UNTOLD_LIFE_S = 1800  # lifetime of an access token if the provider does not send one
LONGEST_LIFE_S = 90 * 24 * 3600
LONGEST_LIFE_DIGITS = 10
LIFE = "life_s"
PROTOCOL_SCOPES = frozenset({"openid", "offline_access", "offline", "email", "profile"})
TOKEN_AUTHS = ("client_secret_basic", "client_secret_post", "none")  # RFC 7591 section 2


@dataclass(frozen=True, slots=True)
class OAuthSettings:
    """The OAuth settings of one provider. Hosts and scopes are settings, so that tests and other regions need no code."""

    client_id: str
    authorise_url: str
    token_url: str
    scopes: tuple[str, ...]
    client_secret: str | None = field(default=None, repr=False)
    revoke_url: str | None = None
    issuer: str | None = None
    token_auth: str = "client_secret_basic"  # one of TOKEN_AUTHS
    pkce: bool = True  # S256; off only where a provider refuses it

    @property
    def needed(self) -> frozenset[str]:
        """The scopes that allow us to read; the others belong to the protocol."""
        return frozenset(scope.removeprefix("required:") for scope in self.scopes) - PROTOCOL_SCOPES


def oauth_settings(section: Section) -> OAuthSettings:
    """Read the OAuth keys of a provider's section. Raises ValueError with the key."""
    token_auth = section.text("token_auth", "client_secret_basic")
    if token_auth not in TOKEN_AUTHS:
        raise ValueError(f"{section.name}: token_auth is {token_auth!r}, not one of {', '.join(TOKEN_AUTHS)}")
    return OAuthSettings(
        client_id=section.text("client_id"),
        client_secret=section.optional_text("client_secret"),
        authorise_url=section.url("authorise_url"),
        token_url=section.url("token_url"),
        revoke_url=section.optional_url("revoke_url"),
        issuer=section.optional_text("issuer"),
        scopes=section.texts("scopes"),
        token_auth=token_auth,
        pkce=section.flag("pkce", True),
    )


class OAuth:
    """A client of one provider's OAuth endpoints: authorise, exchange, refresh, revoke."""

    def __init__(self, settings: OAuthSettings, transport: httpx2.BaseTransport) -> None:
        self._settings = settings
        self._transport = transport

    def authorise_url(self, state: str, verifier: str, redirect_uri: str, **extra: str) -> str:
        """Return the address of the authorization request (RFC 6749, 4.1.1), with a PKCE challenge (RFC 7636) unless the
        settings forbid it."""
        url: str = self._client(redirect_uri).create_authorization_url(
            self._settings.authorise_url,
            state=state,
            code_verifier=verifier if self._settings.pkce else None,
            **extra,
        )[0]
        return url

    def exchange(self, code: str, verifier: str, redirect_uri: str, now_ms: int, **extra: str) -> Grant:
        """Exchange a code for a grant. Raises ProviderError: CODE_REFUSED if the code is at fault rather than the consent."""
        if self._settings.pkce:
            extra["code_verifier"] = verifier
        try:
            answer = self._token_answer(
                self._client(redirect_uri).fetch_token,
                self._settings.token_url,
                code=code,
                grant_type="authorization_code",
                **extra,
            )
        except ProviderError as error:
            if error.trouble is Trouble.CONSENT_GONE:
                raise ProviderError(Trouble.CODE_REFUSED, str(error)) from error
            raise
        grant = self._grant(answer, None, now_ms)
        missing = self._settings.needed - set(grant.scopes)
        if not grant.refresh_token:
            missing |= {"offline_access"}
        if missing:
            self.revoke(grant)
            raise ProviderError(Trouble.SCOPE_MISSING, "not granted: " + " ".join(sorted(missing)))
        return grant

    def refresh(self, refresh_token: str, now_ms: int, **extra: str) -> Grant:
        """Return the next grant. Raises ProviderError: CONSENT_GONE if the refresh token is refused, in whatever words."""
        call = self._client().refresh_token
        try:
            answer = self._token_answer(call, self._settings.token_url, refresh_token=refresh_token, **extra)
        except ProviderError as error:
            if error.trouble is Trouble.CODE_REFUSED:  # no code was sent, so this refers to the token
                raise ProviderError(Trouble.CONSENT_GONE, str(error)) from error
            raise
        return self._grant(answer, refresh_token, now_ms)

    def revoke(self, grant: Grant) -> None:
        """Revoke the grant (RFC 7009). Does nothing if the provider has no such endpoint. Raises ProviderError."""
        if self._settings.revoke_url is None:
            return
        token, hint = (grant.refresh_token, "refresh_token") if grant.refresh_token else (grant.access_token, None)
        try:
            response = self._client().revoke_token(self._settings.revoke_url, token=token, token_type_hint=hint)
        except httpx2.HTTPError as error:
            raise unreachable(error) from error
        if not response.is_success:
            raise ProviderError(Trouble.OUTAGE, f"revocation: HTTP {response.status_code}")

    def _client(self, redirect_uri: str | None = None) -> Any:
        settings = self._settings
        make: Any = OAuth2Client  # Authlib has no type hints
        client = make(
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            token_endpoint_auth_method=settings.token_auth if settings.client_secret else "none",
            revocation_endpoint_auth_method=settings.token_auth if settings.client_secret else "none",
            scope=" ".join(settings.scopes) if redirect_uri else None,  # a refresh keeps the granted scopes
            redirect_uri=redirect_uri,
            code_challenge_method="S256" if settings.pkce else None,
            transport=self._transport,
            **CLIENT,
        )
        for answer in ("access_token_response", "refresh_token_response"):
            client.register_compliance_hook(answer, _checked)
        return client

    def _token_answer(self, call: Any, *arguments: Any, **parts: Any) -> dict[str, Any]:
        """Return the parameters of the token endpoint's response. Raises ProviderError."""
        try:
            answer: dict[str, Any] = call(*arguments, **parts)
        except (httpx2.HTTPError, ValueError) as error:  # ValueError: a header or an address that httpx cannot use
            raise unreachable(error) from error
        return answer

    def _grant(self, answer: dict[str, Any], old_refresh_token: str | None, now_ms: int) -> Grant:
        """Make a grant. Lifetimes are counted by our own clock, so a wrong clock does not matter."""
        scope = answer.get("scope")
        # RFC 6749 5.1: left out means all that was asked for.
        scopes = tuple(scope.split()) if isinstance(scope, str) else tuple(self._settings.needed)
        refresh_token = answer.get("refresh_token") or old_refresh_token or ""
        return Grant(answer["access_token"], str(refresh_token), now_ms, now_ms + int(answer[LIFE] * 1000), scopes)


def _checked(response: httpx2.Response) -> httpx2.Response:
    """Return the response with only the parameters that we use, each of a type that Authlib accepts. Raises ProviderError.

    `expires_in` gets another name, because Authlib would calculate with it and fail on an unexpected value.
    """
    body = decoded_object(response.content)
    if not response.is_success or body is None or not _is_token(body.get("access_token")):
        raise _refused(response, body)
    used = {name: body[name] for name in ("access_token", "refresh_token", "scope") if _is_token(body.get(name))}
    return httpx2.Response(200, json=used | {LIFE: _life_s(body.get("expires_in"))}, request=response.request)


def _refused(response: httpx2.Response, body: dict[str, Any] | None) -> ProviderError:
    status = response.status_code
    retry_ms = retry_after_ms(response.headers.get("Retry-After"))
    if is_broken(response.content):
        return ProviderError(Trouble.OUTAGE, f"token endpoint: HTTP {status}, broken JSON", retry_after_ms=retry_ms)
    is_error = bool(body and (body.get("error") or body.get("errors")))
    trouble = refusal(status, words_of_content(response.content), is_error)
    return ProviderError(trouble, f"token endpoint: HTTP {status}", retry_after_ms=retry_ms)


def _is_token(value: Any) -> bool:
    """Return True for visible ASCII characters and spaces (RFC 6749, A.12, A.17 and A.4)."""
    return isinstance(value, str) and value != "" and value.isascii() and value.isprintable()


def _life_s(value: Any) -> float:
    """Return the lifetime in seconds; UNTOLD_LIFE_S for an implausible value."""
    if isinstance(value, str) and value.isdecimal() and len(value) <= LONGEST_LIFE_DIGITS:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST_LIFE_S:
        return UNTOLD_LIFE_S
    return value


class OAuthProvider:
    """The base of a provider with OAuth. A subclass adds `cars` and `read`, and overrides what differs.

    `release` does nothing, because most makers' consent covers the whole account, and `revoke` withdraws it.
    """

    def __init__(self, section: Section, transport: httpx2.BaseTransport) -> None:
        """Raises ValueError for unusable settings."""
        settings = oauth_settings(section)
        self.name = section.name
        self.title = section.text("title", section.name)
        self.issuer = settings.issuer
        self.webhook: Webhook | None = None
        self._oauth = OAuth(settings, transport)
        self._transport = transport

    def authorise_url(self, state: str, verifier: str, redirect_uri: str, again: bool) -> str:
        return self._oauth.authorise_url(state, verifier, redirect_uri, **self._authorise_extra(again))

    def exchange(self, code: str, verifier: str, redirect_uri: str, now_ms: int) -> Grant:
        return self._oauth.exchange(code, verifier, redirect_uri, now_ms, **self._exchange_extra())

    def refresh(self, refresh_token: str, now_ms: int) -> Grant:
        return self._oauth.refresh(refresh_token, now_ms)

    def release(self, grant: Grant, car_id: str) -> None:
        pass

    def revoke(self, grant: Grant) -> None:
        self._oauth.revoke(grant)

    def _authorise_extra(self, again: bool) -> dict[str, str]:
        """Return additional parameters of the authorisation request. `again`: ask for consent even if it was given before."""
        return {}

    def _exchange_extra(self) -> dict[str, str]:
        """Return additional parameters of the token request with a code."""
        return {}
