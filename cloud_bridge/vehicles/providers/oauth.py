"""The OAuth 2 part that all providers share: Authlib with PKCE, and the token endpoint's errors as a table."""

from dataclasses import dataclass, field
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client

from cloud_bridge.vehicles.providers.calls import CLIENT, unreachable
from cloud_bridge.vehicles.providers.provider import Grant, ProviderError, Webhook
from cloud_bridge.vehicles.providers.provider_errors import Row, Trouble, look_up
from cloud_bridge.vehicles.providers.section import Section

UNTOLD_LIFE_S = 1800  # of an access token whose provider does not say
LONGEST_LIFE_S = 90 * 24 * 3600
LIFE = "life_s"
PROTOCOL_SCOPES = frozenset({"openid", "offline_access", "offline", "email", "profile"})
TOKEN_AUTHS = ("client_secret_basic", "client_secret_post", "none")  # RFC 7591 section 2

# RFC 6749 5.2, OpenID Connect Core 3.1.2.6, and words that single makers use beside them.
TOKEN_ERRORS = (
    Row(None, "invalid_grant", Trouble.CONSENT_GONE),
    Row(None, "login_required", Trouble.CONSENT_GONE),
    Row(None, "consent_required", Trouble.CONSENT_GONE),
    Row(None, "interaction_required", Trouble.CONSENT_GONE),
    Row(None, "access_denied", Trouble.CONSENT_GONE),
    Row(None, "invalid_scope", Trouble.SCOPE_MISSING),
    Row(None, "invalid_auth_code", Trouble.CODE_REFUSED),
    Row(None, "invalid_client", Trouble.MISUSED),
    Row(None, "unauthorized_client", Trouble.MISUSED),
    Row(None, "unsupported_grant_type", Trouble.MISUSED),
    Row(None, "invalid_request", Trouble.MISUSED),
    Row(None, "invalid_redirect_url", Trouble.MISUSED),
)


@dataclass(frozen=True, slots=True)
class OAuthSettings:
    """Of one provider. Hosts and scopes are settings, so that a test or another region needs no code."""

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
        """Of the scopes, those that let us read; the others are the protocol's own."""
        return frozenset(scope.removeprefix("required:") for scope in self.scopes) - PROTOCOL_SCOPES


def oauth_settings(section: Section) -> OAuthSettings:
    """The OAuth keys of a provider's section. Raises ValueError that names the key."""
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
        url: str = self._client(redirect_uri).create_authorization_url(
            self._settings.authorise_url,
            state=state,
            code_verifier=verifier if self._settings.pkce else None,
            **extra,
        )[0]
        return url

    def exchange(self, code: str, verifier: str, redirect_uri: str, now_ms: int, **extra: str) -> Grant:
        """Raises ProviderError; CODE_REFUSED where the code, not the consent, is at fault."""
        if self._settings.pkce:
            extra["code_verifier"] = verifier
        try:
            told = self._told(
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
        grant = self._grant(told, None, now_ms)
        missing = self._settings.needed - set(grant.scopes)
        if not grant.refresh_token:
            missing |= {"offline_access"}
        if missing:
            self.revoke(grant)
            raise ProviderError(Trouble.SCOPE_MISSING, "not granted: " + " ".join(sorted(missing)))
        return grant

    def refresh(self, refresh_token: str, now_ms: int, **extra: str) -> Grant:
        """Raises ProviderError."""
        told = self._told(self._client().refresh_token, self._settings.token_url, refresh_token=refresh_token, **extra)
        return self._grant(told, refresh_token, now_ms)

    def revoke(self, grant: Grant) -> None:
        """Raises ProviderError when the provider cannot be reached; does nothing where it has no way to revoke."""
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
        make: Any = OAuth2Client  # Authlib has no types
        client = make(
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            token_endpoint_auth_method=settings.token_auth if settings.client_secret else "none",
            revocation_endpoint_auth_method=settings.token_auth if settings.client_secret else "none",
            scope=" ".join(settings.scopes) if redirect_uri else None,  # a refresh keeps the scopes it has
            redirect_uri=redirect_uri,
            code_challenge_method="S256" if settings.pkce else None,
            transport=self._transport,
            **CLIENT,
        )
        for answer in ("access_token_response", "refresh_token_response"):
            client.register_compliance_hook(answer, _set_life_aside)
        return client

    def _told(self, call: Any, *arguments: Any, **parts: Any) -> dict[str, Any]:
        """What the token endpoint says, once it is a token."""
        try:
            told: dict[str, Any] = call(*arguments, **parts)
        except OAuthError as error:
            words = f"{error.error} {error.description or ''}"
            raise ProviderError(look_up(TOKEN_ERRORS, 400, words), str(error.error)[:100]) from error
        except httpx2.HTTPStatusError as error:
            raise ProviderError(Trouble.OUTAGE, f"token endpoint: HTTP {error.response.status_code}") from error
        except (httpx2.HTTPError, ValueError) as error:  # ValueError: HTML, or JSON that is no object
            raise unreachable(error) from error
        if not isinstance(told.get("access_token"), str):
            raise ProviderError(Trouble.OUTAGE, "an answer of the token endpoint without a token")
        return told

    def _grant(self, told: dict[str, Any], old_refresh_token: str | None, now_ms: int) -> Grant:
        """Lives are durations counted from our own clock, so a clock that is off does not matter."""
        life_s = told.get(LIFE)
        if isinstance(life_s, str) and life_s.isdecimal():
            life_s = int(life_s)
        if isinstance(life_s, bool) or not isinstance(life_s, int | float) or not 0 < life_s <= LONGEST_LIFE_S:
            life_s = UNTOLD_LIFE_S
        scope = told.get("scope")
        # RFC 6749 5.1: left out means all that was asked for.
        scopes = tuple(scope.split()) if isinstance(scope, str) else tuple(self._settings.needed)
        refresh_token = told.get("refresh_token") or old_refresh_token or ""
        return Grant(told["access_token"], str(refresh_token), now_ms, now_ms + int(life_s * 1000), scopes)


def _set_life_aside(response: httpx2.Response) -> httpx2.Response:
    """Authlib would do sums with `expires_in` and fail on a strange one: after a refresh that would cost the grant."""
    try:
        told = response.json()
    except ValueError:
        return response
    if not response.is_success or not isinstance(told, dict):
        return response
    life = told.pop("expires_in", None)
    told.pop("expires_at", None)
    return httpx2.Response(response.status_code, json=told | {LIFE: life}, request=response.request)


class OAuthProvider:
    """The base of a provider with OAuth. A subclass adds `cars` and `read`, and overrides what differs.

    `release` does nothing: with most makers the consent is for the whole account, and `revoke` gives it back.
    """

    def __init__(self, section: Section, transport: httpx2.BaseTransport) -> None:
        """Raises ValueError for settings that cannot be used."""
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
        """More parameters of the authorisation request. `again`: consent is to be asked for anew."""
        return {}

    def _exchange_extra(self) -> dict[str, str]:
        """More parameters of the token request with a code."""
        return {}
