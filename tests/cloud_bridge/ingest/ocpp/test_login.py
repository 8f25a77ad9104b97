"""Is a charger recognised however it writes its id and its key, and is everybody else refused with a reason?"""

from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_bridge.ingest.canary import CANARY_ID
from cloud_bridge.ingest.ocpp import identity, login
from cloud_bridge.ingest.ocpp.login import Knock, Refused, read_knock

KEY = "abcdefghijKLMNOPQR12"


def header(user: str, password: bytes = KEY.encode()) -> list[str]:
    return [f"Basic {b64encode(user.encode() + b':' + password).decode()}"]


@pytest.mark.parametrize(
    "path",
    [
        "/ocpp/wall",
        "/ocpp/wall/",
        "/wall",
        "/ocpp/wall/wall",
        "//wall",
        "/ocpp/w%61ll",
        "/ocpp/wall?x=1",
        "/steve/websocket/wall",
    ],
)
def test_its_id_is_the_last_part_of_the_address(path: str) -> None:
    assert read_knock(path, header("wall")) == Knock("wall", (KEY,))


ODD = "R 1/ü"  # as npm's ocpp-rpc sends it: encoded in the path, but not in the user name


@pytest.mark.parametrize(
    ("path", "user"),
    [
        ("/ocpp/R%201%2F%C3%BC", ODD),
        ("/ocpp/R%201%2F%C3%BC/", ODD),
        ("/ocpp/R%201/%C3%BC", ODD),
        ("/ocpp/R%201%2F%FC", ODD),
        ("/ocpp/R%201%2F%C3%BC", "R%201%2F%C3%BC"),
        ("/ocpp/R%201%2Fu%CC%88", ODD),
        ("/ocpp/R%201%2F%C3%BC", identity.unit_id_of(ODD)),
        (f"/ocpp/{identity.unit_id_of(ODD)}", ODD),
    ],
)
def test_an_identity_that_is_no_id_is_one_unit_however_it_is_written(path: str, user: str) -> None:
    assert read_knock(path, header(user)) == Knock(identity.unit_id_of(ODD), (KEY,))


def test_a_user_name_in_latin_1_is_read() -> None:
    sent = [f"Basic {b64encode('R 1/ü:'.encode('latin-1') + KEY.encode()).decode()}"]
    assert read_knock("/ocpp/R%201%2F%C3%BC", sent) == Knock(identity.unit_id_of(ODD), (KEY,))


def test_a_key_in_hexadecimal_digits_is_compared_in_both_forms() -> None:
    digits = KEY.encode().hex()
    assert read_knock("/wall", header("wall", digits.encode())) == Knock("wall", (digits, KEY))


@pytest.mark.parametrize("digits", [1, 30, 31, 32, 33, 34, 39, 40, 41, 42, login.MAX_SECRET])
def test_only_what_is_as_long_as_a_key_is_read_as_its_digits(digits: int) -> None:
    """Written out, a key of OCPP has 32 to 40 hexadecimal digits, and an even number of them."""
    sent = ("61" * digits)[:digits]
    expected = (sent, "a" * (digits // 2)) if digits in login.KEY_DIGITS and digits % 2 == 0 else (sent,)
    assert read_knock("/wall", header("wall", sent.encode())) == Knock("wall", expected)


def test_digits_with_a_blank_between_are_no_key() -> None:
    sent = "61" * 8 + " " + "61" * 8
    assert read_knock("/wall", header("wall", sent.encode())) == Knock("wall", (sent,))


def test_a_key_is_bytes_and_no_text() -> None:
    assert read_knock("/wall", header("wall", b"\xff\xfe")) == Knock("wall", ("\xff\xfe",))


def test_a_password_may_have_colons() -> None:
    assert read_knock("/wall", header("wall", b"a:b:c")) == Knock("wall", ("a:b:c",))


@pytest.mark.parametrize(
    ("path", "authorization", "reason"),
    [
        ("/", header("wall"), identity.NO_ID),
        (f"/ocpp/{'x' * 49}", header("x" * 49), identity.LONG_ID),
        ("/ocpp/a%00b", header("a\0b"), identity.ODD_ID),
        ("/wall", [], login.NO_PASSWORD),
        ("/wall", ["Bearer x"], login.NO_PASSWORD),
        ("/wall", ["Basic !"], login.NO_PASSWORD),
        ("/wall", header("wall", b""), login.NO_PASSWORD),
        ("/wall", header("wall", b"x" * (login.MAX_SECRET + 1)), login.NO_PASSWORD),
        ("/wall", header("wall") * 2, login.NO_PASSWORD),
        ("/wall", header("Wall"), login.OTHER_USER),
    ],
)
def test_everybody_else_is_told_why(path: str, authorization: list[str], reason: str) -> None:
    refused = read_knock(path, authorization)
    assert isinstance(refused, Refused) and refused.reason == reason


@settings(deadline=None)
@given(st.text(max_size=80), st.lists(st.text(max_size=80), max_size=3))
def test_any_request_is_a_knock_or_refused(path: str, authorization: list[str]) -> None:
    assert isinstance(read_knock(path, authorization), Knock | Refused)


def test_a_certificate_in_its_name_is_its_proof_and_one_in_another_is_none() -> None:
    assert read_knock("/ocpp/wall", [], ["CN=wall,O=Maker"]) == Knock("wall", (), is_certified=True)
    assert read_knock("/ocpp/wall", header("wall"), ["", ""]) == Knock("wall", (KEY,)), "none was shown"
    for subjects in (["CN=other"], ["O=Maker"], ["CN=wall", "CN=other"], ["CN=wall", "CN=wall"]):
        refused = read_knock("/ocpp/wall", header("wall"), subjects)
        assert isinstance(refused, Refused) and refused.reason == login.OTHER_CERTIFICATE


def test_a_certificate_is_in_the_name_of_the_identity_and_not_of_the_id_that_is_made_of_it() -> None:
    unit_id = identity.unit_id_of("R 1/2")
    assert read_knock("/ocpp/R%201%2F2", [], ["CN=R 1/2,O=Maker"]) == Knock(unit_id, (), is_certified=True)
    refused = read_knock("/ocpp/R%201%2F2", [], [f"CN={unit_id}"])
    assert isinstance(refused, Refused) and refused.reason == login.OTHER_CERTIFICATE


def test_our_own_canary_has_its_name_and_no_unit_gets_it() -> None:
    assert read_knock(f"/{CANARY_ID}", header(CANARY_ID)) == Knock(CANARY_ID, (KEY,))
    assert identity.unit_id_of(CANARY_ID) != CANARY_ID
