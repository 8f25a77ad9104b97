"""The meaning of a token endpoint's refusal, in any of the forms in use. Pure.

RFC 6749, 5.2 has one word for a grant that is no longer valid, `invalid_grant`. Servers in use express it in many ways:

- `invalid_request` with a description (ory/fosite issue 645, authlib issue 112, better-auth issue 8099);
- `bad_refresh_token` with status 200 (GitHub, "Troubleshooting OAuth app access token request errors");
- `invalid_token` with status 401; the words of OpenID Connect Core 3.1.2.6 (`login_required`, `interaction_required`);
- `mfa_required` (Auth0), `invalid_rapt` (Google), TOKEN_EXPIRED and USER_DISABLED (Firebase), "Refresh Token has been
  revoked" (Amazon Cognito), "Session not active" (Keycloak);
- any of these as an object or a list, under `error`, `errors` or another key.

All texts of a response are therefore searched. Only a response with status 4xx, or a 200 that contains an error, can mean at
once that the consent is gone. A refusal that no row matches, or that has status 5xx, is UNEXPLAINED: the driver is informed
only if it lasts (linking/link.py).
"""

import re

from cloud_bridge.vehicles.providers.answers import normalised
from cloud_bridge.vehicles.providers.provider_errors import Trouble, unknown_answer

_GONE = (
    r"(?:invalid|expired|expires|revoked|reused|replayed|withdrawn|inactive|disabled|deactivated|deleted|removed|suspended|"
    r"terminated|blacklisted|incorrect|wrong|bad|unknown|stale|malformed|unrecogni[sz]ed|mismatch|cancell?ed|rejected|"
    r"not (?:a |be )?(?:valid|active|found|find|recogni[sz]ed|exist)|no (?:valid|such)|isn t valid|doesn t exist|"
    r"no longer (?:valid|active|exists?)|(?:already|been) used)"
)
_OURS = r"(?:refresh token|session|consent|user|password|grant(?! type))"
_ANY = r"(?:tokens?|jwt|authori[sz]ation|login|account|credentials?)"
_NEAR = r"(?: \w+){0,4}? "  # up to four words between the two


def _gone(what: str) -> str:
    """Return a pattern that matches "the refresh token has been revoked" as well as "invalid refresh token"."""
    return rf"\b{what}{_NEAR}{_GONE}\b|\b{_GONE}{_NEAR}{what}\b"


# The first matching row decides. Patterns are matched against normalised texts (answers.normalised), line by line.
_ROWS: tuple[tuple[str, Trouble], ...] = (
    (r"slow down|too many requests|rate limit|throttl|quota exceeded|login rate exceeded", Trouble.RATE_LIMITED),
    (r"temporarily unavailable|service unavailable|server error|under maintenance|being processed", Trouble.OUTAGE),
    (r"invalid auth(?:ori[sz]ation)? code", Trouble.CODE_REFUSED),
    (r"\b(?:invalid|insufficient|missing) scopes?\b", Trouble.SCOPE_MISSING),
    (r"\baccount (?:is |has been )?locked\b", Trouble.ACCOUNT_LOCKED),
    (r"\binvalid grant\b(?! type)|\binvalid rapt\b|\brefresh token reuse", Trouble.CONSENT_GONE),
    (
        r"\b(?:login|consent|interaction|account selection|mfa|2fa|otp|password change) (?:is )?required\b",
        Trouble.CONSENT_GONE,
    ),
    (r"\b(?:multi|two) ?factor\b|\bre ?auth(?:enticat|ori[sz]|\b)", Trouble.CONSENT_GONE),
    (r"\b(?:log|sign) ?in again\b|\bmust (?:log|sign) ?in\b|\bauthori[sz]e again\b", Trouble.CONSENT_GONE),
    (r"\baccess denied\b", Trouble.CONSENT_GONE),
    (_gone(_OURS), Trouble.CONSENT_GONE),
    (
        r"\b(?:invalid|unauthori[sz]ed|unknown) client\b|\bclient (?:authentication|secret|id|credentials)\b",
        Trouble.MISUSED,
    ),
    (_gone(_ANY), Trouble.CONSENT_GONE),
    (r"\bunsupported grant type\b|\binvalid redirect|\binvalid request\b", Trouble.MISUSED),
)
TOKEN_ERRORS = tuple((re.compile(pattern), trouble) for pattern, trouble in _ROWS)


def refusal(status: int, words: str, is_error: bool = False) -> Trouble:
    """Return the meaning of a response without a token.

    `status` is the HTTP status, and `words` are the response's texts (answers.words_of_content). `is_error` distinguishes a
    2xx response that reports an error from one that merely cannot be read.
    """
    if status == 429:
        return Trouble.RATE_LIMITED
    found = _by_words(words)
    if 400 <= status < 500:
        return found or unknown_answer(status)
    if 200 <= status < 300:
        return found or (Trouble.UNEXPLAINED if is_error else Trouble.OUTAGE)
    return Trouble.UNEXPLAINED if found is Trouble.CONSENT_GONE else Trouble.OUTAGE


def _by_words(words: str) -> Trouble | None:
    text = normalised(words)
    return next((trouble for pattern, trouble in TOKEN_ERRORS if pattern.search(text)), None)
