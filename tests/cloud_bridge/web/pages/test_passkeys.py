"""Does a person's own passkey open the account, and nothing that looks like one?"""

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.store.access import Role
from cloud_bridge.store.passkeys import PASSKEYS_MAX
from cloud_bridge.store.people import change_role, find_person, remove_person
from cloud_bridge.store.personal import export
from cloud_bridge.store.security_events import Kind, newest_security_events
from cloud_bridge.store.tables import passkeys, user_handles
from cloud_bridge.web.security.challenges import CHALLENGE_MS
from cloud_bridge.web.security.passkey_check import SENT_MAX
from tests.cloud_bridge.authenticator import code_of, hidden_in, key_in
from tests.cloud_bridge.passkey_device import AT, KEYS, UP, UV, Device, b64, cbor, un64
from tests.cloud_bridge.people import PASSWORD, Visitor, text_of
from tests.cloud_bridge.running import Bridge
from tests.cloud_bridge.web.security.test_second_factor import command

ORIGIN = "https://chargers.example"
HERE = "/account/passkeys"
REFUSED = "That passkey was not accepted"


@pytest.fixture
def bridge(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> Bridge:
    """A bridge at an address for which browsers store passkeys."""
    set_address(bridge, ORIGIN)
    monkeypatch.setattr(bridge, "stranger", lambda: TestClient(bridge.client.app, base_url=ORIGIN))
    return bridge


def set_address(bridge: Bridge, url: str | None) -> None:
    app: Any = bridge.client.app
    app.state.bridge = replace(bridge.app_state, settings=replace(bridge.app_state.settings, public_url=url))


class Ann(Visitor):
    """Ann at her browser, with an account and, after `add`, a passkey."""

    def __init__(self, bridge: Bridge, name: str = "ann", role: Role | None = Role.DRIVER) -> None:
        self.bridge = bridge
        super().__init__(bridge, name, role)

    def options(self, **fields: str) -> dict[str, Any]:
        """Return the options of the page that asks the authenticator for a new passkey."""
        return options_in(self.begin(**fields).text)

    def begin(self, **fields: str) -> Response:
        return self.client.post(f"{HERE}/new", data=self.form | {"password": PASSWORD} | fields)

    def store(self, credential: str, name: str = "My phone") -> Response:
        return self.client.post(HERE, data=self.form | {"name": name, "credential": credential}, follow_redirects=False)

    def add(self, device: Device, name: str = "My phone", **fields: str) -> Device:
        answer = self.store(device.create(self.options(**fields), ORIGIN), name)
        assert answer.status_code == 303, text_of(answer.text)
        return device

    @property
    def form(self) -> dict[str, str]:
        found = re.search(r'name="form" value="([0-9a-f]{64})"', self.client.get("/account").text)
        assert found
        return {"form": found[1]}


@pytest.fixture
def ann(bridge: Bridge) -> Ann:
    return Ann(bridge)


class Stranger:
    """A browser before a login."""

    def __init__(self, bridge: Bridge) -> None:
        self.client = bridge.stranger()
        self.fields = login_fields(self.client)

    def options(self) -> dict[str, Any]:
        options: dict[str, Any] = self.client.get("/login/passkey/options").json()
        return options

    def sends(self, credential: str, **fields: str) -> Response:
        data = self.fields | {"credential": credential} | fields
        return self.client.post("/login/passkey", data=data, follow_redirects=False)

    def uses(self, device: Device, **fields: str) -> Response:
        return self.sends(device.get(self.options(), ORIGIN), **fields)

    def is_in(self) -> bool:
        return self.client.get("/account", follow_redirects=False).status_code == 200


def login_fields(client: TestClient) -> dict[str, str]:
    form = client.get("/login").text.partition('id="passkey-login"')[2]
    return dict(re.findall(r'name="(form|next)" value="([^"]*)"', form))


def options_in(page: str) -> dict[str, Any]:
    found = re.search(r'data-options="([^"]+)"', page)
    assert found, text_of(page)
    options: dict[str, Any] = json.loads(html.unescape(found[1]))
    return options


def stored(bridge: Bridge) -> list[tuple[str, str | None, str]]:
    bridge.app_state.security_log.write()
    with bridge.app_state.database.reading() as connection:
        return [(row.kind, row.name, row.about) for row in reversed(newest_security_events(connection))]


def is_refused(answer: Response) -> bool:
    return answer.status_code == 401 and REFUSED in answer.text


# --- the way in -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", KEYS)
def test_a_passkey_logs_in_without_a_name_and_is_listed(bridge: Bridge, ann: Ann, key: str) -> None:
    device = ann.add(Device(key), "My <phone>")
    assert "My &lt;phone&gt;" in ann.get(HERE) and "Not used yet." in ann.read(HERE)
    bridge.clock.advance(MINUTE_MS)
    stranger = Stranger(bridge)
    answer = stranger.uses(device, next="/account/data")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/data")
    assert "You are logged in as ann." in text_of(stranger.client.get("/account").text)
    assert "Last used 1 Jan 2026, 00:01:00 UTC" in ann.read(HERE)
    assert stored(bridge)[-1] == (Kind.LOGGED_IN, "ann", "by passkey")
    assert (Kind.PASSKEY_ADDED, "ann", "passkey 1") in stored(bridge)


def test_what_authenticators_are_asked_for(bridge: Bridge, ann: Ann) -> None:
    made = ann.options()
    assert made["rp"] == {"name": "Chargekeeper", "id": "chargers.example"}
    assert made["attestation"] == "none" and made["timeout"] == CHALLENGE_MS
    assert made["authenticatorSelection"]["residentKey"] == "required"
    assert made["authenticatorSelection"]["userVerification"] == "required"
    assert len(un64(made["user"]["id"])) == 64 and made["user"]["name"] == "ann"
    assert ann.options()["user"]["id"] == made["user"]["id"], "one for each person"
    assert Ann(bridge, "ben").options()["user"]["id"] != made["user"]["id"]
    device = ann.add(Device())
    assert [one["id"] for one in ann.options()["excludeCredentials"]] == [b64(device.credential_id)]
    asked = Stranger(bridge).options()
    assert asked["rpId"] == "chargers.example" and asked["userVerification"] == "required"
    assert asked["allowCredentials"] == [], "it tells nobody which there are"


def test_one_that_is_removed_opens_nothing(bridge: Bridge, ann: Ann) -> None:
    device = ann.add(Device())
    ann.client.post(f"{HERE}/1/remove", data=ann.form)
    assert "My phone" not in ann.get(HERE)
    stranger = Stranger(bridge)
    assert is_refused(stranger.uses(device)) and not stranger.is_in()
    assert (Kind.PASSKEY_REMOVED, "ann", "passkey 1") in stored(bridge)


def test_a_name_is_changed(ann: Ann) -> None:
    ann.add(Device())
    assert ann.client.post(f"{HERE}/1", data=ann.form | {"name": " Old phone "}).status_code == 200
    assert "<h2>Old phone</h2>" in ann.get(HERE)
    for name in ("", " ", "x" * 61, "a\u202eb"):
        assert ann.client.post(f"{HERE}/1", data=ann.form | {"name": name}).status_code == 422
    assert "<h2>Old phone</h2>" in ann.get(HERE)


def test_nobody_changes_another_persons(bridge: Bridge, ann: Ann) -> None:
    ann.add(Device())
    ben = Ann(bridge, "ben")
    assert ben.client.post(f"{HERE}/1", data=ben.form | {"name": "Mine"}).status_code == 404
    assert ben.client.post(f"{HERE}/1/remove", data=ben.form).status_code == 404
    assert ann.client.post(f"{HERE}/1/remove", data=ben.form).status_code == 403, "the form is another browser's"
    assert "My phone" in ann.get(HERE) and "My phone" not in ben.get(HERE)


def test_ten_are_the_most(ann: Ann) -> None:
    devices = [Device() for _ in range(PASSKEYS_MAX + 1)]
    late = devices[-1].create(ann.options(), ORIGIN)
    for device in devices[:-1]:
        ann.add(device)
    assert "the most there can be" in ann.read(HERE)
    assert "remove one first" in ann.store(late).text.lower()


# --- adding one -------------------------------------------------------------------------------------------------------


def test_the_password_is_asked_for_and_braked(bridge: Bridge, ann: Ann) -> None:
    assert "That is not your password" in ann.begin(password="wrong").text
    for _ in range(10):
        answer = ann.begin(password="wrong")
    assert answer.status_code == 429 and ann.begin().status_code == 429, "the right one too"


def test_a_code_is_asked_for_where_there_is_a_second_factor(bridge: Bridge) -> None:
    olga = Ann(bridge, "olga", Role.OPERATOR)
    codes = bridge.client.app.state._state["recovery_codes_of_tests"]["olga"]  # type: ignore[attr-defined]
    assert "Code of the app" in olga.get(HERE)
    for code in ("", "000000"):
        answer = olga.begin(code=code)
        assert answer.status_code in (401, 422) and "data-options" not in answer.text
    olga.add(Device(), code=codes.pop())


def created(device: Device, options: dict[str, Any]) -> str:
    return device.create(options, ORIGIN)


BAD_NEW: dict[str, Callable[[Device, dict[str, Any]], str]] = {
    "of another origin": lambda device, options: device.create(options, "https://evil.example"),
    "of http": lambda device, options: device.create(options, "http://chargers.example"),
    "of another port": lambda device, options: device.create(options, f"{ORIGIN}:8443"),
    "of another relying party": lambda device, options: device.create(options | {"rp": {"id": "evil.example"}}, ORIGIN),
    "without user verification": lambda device, options: with_flags(device, UP).create(options, ORIGIN),
    "without a user": lambda device, options: with_flags(device, UV).create(options, ORIGIN),
    "with a challenge of its own": lambda device, options: device.create(
        options | {"challenge": b64(bytes(64))}, ORIGIN
    ),
    "with the challenge of a login": lambda device, options: device.create(
        options | {"challenge": options["of a login"]}, ORIGIN
    ),
    "that is an assertion": lambda device, options: device.get(options | {"rpId": "chargers.example"}, ORIGIN),
    "with a statement under none": lambda device, options: device.create(options, ORIGIN, statement={"sig": b"x"}),
    "of an unknown format": lambda device, options: device.create(options, ORIGIN, fmt="evil"),
    "without a key": lambda device, options: device.create(options, ORIGIN, auth_data=bytes(37)),
    "with a key that is none": lambda device, options: with_key(
        device, {1: 2, 3: -7, -1: 1, -2: b"x", -3: b"y"}
    ).create(options, ORIGIN),
    "with a key of another kind": lambda device, options: with_key(device, {1: 2, 3: -47, -1: 8}).create(
        options, ORIGIN
    ),
    "with a key without end": lambda device, options: with_key(
        device, {1: 3, 3: -257, -1: b"\xff" * 2048, -2: b"\1\0\1"}
    ).create(options, ORIGIN),
    "with too long an id": lambda device, options: with_id(device, bytes(1024)).create(options, ORIGIN),
}


def with_flags(device: Device, flags: int) -> Device:
    device.flags = flags
    return device


def with_key(device: Device, key: dict[int, Any]) -> Device:
    device.public_key = key
    return device


def with_id(device: Device, credential_id: bytes) -> Device:
    device.credential_id = credential_id
    return device


@pytest.mark.parametrize("what", BAD_NEW)
def test_what_is_no_new_passkey_for_us_is_refused(bridge: Bridge, ann: Ann, what: str) -> None:
    options = ann.options() | {"of a login": Stranger(bridge).options()["challenge"]}
    answer = ann.store(BAD_NEW[what](Device(), options))
    assert answer.status_code == 422 and "The passkey was not added" in answer.text
    assert "My phone" not in ann.get(HERE)


def test_a_challenge_adds_one_passkey_in_its_browser_and_for_five_minutes(bridge: Bridge, ann: Ann) -> None:
    options = ann.options()
    ben, other = Ann(bridge, "ben"), Ann(bridge, "ann", None)
    for browser in (ben, other):
        assert browser.store(Device().create(options, ORIGIN)).status_code == 422
    assert ann.store(Device().create(options, ORIGIN)).status_code == 303
    assert ann.store(Device().create(options, ORIGIN)).status_code == 422, "it has counted"
    late = ann.options()
    bridge.clock.advance(CHALLENGE_MS)
    assert ann.store(Device().create(late, ORIGIN)).status_code == 422
    assert ann.read(HERE).count("My phone") == 1


def test_an_id_that_somebody_has_is_not_taken_over(bridge: Bridge, ann: Ann) -> None:
    device = ann.add(Device())
    ben = Ann(bridge, "ben")
    answer = ben.store(with_id(Device(), device.credential_id).create(ben.options(), ORIGIN))
    assert answer.status_code == 422 and "was added before" in answer.text
    stranger = Stranger(bridge)
    assert stranger.uses(device).status_code == 303
    assert "You are logged in as ann." in text_of(stranger.client.get("/account").text)


# --- logging in -------------------------------------------------------------------------------------------------------

BAD_LOGIN: dict[str, Callable[[Device, dict[str, Any]], str]] = {
    "of another origin": lambda device, options: device.get(options, "https://evil.example"),
    "of http": lambda device, options: device.get(options, "http://chargers.example"),
    "of another relying party": lambda device, options: device.get(options | {"rpId": "evil.example"}, ORIGIN),
    "without user verification": lambda device, options: with_flags(device, UP).get(options, ORIGIN),
    "without a user": lambda device, options: with_flags(device, UV).get(options, ORIGIN),
    "with a challenge of its own": lambda device, options: device.get(options | {"challenge": b64(bytes(64))}, ORIGIN),
    "without a challenge": lambda device, options: device.get(options | {"challenge": ""}, ORIGIN),
    "with a challenge that was changed": lambda device, options: device.get(
        options | {"challenge": b64(later(un64(options["challenge"])))}, ORIGIN
    ),
    "with the challenge of another browser": lambda device, options: device.get(options["other"], ORIGIN),
    "with another's key": lambda device, options: with_id(
        with_handle(Device(), device.handle), device.credential_id
    ).get(options, ORIGIN),
    "of an unknown id": lambda device, options: with_id(device, b"unknown").get(options, ORIGIN),
    "with another's handle": lambda device, options: with_handle(device, bytes(64)).get(options, ORIGIN),
    "without a handle": lambda device, options: without_handle(device.get(options, ORIGIN)),
    "that makes a new one": lambda device, options: device.create(
        options | {"user": {"id": b64(device.handle)}, "rp": {"id": "chargers.example"}}, ORIGIN
    ),
}


def later(challenge: bytes) -> bytes:
    """Return a challenge that ends a day later, with the old signature."""
    return (int.from_bytes(challenge[:8], "big") + 86_400_000).to_bytes(8, "big") + challenge[8:]


def with_handle(device: Device, handle: bytes) -> Device:
    device.handle = handle
    return device


def without_handle(credential: str) -> str:
    said = json.loads(credential)
    del said["response"]["userHandle"]
    return json.dumps(said)


@pytest.mark.parametrize("what", BAD_LOGIN)
def test_what_is_no_passkey_for_us_opens_nothing(bridge: Bridge, ann: Ann, what: str) -> None:
    device = ann.add(Device())
    stranger = Stranger(bridge)
    options = stranger.options() | {"other": Stranger(bridge).options()}
    assert is_refused(stranger.sends(BAD_LOGIN[what](device, options)))
    assert not stranger.is_in()
    assert stored(bridge)[-1][0] == Kind.WRONG_PASSKEY


def test_an_answer_counts_once_and_for_five_minutes(bridge: Bridge, ann: Ann) -> None:
    device = ann.add(Device())
    stranger = Stranger(bridge)
    answer = device.get(stranger.options(), ORIGIN)
    cookie = stranger.client.cookies["__Host-chargekeeper_login"]
    assert stranger.sends(answer).status_code == 303
    stranger.client.cookies.clear()
    stranger.client.cookies.set("__Host-chargekeeper_login", cookie)
    assert is_refused(stranger.sends(answer)), "the same browser, its cookie kept"
    late = Stranger(bridge)
    options = late.options()
    bridge.clock.advance(CHALLENGE_MS)
    assert is_refused(late.sends(device.get(options, ORIGIN)))
    assert late.uses(device).status_code == 303, "the same page goes on with a new challenge"


def test_a_form_of_another_site_is_refused(bridge: Bridge, ann: Ann) -> None:
    device = ann.add(Device())
    stranger = Stranger(bridge)
    assert stranger.uses(device, form="0" * 64).status_code == 403
    assert bridge.stranger().get("/login/passkey/options").status_code == 404


def test_a_counter_that_goes_back_is_refused_and_noted(bridge: Bridge, ann: Ann) -> None:
    device = ann.add(Device(counts=5))
    assert Stranger(bridge).uses(device).status_code == 303
    device.count = 0  # an older copy of the device
    assert is_refused(Stranger(bridge).uses(device)), "5 again"
    assert (Kind.PASSKEY_COPIED, "ann", "passkey 1") in stored(bridge)
    device.count = 10
    assert Stranger(bridge).uses(device).status_code == 303
    device.count, device.counts = 0, 0
    assert is_refused(Stranger(bridge).uses(device)), "none where there was one"


def test_a_device_that_always_sends_0_logs_in_each_time(bridge: Bridge, ann: Ann) -> None:
    device = ann.add(Device())
    assert [Stranger(bridge).uses(device).status_code for _ in range(3)] == [303] * 3
    assert Kind.PASSKEY_COPIED not in [kind for kind, _, _ in stored(bridge)]


def test_wrong_ones_are_braked_and_a_known_browser_goes_on(bridge: Bridge, ann: Ann) -> None:
    device = ann.add(Device())
    known = Stranger(bridge)
    assert known.uses(device).status_code == 303
    guesser = Stranger(bridge)
    answers = [guesser.sends("{}").status_code for _ in range(45)]
    assert answers[:40] == [401] * 40 and answers[-1] == 429
    assert guesser.uses(device).status_code == 429, "the right one too, from there"
    known.client.cookies.delete("__Host-chargekeeper_session")
    known.fields = login_fields(known.client)
    assert known.uses(device).status_code == 303
    assert Kind.TOO_MANY_PASSKEYS in [kind for kind, _, _ in stored(bridge)]


# --- second factors, roles, passwords ---------------------------------------------------------------------------------


def operator(bridge: Bridge) -> Ann:
    return Ann(bridge, "olga", Role.OPERATOR)


def of_operator(bridge: Bridge, olga: Ann) -> Device:
    codes = bridge.client.app.state._state["recovery_codes_of_tests"]["olga"]  # type: ignore[attr-defined]
    return olga.add(Device(), code=codes.pop())


def test_an_operators_passkey_is_both_factors(bridge: Bridge) -> None:
    device = of_operator(bridge, operator(bridge))
    stranger = Stranger(bridge)
    assert stranger.uses(device).headers["Location"] == "/"
    assert stranger.client.get("/security", follow_redirects=False).status_code == 200
    weak = Stranger(bridge)
    assert is_refused(weak.uses(with_flags(device, UP))), "not without PIN or finger"


def test_an_operator_without_a_second_factor_sets_one_up_after_the_passkey(bridge: Bridge) -> None:
    """Otherwise a stranger with the password could set one up."""
    olga = operator(bridge)
    device = of_operator(bridge, olga)
    codes = bridge.client.app.state._state["recovery_codes_of_tests"]["olga"]  # type: ignore[attr-defined]
    gone = {"password": PASSWORD, "code": codes.pop()}
    assert olga.client.post("/account/second-factor/remove", data=olga.form | gone).status_code == 200
    stranger = Stranger(bridge)
    answer = stranger.uses(device, next="/security")
    assert answer.headers["Location"] == "/login/second-factor?next=%2Fsecurity" and not stranger.is_in()
    shown = stranger.client.get(answer.headers["Location"]).text
    fields = hidden_in(shown) | {"code": code_of(key_in(shown), bridge.clock.now_ms())}
    stranger.client.post("/login/second-factor", data=fields)
    assert stranger.is_in()
    assert (Kind.PASSKEY_RIGHT, "olga", "") in stored(bridge)


def test_who_is_made_an_operator_begins_without_passkeys(bridge: Bridge, ann: Ann) -> None:
    """A passkey added with only a password is worth no more than the password."""
    device = ann.add(Device())
    for role, is_in in ((Role.SUPPORT, True), (Role.OPERATOR, False)):
        with bridge.app_state.database.writing() as connection:
            change_role(connection, find_person(connection, "ann"), role)
        assert Stranger(bridge).uses(device).status_code == (303 if is_in else 401)


def test_a_new_password_keeps_them_and_says_so(bridge: Bridge, ann: Ann) -> None:
    device = ann.add(Device())
    assert "Your passkeys stay" in ann.read("/account/password")
    new = {"old": PASSWORD, "new": "a staple of correct horses"}
    assert ann.client.post("/account/password", data=ann.form | new).status_code == 200
    assert Stranger(bridge).uses(device).status_code == 303
    assert "passkeys , which go on logging in" in ann.read("/account/sessions")


def test_the_reset_of_a_second_factor_ends_them(bridge: Bridge, ann: Ann, capsys: pytest.CaptureFixture[str]) -> None:
    device = ann.add(Device())
    reset = ("user", "reset-second-factor", "ann")
    assert command(bridge, *reset) == 0
    assert "passkeys_removed 1" in capsys.readouterr().out
    assert is_refused(Stranger(bridge).uses(device))
    assert command(bridge, *reset) == 1, "there is none"


def test_names_and_times_are_handed_out_and_no_keys_and_all_is_erased(bridge: Bridge, ann: Ann) -> None:
    device = ann.add(Device())
    with bridge.app_state.database.writing() as connection:
        person = find_person(connection, "ann")
        found = export(connection, person)
        at_ms = bridge.clock.now_ms()
        assert [(row["name"], row["added_ms"], row["used_ms"]) for row in found["passkeys"]] == [
            ("My phone", at_ms, None)
        ]
        text = json.dumps(found)
        assert device.credential_id.hex() not in text and device.handle.hex() not in text
        assert cbor(device.public_key).hex() not in text
        remove_person(connection, person)
        assert not connection.execute(passkeys.select()).all() and not connection.execute(user_handles.select()).all()


# --- where browsers keep none -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [None, "http://chargers.example", "http://127.0.0.1:8080", "https://192.0.2.1"])
def test_where_browsers_keep_none_nothing_is_offered_and_the_page_says_why(
    bridge: Bridge, ann: Ann, url: str | None
) -> None:
    options = ann.options()
    set_address(bridge, url)
    client = bridge.stranger()
    shown = client.get("/login").text
    assert "passkey" not in shown and 'autocomplete="username"' in shown
    assert client.get("/login/passkey/options").status_code == 404
    ben = Ann(bridge, "ben")
    assert "Passkeys cannot be used here" in ben.read(HERE) and "Add a passkey" not in ben.read(HERE)
    assert ben.begin().status_code == 422
    assert ben.store(Device().create(options, ORIGIN)).status_code == 422
    data = {"form": hidden_in(shown)["form"], "credential": Device().get(options | {"rpId": "x"}, ORIGIN)}
    assert client.post("/login/passkey", data=data).status_code == 401


# --- anything at all --------------------------------------------------------------------------------------------------


@pytest.fixture
def forgiving(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bridge]:
    """Switch off the limits of attempts, so that each answer is about the request."""
    app: Any = bridge.client.app
    monkeypatch.setattr(app.state.attempts, "reserve", lambda *_: 0)
    yield bridge


@pytest.mark.parametrize("sent", ["", "x" * (SENT_MAX + 1), "[" * SENT_MAX, "9" * SENT_MAX, '{"id":' * 3000])
def test_nothing_and_too_much_is_answered(forgiving: Bridge, sent: str) -> None:
    stranger, ann = Stranger(forgiving), Ann(forgiving)
    for answer in (stranger.sends(sent), ann.store(sent)):
        assert answer.status_code in (401, 413, 422)


def test_a_bomb_of_shared_values_is_not_read(forgiving: Bridge) -> None:
    """Tags 28 and 29 (http://cbor.schmorp.de/value-sharing): 300 bytes that represent 2 to the power of 40 values."""
    bomb = b"\x82\x00\x00"
    for number in range(40, 0, -1):
        bomb = b"\xd8\x1c\x82" + bomb + b"\xd8\x1d" + cbor(number)
    ann, device = Ann(forgiving), Device()
    options = ann.options()
    attestation = b"\xa3" + cbor("fmt") + cbor("none") + cbor("attStmt") + bomb + cbor("authData") + cbor(bytes(37))
    whole = json.loads(device.create(options, ORIGIN))
    whole["response"]["attestationObject"] = b64(attestation)
    assert ann.store(json.dumps(whole)).status_code == 422
    hidden = bytes(32) + bytes([UP | UV | AT]) + bytes(4) + bytes(16) + b"\0\1x" + bomb
    assert ann.store(device.create(options, ORIGIN, auth_data=hidden)).status_code == 422
    ann.add(device)
    stranger = Stranger(forgiving)
    for flags, data in ((AT, bytes(16) + b"\0\1x" + bomb), (0x80, bomb)):
        whole = json.loads(device.get(stranger.options(), ORIGIN))
        head = un64(whole["response"]["authenticatorData"])
        whole["response"]["authenticatorData"] = b64(head[:32] + bytes([UP | UV | flags]) + head[33:] + data)
        assert is_refused(stranger.sends(json.dumps(whole)))
