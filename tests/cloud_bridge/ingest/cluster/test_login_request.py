"""Is a node's request parsed with its meaning, and everything else refused, whatever the bytes?"""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cloud_bridge.ingest.cluster.jwt import MAX_BYTES, BadToken, read_token
from cloud_bridge.ingest.cluster.login_request import WrongIssuer, acceptance, read_request, refusal
from cloud_bridge.ingest.cluster.nkey import Signer, new_seed
from tests.cloud_bridge.ingest.cluster.login_requests import OURS, USER_KEY, ANode, claims_of

NODE = ANode()
KINDS = ("heartbeat", "event", "session", "result", "ask", "lwt")
JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=20),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


def test_a_login_is_read() -> None:
    request = read_request(NODE.signs(NODE.asks("home-1", "s3cret")), OURS.public)
    assert list(request) == [NODE.id, 22, USER_KEY, "127.0.0.1", "home-1", "s3cret", "home-1"]
    connect = request.as_connect()
    assert (connect.user_name, connect.password, connect.client_id) == ("home-1", "s3cret", "home-1")


def test_a_client_that_does_not_speak_mqtt_has_no_client_id() -> None:
    asked = NODE.asks()
    asked["nats"]["client_info"]["type"] = "nats"
    assert read_request(NODE.signs(asked), OURS.public).client_id is None


@pytest.mark.parametrize(
    ("told", "host"),
    [("::1", "::1"), ("x" * 64, "x" * 64), ("x" * 65, ""), ("a\0b", ""), ("", ""), (None, ""), (7, "")],
)
def test_whence_it_comes_is_an_address_or_not_known(told: object, host: str) -> None:
    asked = NODE.asks()
    asked["nats"]["client_info"]["host"] = told
    assert read_request(NODE.signs(asked), OURS.public).host == host


def bent(path: str, value: object) -> dict[str, Any]:
    asked = NODE.asks()
    *parts, last = path.split(".")
    inner = asked
    for part in parts:
        inner = inner[part]
    inner[last] = value
    return asked


@pytest.mark.parametrize(
    "asked",
    [
        [],
        7,
        {},
        bent("aud", "another"),
        bent("sub", Signer(new_seed()).public),
        bent("iss", ANode().id),
        bent("iss", 7),
        bent("nats", []),
        bent("nats.server_id", {"id": ANode().id}),
        bent("nats.server_id", None),
        bent("nats.user_nkey", None),
        bent("nats.client_info", "x"),
        bent("nats.client_info.id", None),
        bent("nats.connect_opts", None),
    ],
    ids=repr,
)
def test_what_is_no_login_that_we_are_asked_about_is_refused(asked: object) -> None:
    with pytest.raises(BadToken):
        read_request(NODE.signs(asked), OURS.public)


def test_a_request_to_another_issuer_says_whose_login_waits_for_it() -> None:
    with pytest.raises(WrongIssuer) as asked:
        read_request(NODE.signs(bent("sub", Signer(new_seed()).public)), OURS.public)
    assert (asked.value.server_id, asked.value.number) == (NODE.id, 22)


def test_another_s_signature_is_refused() -> None:
    asked = NODE.asks()
    with pytest.raises(BadToken, match="not signed by its issuer"):
        read_request(ANode().signs(asked), OURS.public)
    with pytest.raises(BadToken, match="another algorithm"):
        read_request(NODE.signs(asked, {"typ": "JWT", "alg": "none"}), OURS.public)
    with pytest.raises(BadToken, match="too long"):
        read_request(NODE.signs(NODE.asks(secret="x" * MAX_BYTES)), OURS.public)


@given(some.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadToken):
        read_token(data)


@given(some.integers(0, 2000), some.binary(min_size=1, max_size=3))
def test_a_request_that_was_changed_on_its_way_is_refused(at: int, other: bytes) -> None:
    whole = NODE.signs(NODE.asks())
    at %= len(whole)
    changed = whole[:at] + other + whole[at + len(other) :]
    if changed != whole and changed.rstrip(b"=") != whole:
        with suppress(BadToken):
            assert read_request(changed, OURS.public) == read_request(whole, OURS.public)  # unused bits of base64


@given(JSON)
def test_any_claims_are_refused_or_read(claims: object) -> None:
    with suppress(BadToken):
        read_request(NODE.signs(claims), OURS.public)


@given(
    some.sampled_from(
        ["nats.client_info.host", "nats.client_info.mqtt_id", "nats.connect_opts.user", "nats.connect_opts.pass"]
    ),
    JSON,
)
def test_any_value_in_a_login_is_refused_or_read(path: str, value: object) -> None:
    request = read_request(NODE.signs(bent(path, value)), OURS.public)
    texts = (request.host, request.user_name, request.password, request.client_id)
    assert all(each is None or isinstance(each, str) for each in texts)


def test_a_unit_may_publish_and_read_on_its_own_topics_alone() -> None:
    """[S1-1]"""
    request = read_request(NODE.signs(NODE.asks()), OURS.public)
    answer = read_own(acceptance(OURS, request, "home-1"))
    assert (answer["aud"], answer["sub"]) == (NODE.id, USER_KEY)
    user = read_own(answer["nats"]["jwt"])
    assert (user["aud"], user["sub"], user["name"]) == ("UNITS", USER_KEY, "home-1")
    assert user["nats"]["pub"] == {
        "allow": [f"cp.home-1.{kind}" for kind in ("heartbeat", "event", "session", "result", "ask", "lwt")]
    }
    assert user["nats"]["sub"] == {"allow": ["cp.home-1.command", "cp.home-1.piece", "$MQTT.sub.>"]}
    assert user["nats"]["allowed_connection_types"] == ["MQTT"]


def test_a_refusal_has_no_permissions() -> None:
    request = read_request(NODE.signs(NODE.asks()), OURS.public)
    answer = read_own(refusal(OURS, request, "no"))
    assert answer["nats"] == {"error": "no", "type": "authorization_response", "version": 2}


def read_own(token: bytes | str) -> dict[str, Any]:
    claims = claims_of(token)
    assert claims["iss"] == OURS.public
    return claims
