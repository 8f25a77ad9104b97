"""Is every answer of a token endpoint understood, and no token ever shown?"""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from cloud_bridge.vehicles.providers.oauth import OAuth, OAuthSettings
from cloud_bridge.vehicles.providers.provider import ProviderError
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from tests.cloud_bridge.vehicles.provider_calls import Wire

NOW_MS = 1_767_225_600_000
BACK = "https://app.example/vehicles/return/maker"
SETTINGS = OAuthSettings(
    client_id="us",
    client_secret="our secret",
    authorise_url="https://maker.example/authorize",
    token_url="https://maker.example/token",
    revoke_url="https://maker.example/revoke",
    scopes=("openid", "offline_access", "vehicle:read"),
)
TOKEN = {"access_token": "A1", "refresh_token": "R1", "expires_in": 7200, "token_type": "Bearer"}


def trouble_of(*answers: Any) -> Trouble:
    with pytest.raises(ProviderError) as caught:
        OAuth(SETTINGS, Wire(*answers).transport).refresh("R0", NOW_MS)
    return caught.value.trouble


def test_the_driver_is_sent_with_a_challenge_and_our_exact_address() -> None:
    url = urlsplit(OAuth(SETTINGS, Wire().transport).authorise_url("st", "v" * 43, BACK))
    asked = dict(parse_qsl(url.query))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 43).digest()).rstrip(b"=").decode()
    assert f"{url.scheme}://{url.netloc}{url.path}" == SETTINGS.authorise_url
    assert asked["code_challenge"] == challenge
    assert asked["code_challenge_method"] == "S256"
    assert (asked["redirect_uri"], asked["state"], asked["response_type"]) == (BACK, "st", "code")
    assert asked["scope"] == "openid offline_access vehicle:read"
    assert "our secret" not in url.query


def test_a_code_becomes_a_grant() -> None:
    wire = Wire((200, TOKEN))
    grant = OAuth(SETTINGS, wire.transport).exchange("the code", "v" * 43, BACK, NOW_MS)
    assert (grant.access_token, grant.refresh_token) == ("A1", "R1")
    assert grant.expires_ms == NOW_MS + 7_200_000
    form = wire.form()
    assert (form["grant_type"], form["code"], form["code_verifier"]) == ("authorization_code", "the code", "v" * 43)
    assert form["redirect_uri"] == BACK
    assert wire.asked[0].headers["Authorization"].startswith("Basic ")


def test_a_grant_does_not_show_its_tokens() -> None:
    grant = OAuth(SETTINGS, Wire((200, TOKEN)).transport).refresh("R0", NOW_MS)
    assert "A1" not in repr(grant)
    assert "R1" not in f"{grant}"
    assert "our secret" not in repr(SETTINGS)


def test_a_refresh_brings_the_next_token_or_keeps_the_one_it_had() -> None:
    wire = Wire((200, TOKEN), (200, {"access_token": "A2"}))
    oauth = OAuth(SETTINGS, wire.transport)
    assert oauth.refresh("R0", NOW_MS).refresh_token == "R1"
    assert wire.form() == {"grant_type": "refresh_token", "refresh_token": "R0"}
    assert oauth.refresh("R1", NOW_MS).refresh_token == "R1"


@pytest.mark.parametrize("life", [None, -5, 0, True, "soon", "²", 10**12, [1]])
def test_a_life_that_makes_no_sense_is_short(life: Any) -> None:
    grant = OAuth(SETTINGS, Wire((200, TOKEN | {"expires_in": life})).transport).refresh("R0", NOW_MS)
    assert grant.expires_ms == NOW_MS + 1_800_000


@pytest.mark.parametrize(
    ("status", "error", "trouble"),
    [
        (400, {"error": "invalid_grant", "error_description": "grant request is invalid"}, Trouble.CONSENT_GONE),
        (401, {"error": "login_required", "error_description": "Login required"}, Trouble.CONSENT_GONE),
        (400, {"error": "invalid_scope"}, Trouble.SCOPE_MISSING),
        (401, {"error": "invalid_client", "error_description": "client authentication failed"}, Trouble.MISUSED),
        (400, {"error": "unauthorized_client"}, Trouble.MISUSED),
        (400, {"error": "something_new"}, Trouble.UNEXPLAINED),
        (429, {"message": "slow down"}, Trouble.RATE_LIMITED),
        (503, {"error": "invalid_grant"}, Trouble.UNEXPLAINED),
        (503, {"error": "invalid_client"}, Trouble.OUTAGE),
        (500, b"<html>oops</html>", Trouble.OUTAGE),
        (200, b"<html>maintenance</html>", Trouble.OUTAGE),
        (200, b"[1]", Trouble.OUTAGE),
        (200, {}, Trouble.OUTAGE),
        (200, {"access_token": 7}, Trouble.OUTAGE),
        (200, {"access_token": "A\ud800"}, Trouble.OUTAGE),
        (200, {"access_token": ""}, Trouble.OUTAGE),
        (302, b"", Trouble.OUTAGE),
    ],
)
def test_every_refusal_of_the_token_endpoint_has_its_meaning(status: int, error: Any, trouble: Trouble) -> None:
    assert trouble_of((status, error)) is trouble


@pytest.mark.parametrize(
    "failure", [httpx2.ConnectError("R0"), httpx2.ReadTimeout("R0"), httpx2.RemoteProtocolError("R0")]
)
def test_a_provider_that_is_down_or_slow_is_an_outage_and_tells_no_token(failure: Exception) -> None:
    with pytest.raises(ProviderError) as caught:
        OAuth(SETTINGS, Wire(failure).transport).refresh("R0", NOW_MS)
    assert caught.value.trouble is Trouble.OUTAGE
    assert "R0" not in str(caught.value)


@pytest.mark.parametrize(
    "odd",
    [
        b'"x": NaN',
        b'"x": "\\ud800"',
        b'"x": 1e999',
        b'"scope": 7',
        b'"expires_in": "' + b"9" * 5000 + b'"',
        b'"expires_in": NaN',
    ]
    + [b'"expires_in": "\\ud800"', b'"token_type": ["\\ud800"]', b'"x": ' + b"[" * 500 + b"]" * 500],
)
def test_the_next_token_is_not_lost_for_something_odd_beside_it(odd: bytes) -> None:
    """The refresh has used the old one up."""
    wire = Wire((200, b'{"access_token": "A1", "refresh_token": "R1", ' + odd + b"}"))
    grant = OAuth(SETTINGS, wire.transport).refresh("R0", NOW_MS)
    assert (grant.access_token, grant.refresh_token) == ("A1", "R1")
    assert NOW_MS < grant.expires_ms <= NOW_MS + 90 * 24 * 3600 * 1000


@pytest.mark.parametrize("odd", [{"a": 1}, ["R1"], 7, "", None, "R\ud800"])
def test_a_next_token_that_is_none_leaves_the_old_one(odd: Any) -> None:
    wire = Wire((200, TOKEN | {"refresh_token": odd}))
    assert OAuth(SETTINGS, wire.transport).refresh("R0", NOW_MS).refresh_token == "R0"


def test_the_token_endpoint_says_how_long_to_wait() -> None:
    with pytest.raises(ProviderError) as caught:
        OAuth(SETTINGS, Wire((429, {}, {"Retry-After": "30"})).transport).refresh("R0", NOW_MS)
    assert caught.value.retry_after_ms == 30_000


def test_an_endless_answer_and_a_compressed_bomb_are_cut_off() -> None:
    assert trouble_of((200, b"x" * 2_000_000)) is Trouble.OUTAGE
    assert trouble_of((200, b"\x1f\x8b", {"Content-Encoding": "gzip"})) is Trouble.OUTAGE


def test_a_code_that_is_used_up_is_no_lost_consent() -> None:
    for error in ("invalid_grant", "invalid_auth_code"):
        with pytest.raises(ProviderError) as caught:
            OAuth(SETTINGS, Wire((400, {"error": error})).transport).exchange("c", "v" * 43, BACK, NOW_MS)
        assert caught.value.trouble is Trouble.CODE_REFUSED


def test_fewer_scopes_than_we_need_are_given_back() -> None:
    wire = Wire((200, TOKEN | {"scope": "openid offline_access"}), (200, b""))
    with pytest.raises(ProviderError, match="vehicle:read") as caught:
        OAuth(SETTINGS, wire.transport).exchange("c", "v" * 43, BACK, NOW_MS)
    assert caught.value.trouble is Trouble.SCOPE_MISSING
    assert wire.form() == {"token": "R1", "token_type_hint": "refresh_token"}, "and the grant is revoked"


def test_a_grant_without_a_refresh_token_is_of_no_use() -> None:
    wire = Wire((200, {"access_token": "A1"}), (200, b""))
    with pytest.raises(ProviderError, match="offline_access"):
        OAuth(SETTINGS, wire.transport).exchange("c", "v" * 43, BACK, NOW_MS)
