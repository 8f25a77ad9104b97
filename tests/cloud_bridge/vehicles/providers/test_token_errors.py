"""Is a maker's final refusal of a refresh recognised in every dialect, and an outage never taken for one?"""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_bridge.vehicles.providers.answers import MAX_VALUES, words_of, words_of_content
from cloud_bridge.vehicles.providers.oauth import OAuth, OAuthSettings
from cloud_bridge.vehicles.providers.provider import Grant, ProviderError
from cloud_bridge.vehicles.providers.provider_errors import LASTING, Trouble
from cloud_bridge.vehicles.providers.token_errors import refusal
from tests.cloud_bridge.vehicles.provider_calls import Wire

NOW_MS = 1_767_225_600_000
SETTINGS = OAuthSettings("us", "https://maker.example/a", "https://maker.example/t", ("read",))


def trouble_of(status: int, body: Any) -> Trouble | None:
    """Return the trouble, or None for a grant."""
    try:
        OAuth(SETTINGS, Wire((status, body)).transport).refresh("R0", NOW_MS)
    except ProviderError as error:
        return error.trouble
    return None


def described(error: str, description: str) -> dict[str, str]:
    return {"error": error, "error_description": description}


GONE = [
    (400, described("invalid_grant", "")),
    (400, described("invalid_request", "The refresh token is invalid or expired.")),
    (400, described("invalid_request", "Invalid or expired refresh token.")),
    (400, described("invalid_request", 'Invalid "refresh_token" in request.')),
    (400, described("invalid_request", "session not found")),
    (400, described("invalid_request", "The refresh token has been revoked by the user")),
    (400, described("invalid_request", "No such refresh_token")),
    (401, {"error": "invalid_token"}),
    (401, described("invalid_token", "The access token expired")),
    (403, {"error": "invalid_token"}),
    (401, {"error": "bad_refresh_token"}),
    (200, described("bad_refresh_token", "The refresh token passed is incorrect or expired.")),
    (200, b"error=bad_refresh_token&error_description=The+refresh+token+passed+is+incorrect+or+expired."),
    (400, {"error": "mfa_required"}),
    (403, described("mfa_required", "Multifactor authentication required")),
    (401, described("login_required", "Login required")),
    (400, described("interaction_required", "AADSTS50076: you must use multi-factor authentication")),
    (400, described("consent_required", "")),
    (400, {"error": "invalid_grant", "error_subtype": "invalid_rapt"}),
    (400, {"error": {"code": 400, "message": "TOKEN_EXPIRED", "status": "INVALID_ARGUMENT"}}),
    (400, {"error": {"code": 400, "message": "USER_DISABLED"}}),
    (400, {"error": {"code": 400, "message": "INVALID_REFRESH_TOKEN"}}),
    (400, {"__type": "NotAuthorizedException", "message": "Refresh Token has been revoked"}),
    (401, {"errors": [{"code": "invalid_grant", "title": "…"}]}),
    (400, {"errors": {"refresh_token": ["is invalid"]}}),
    (400, {"error": ["invalid_grant"]}),
    (400, [{"error": "invalid_grant"}]),
    (401, {"fault": {"faultstring": "Invalid refresh token", "detail": {"errorcode": "oauth.v2.InvalidRefreshToken"}}}),
    (400, {"errorCode": "refreshTokenExpired"}),
    (400, {"status": "fail", "data": {"reason": {"text": "Token is not active"}}}),
    (400, described("invalid_grant", "Session not active")),
    (401, {"message": "User must log in again"}),
    (401, {"message": "Please re-authenticate"}),
    (401, {"code": "REAUTH_REQUIRED"}),
    (400, {"error": "token_revoked"}),
    (401, {"error": "unauthorized", "message": "Invalid refresh token: 1a2b"}),
    (401, described("unauthorized_client", "refresh token is invalid")),
    (404, {"message": "User not found"}),
    (401, "invalid_grant"),
    (401, b"Refresh token expired"),
]
NOT_YET = [  # each with what it is instead
    (400, described("invalid_request", "missing parameter client_id"), Trouble.MISUSED),
    (400, {"error": "invalid_request"}, Trouble.MISUSED),
    (401, described("invalid_client", "client authentication failed"), Trouble.MISUSED),
    (401, described("invalid_client", "Invalid client credentials"), Trouble.MISUSED),
    (400, described("unauthorized_client", "The client is not authorized for this grant type"), Trouble.MISUSED),
    (400, described("unsupported_grant_type", "The authorization grant type is not supported"), Trouble.MISUSED),
    (400, described("invalid_request", "invalid grant type"), Trouble.MISUSED),
    (400, {"error": "temporarily_unavailable"}, Trouble.OUTAGE),
    (400, described("server_error", "internal"), Trouble.OUTAGE),
    (400, {"errors": [{"code": "server_error", "help": "https://maker.example/docs#invalid_grant"}]}, Trouble.OUTAGE),
    (403, {"error": "rate_limit_exceeded"}, Trouble.RATE_LIMITED),
    (429, {"error": "invalid_grant"}, Trouble.RATE_LIMITED),
    (408, {}, Trouble.OUTAGE),
    (400, {"error": "something_new", "uri": "https://maker.example/errors/invalid_grant"}, Trouble.UNEXPLAINED),
    (403, {"message": "Forbidden"}, Trouble.UNEXPLAINED),
    (403, b"<html>Your session has expired</html>", Trouble.UNEXPLAINED),
    (401, b"", Trouble.UNEXPLAINED),
    (404, b"not here", Trouble.UNEXPLAINED),
    (200, {"error": "something_new"}, Trouble.UNEXPLAINED),
    (200, {"errors": ["?"]}, Trouble.UNEXPLAINED),
    (200, {}, Trouble.OUTAGE),
    (200, b"<html>maintenance</html>", Trouble.OUTAGE),
    (500, described("server_error", "internal"), Trouble.OUTAGE),
    (502, b"<html>invalid_grant</html>", Trouble.OUTAGE),
    (503, b"", Trouble.OUTAGE),
    (302, b"", Trouble.OUTAGE),
]


@pytest.mark.parametrize(("status", "body"), GONE)
def test_a_consent_that_is_gone_is_understood(status: int, body: Any) -> None:
    assert trouble_of(status, body) is Trouble.CONSENT_GONE


@pytest.mark.parametrize(("status", "body", "trouble"), NOT_YET)
def test_what_does_not_say_so_does_not_ask_the_driver(status: int, body: Any, trouble: Trouble) -> None:
    assert trouble_of(status, body) is trouble
    assert trouble not in LASTING


@pytest.mark.parametrize(("status", "body"), GONE)
def test_the_same_words_with_a_5xx_are_not_believed_at_once(status: int, body: Any) -> None:
    assert trouble_of(503, body) is Trouble.UNEXPLAINED, "the driver is told if they last"


CODES = ["invalid_grant", "bad_refresh_token", "mfa_required", "login_required", "invalid_token", "InvalidRefreshToken"]
SENTENCES = ["The refresh token is invalid.", "Refresh Token has been revoked", "Session not found", "Token expired"]
NOISE = st.none() | st.booleans() | st.integers() | st.text("0123456789-:", max_size=12)
NAMES = st.sampled_from(["error", "errors", "message", "code", "detail", "fault", "data", "title", "x"])


def wrapped(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw an object or a list with the inner value somewhere in it, beside noise."""
    noise = st.dictionaries(st.text("abc", min_size=1, max_size=3), NOISE, max_size=3)
    objects = st.tuples(noise, NAMES, inner).map(lambda parts: parts[0] | {parts[1]: parts[2]})
    lists = st.tuples(st.lists(NOISE, max_size=3), inner, st.lists(NOISE, max_size=3)).map(
        lambda parts: [*parts[0], parts[1], *parts[2]]
    )
    return objects | lists


def shaped() -> st.SearchStrategy[Any]:
    """Draw a word or sentence of a final refusal in any structure, up to eight levels deep."""
    return st.integers(0, 8).flatmap(lambda depth: deep(depth))


def deep(depth: int) -> st.SearchStrategy[Any]:
    shape: st.SearchStrategy[Any] = st.sampled_from(CODES + SENTENCES)
    for _ in range(depth):
        shape = wrapped(shape)
    return shape


@settings(max_examples=300, deadline=None)
@given(shaped(), st.sampled_from([400, 401, 403, 404, 422]))
def test_the_shape_does_not_matter(body: Any, status: int) -> None:
    assert trouble_of(status, json.dumps(body).encode()) is Trouble.CONSENT_GONE


@settings(max_examples=300, deadline=None)
@given(
    st.integers(200, 599).filter(lambda status: status not in (204, 304)),
    st.recursive(
        NOISE | st.text() | st.floats() | st.sampled_from([*CODES, *SENTENCES, "\ud800"]),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.just("access_token"), inner, max_size=4),
        max_leaves=20,
    ).map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=60)
    | st.sampled_from([b"[" * 50_000, b'{"error":' * 50_000]),
)
def test_any_answer_is_a_grant_or_a_trouble(status: int, body: bytes) -> None:
    """Neither an outage nor a rate limit ever asks the driver."""
    trouble = trouble_of(status, body)
    if status == 429 or status >= 500 or 300 <= status < 400:
        assert trouble not in LASTING
    if status == 204 or 300 <= status < 400:
        assert trouble is not None


def test_a_huge_answer_is_read_as_far_as_the_bound() -> None:
    wide = {"a": ["-"] * 100_000, "error": "invalid_grant"}
    assert len(words_of(wide).splitlines()) <= MAX_VALUES
    assert refusal(400, words_of({"error": "invalid_grant", "a": ["-"] * 100_000})) is Trouble.CONSENT_GONE
    assert trouble_of(400, {"error": "token " * 50_000}) is Trouble.UNEXPLAINED


def test_no_word_of_ours_is_read_from_a_page() -> None:
    assert words_of_content(b"  <!doctype html><p>invalid_grant") == ""


def test_a_trouble_tells_no_token() -> None:
    answer = (400, described("invalid_grant", "refresh token R0secret is invalid"))
    with pytest.raises(ProviderError) as caught:
        OAuth(SETTINGS, Wire(answer).transport).refresh("R0secret", NOW_MS)
    assert "R0secret" not in str(caught.value)
    assert isinstance(OAuth(SETTINGS, Wire((200, {"access_token": "A"})).transport).refresh("R0", NOW_MS), Grant)
