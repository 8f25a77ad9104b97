"""Does anything that a browser sends give a result or a refusal, and count only if the device signed it?"""

import json
from typing import Any

import cbor2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.passkeys import StoredPasskey
from cloud_bridge.web.public_address import parse
from cloud_bridge.web.security.passkey_check import (
    PasskeyRefused,
    check_assertion,
    check_attestation,
    read_assertion,
    read_attestation,
)
from cloud_bridge.web.security.plain_cbor import DEPTH_MAX, is_plain_cbor
from cloud_bridge.web.security.relying_party import RelyingParty, relying_party
from tests.cloud_bridge.passkey_device import Device, b64, cbor, un64

ORIGIN = "https://chargers.example"
PARTY = RelyingParty("chargers.example", ORIGIN)
CHALLENGE = b64(bytes(range(64)))
CREATION = {"rp": {"id": PARTY.id}, "user": {"id": b64(bytes(64))}, "challenge": CHALLENGE}
REQUEST = {"rpId": PARTY.id, "challenge": CHALLENGE}
EXAMPLES = 300

DEVICES = [Device(key) for key in ("ES256", "EdDSA")]
CREATED = [device.create(CREATION, ORIGIN) for device in DEVICES]
SIGNED = [device.get(REQUEST, ORIGIN) for device in DEVICES]  # made once, because the length of a signature varies

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
PARTS = ["id", "rawId", "type", "response", "authenticatorAttachment", "clientExtensionResults"]
OF_RESPONSE = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle", "transports"]
IN_B64 = st.one_of(
    st.text(max_size=60), st.binary(max_size=400).map(b64), JSON.map(lambda one: b64(json.dumps(one).encode()))
)
CLIENT = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["webauthn.get", "webauthn.create"]) | JSON,
        "challenge": st.just("good") | IN_B64 | JSON,
        "origin": st.just(ORIGIN) | JSON,
        "tokenBinding": JSON | st.fixed_dictionaries({"status": JSON}),
    },
)


@st.composite
def mangled(draw: st.DrawFn, credential: str) -> str:
    """Draw a browser's message with parts replaced, truncated or missing."""
    said = json.loads(credential)
    whole = said | said["response"]
    for _ in range(draw(st.integers(1, 3))):
        place, names = draw(st.sampled_from([(said, PARTS), (said.get("response"), OF_RESPONSE)]))
        if not isinstance(place, dict):
            continue
        name = draw(st.sampled_from(names))
        how = draw(st.sampled_from(["gone", "any", "b64", "client", "bits"]))
        if how == "gone":
            place.pop(name, None)
        elif how == "bits" and name in whole and name not in ("type", "response"):
            raw = bytearray(un64(whole[name]))
            for at in draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=4)):
                raw[at] = draw(st.integers(0, 255))
            place[name] = b64(bytes(raw[: draw(st.integers(0, len(raw)))]) if draw(st.booleans()) else bytes(raw))
        elif how == "client":
            place["clientDataJSON"] = b64(json.dumps(draw(CLIENT)).encode())
        else:
            place[name] = draw(JSON if how == "any" else IN_B64)
    return json.dumps(said)


ANYTHING = st.text(max_size=200) | JSON.map(json.dumps)


def stored(device: Device) -> StoredPasskey:
    return StoredPasskey(1, Person(1, "ann", Role.DRIVER), device.handle, cbor(device.public_key), 0)


@settings(max_examples=EXAMPLES, deadline=None)
@given(sent=st.sampled_from(CREATED).flatmap(mangled) | ANYTHING)
def test_any_text_as_a_new_passkey_is_one_or_is_refused(sent: str) -> None:
    try:
        row = check_attestation(read_attestation(sent), PARTY)
    except PasskeyRefused:
        return
    assert row.credential_id and row.public_key


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_any_text_as_a_login_is_refused_unless_the_device_has_signed_it(data: st.DataObject) -> None:
    device, signed = data.draw(st.sampled_from(list(zip(DEVICES, SIGNED, strict=True))))
    sent = data.draw(mangled(signed) | ANYTHING)
    try:
        assertion = read_assertion(sent)
        check_assertion(assertion, PARTY, stored(device))
    except PasskeyRefused:
        return
    response = json.loads(signed)["response"]
    assert assertion.sent.response.client_data_json == un64(response["clientDataJSON"])
    assert assertion.sent.response.authenticator_data == un64(response["authenticatorData"])


PLAIN = st.recursive(
    st.integers(-(2**31), 2**31) | st.binary(max_size=300) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.integers(-30, 300) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=8,
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max((depth(one) for one in value), default=0) if isinstance(value, list) and value else 0


@given(PLAIN)
def test_what_authenticators_write_is_plain_and_nothing_that_is_cut(value: Any) -> None:
    written = cbor(value)
    assert cbor2.loads(written) == value
    assert is_plain_cbor(written) == (depth(value) <= DEPTH_MAX)
    assert is_plain_cbor(written * 2) == (depth(value) <= DEPTH_MAX)
    assert not is_plain_cbor(written[:-1]) or len(written) == 1


@settings(max_examples=EXAMPLES)
@given(st.binary(max_size=80))
@example(b"\xd8\x1c\x82\x00\xd8\x1d\x00")  # shared values
@example(b"\x9f\xff")  # without a length
@example(b"\x9b" + b"\xff" * 8)
def test_what_is_plain_is_no_larger_when_it_is_read(data: bytes) -> None:
    if is_plain_cbor(data) and data:
        try:
            value = cbor2.loads(data[:80])
        except cbor2.CBORDecodeError:
            return  # such as text that is not UTF-8
        assert len(cbor2.dumps(value)) <= 9 * len(data)


@pytest.mark.parametrize(
    ("address", "party"),
    [
        ("https://chargers.example", RelyingParty("chargers.example", "https://chargers.example")),
        ("https://Chargers.Example:443/a/b", RelyingParty("chargers.example", "https://chargers.example")),
        ("https://chargers.example:8443", RelyingParty("chargers.example", "https://chargers.example:8443")),
        ("http://localhost:8080", RelyingParty("localhost", "http://localhost:8080")),
        ("http://localhost:80/chargers", RelyingParty("localhost", "http://localhost")),
        ("http://chargers.example", None),
        ("http://127.0.0.1:8080", None),
        ("https://192.0.2.1", None),
        ("https://[2001:db8::1]", None),
        ("https://b\u00fccher.example", None),
        ("http://localhost.example", None),
    ],
)
def test_browsers_keep_passkeys_for_names_over_tls(address: str, party: RelyingParty | None) -> None:
    assert relying_party(parse(address)) == party
