"""Does scanning a label's QR code lead to the question whether to claim the charger, and keep the code secret?"""

import logging

import pytest

from cloud_bridge.settings import SignUp
from cloud_bridge.store.access import Role
from cloud_bridge.store.security_events import Kind
from cloud_bridge.web.pages.everyone.claim import CLAIM_COOKIE
from tests.cloud_bridge.people import PASSWORD, Stranger, Visitor
from tests.cloud_bridge.running import Bridge
from tests.cloud_bridge.signing_up import set_up


def is_claimed(bridge: Bridge) -> bool:
    return "home-1" in Visitor(bridge, "dora").read("/account/units")


def test_a_stranger_logs_in_and_comes_back_to_the_question(bridge: Bridge) -> None:
    bridge.add_person("dora", PASSWORD, Role.DRIVER)
    code = bridge.add_unit("home-1").claim_code
    phone = Stranger(bridge)
    answer = phone.client.get("/claim", params={"code": code})
    assert (answer.url.path, answer.url.query) == ("/claim", b"") and code in answer.text
    assert '<a class="button second" href="/login?next=/claim">' in answer.text
    answer = phone.post("/login", form_on="/login?next=/claim", name="dora", password=PASSWORD)
    assert answer.url.path == "/claim" and f'value="{code}"' in answer.text
    assert not is_claimed(bridge)
    assert phone.post("/claim", code=code).url.path == "/charge-points/home-1"
    assert is_claimed(bridge)
    assert code not in phone.read("/claim"), "forgotten when it is done"


@pytest.mark.parametrize("path", ["/claim", "/claim?code={code}"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_opening_the_link_claims_nothing(bridge: Bridge, method: str, path: str) -> None:
    dora = Visitor(bridge, "dora", Role.DRIVER)
    code = bridge.add_unit("home-1").claim_code
    for _ in range(2):
        dora.client.request(method, path.format(code=code))
    assert not is_claimed(bridge)


def test_the_code_leaves_the_address_at_once_and_is_in_no_log(bridge: Bridge, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    code = bridge.add_unit("home-1").claim_code
    client = bridge.stranger()
    with caplog.at_level(logging.INFO, "cloud_bridge"):
        answer = client.get("/claim", params={"code": code}, follow_redirects=False)
        eve = Visitor(bridge, "eve", Role.DRIVER)
        eve.post("/claim", code=code[:-1] + ("2" if code[-1] != "2" else "3"))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/claim")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    cookie = answer.headers["Set-Cookie"]
    assert f"{CLAIM_COOKIE}={code}" in cookie and "HttpOnly" in cookie and "Max-Age=3600" in cookie
    noted = bridge.app_state.security_log.take()
    assert Kind.WRONG_CLAIM_CODE in [one.kind for one in noted] and code[:4] not in str(noted)
    logged = [one.getMessage() for one in caplog.records if one.name.startswith("cloud_bridge")]
    assert code[:4] not in str(logged)


@pytest.mark.parametrize(
    "typed, shown",
    [
        ("7k4m 2qxp-9bcd", "7K4M-2QXP-9BCD"),
        ("<script>alert(1)</script>", "SCRI-PTAL-ERT1-S"),
        ("x" * 5000, "XXXX-XXXX-XXXX-X"),
        ("７Ｋ４Ｍ", "7K4M"),
        ("Ж" * 12, ""),
        ("\r\nSet-Cookie: a=b", "SETC-OOKI-EAB"),
        ("--- ;,", ""),
    ],
)
def test_whatever_the_address_says_is_only_shown(bridge: Bridge, typed: str, shown: str) -> None:
    client = bridge.stranger()
    answer = client.get("/claim", params={"code": typed})
    assert answer.status_code == 200
    assert client.cookies.get(CLAIM_COOKIE) == (shown or None)
    assert "<script>alert" not in answer.text
    assert ("Another code" in answer.text) is bool(shown)


@pytest.mark.parametrize("setting", SignUp)
def test_a_stranger_is_led_to_what_is_possible(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch, setting: SignUp
) -> None:
    set_up(bridge, monkeypatch, setting)
    stranger = Stranger(bridge)
    said = stranger.post("/claim/code", "/claim", code="7K4M-2QXP-9BCD").text
    assert ('href="/sign-up"' in said) is (setting is not SignUp.CLOSED)
    assert ("ask whoever runs this service for an account" in said) is (setting is SignUp.CLOSED)


def test_a_wrong_code_is_said_beside_its_field_and_guessing_ends(bridge: Bridge) -> None:
    eve = Visitor(bridge, "eve", Role.DRIVER)
    for _ in range(10):
        answer = eve.post("/claim", code="7K4M-2QXP-9BCD")
        assert answer.status_code == 422 and 'value="7K4M-2QXP-9BCD"' in answer.text
        assert 'aria-describedby="where problem-code"' in answer.text and 'id="problem-code"' in answer.text
    assert eve.post("/claim", code="7K4M-2QXP-9BCD").status_code == 429


def test_right_codes_are_no_guesses(bridge: Bridge) -> None:
    dora = Visitor(bridge, "dora", Role.DRIVER)
    for number in range(12):
        code = bridge.add_unit(f"home-{number}").claim_code
        assert dora.post("/claim", code=code).url.path == f"/charge-points/home-{number}"


def test_a_guesser_with_many_accounts_is_one_network(bridge: Bridge) -> None:
    answers = []
    for number in range(5):
        eve = Visitor(bridge, f"eve{number}", Role.DRIVER)
        answers += [eve.post("/claim", code="7K4M-2QXP-9BCD").status_code for _ in range(9)]
    assert answers == [422] * 40 + [429] * 5
