"""Can only those sign up who may, and does no page reveal who has an account?"""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest
from sqlalchemy import func, select

from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.settings import SignUp
from cloud_bridge.store.access import Role
from cloud_bridge.store.invitations import INVITATION_MS, invite, link_of
from cloud_bridge.store.people import find_person
from cloud_bridge.store.security_events import Kind
from cloud_bridge.store.tables import invitations, people, units
from cloud_bridge.web.pages.everyone import new_account
from cloud_bridge.web.pages.everyone.sign_up import may_sign_up
from tests.cloud_bridge.people import PASSWORD, Stranger, Visitor, give, text_of
from tests.cloud_bridge.running import Bridge
from tests.cloud_bridge.signing_up import MAIL, set_up

NEW_PASSWORD = "four words are fine"
BEGIN = "/sign-up/begin"


def invited(bridge: Bridge, role: Role = Role.DRIVER, email: str | None = None, by: str | None = None) -> str:
    """Return the path of an invitation's link."""
    with bridge.app_state.database.writing() as connection:
        maker = None if by is None else find_person(connection, by)
        return link_of("", invite(connection, role, bridge.clock.now_ms(), email, maker))


def begin(stranger: Stranger, link: str, name: str = "nina", password: str = NEW_PASSWORD, **fields: str) -> str:
    """Sign up; return the path it ends on, or the page's text. The form is sent even if the link shows none."""
    has_form = 'name="code"' in stranger.client.get(link).text
    code = {} if has_form else {"code": link.partition("code=")[2]}
    answer = stranger.post(
        BEGIN, form_on=link if has_form else "/login", name=name, password=password, **code, **fields
    )
    return answer.url.path if answer.status_code == 200 else f"{answer.status_code} {text_of(answer.text)}"


def accounts(bridge: Bridge) -> dict[str, tuple[str, str | None]]:
    with bridge.app_state.database.reading() as connection:
        rows = connection.execute(select(people.c.name, people.c.role, people.c.email))
        return {row.name: (row.role, row.email) for row in rows}


def owner_of(bridge: Bridge, unit_id: str) -> int | None:
    with bridge.app_state.database.reading() as connection:
        return connection.execute(select(units.c.owner_id).where(units.c.id == unit_id)).scalar()


def count_invitations(bridge: Bridge) -> int:
    with bridge.app_state.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(invitations)).scalar_one()


def kinds(bridge: Bridge) -> list[Kind]:
    return [one.kind for one in bridge.app_state.security_log.take()]


# --- who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting, is_invited, has_label", list(product(SignUp, (False, True), (False, True))))
def test_the_setting_decides(setting: SignUp, is_invited: bool, has_label: bool) -> None:
    may = {SignUp.OPEN: True, SignUp.INVITATION: is_invited or has_label, SignUp.CLOSED: False}
    assert may_sign_up(setting, is_invited, has_label) is may[setting]


@pytest.mark.parametrize(
    "setting, proof, mail",
    list(product(SignUp, ("none", "label", "claimed label", "wrong label", "invitation"), (MAIL, None))),
)
def test_who_signs_up(bridge: Bridge, monkeypatch: pytest.MonkeyPatch, setting: SignUp, proof: str, mail: str) -> None:
    box = set_up(bridge, monkeypatch, setting, mail)
    code = bridge.add_unit("home-1").claim_code
    if proof == "claimed label":
        bridge.add_person("dora", PASSWORD, Role.DRIVER)
        give(bridge, code, "dora")
    stranger = Stranger(bridge)
    if "label" in proof:
        stranger.client.get("/claim", params={"code": "2222-2222-2222" if proof == "wrong label" else code})
    if proof == "invitation":
        link = invited(bridge)
    elif mail is None:
        link = "/sign-up"
    else:
        stranger.post("/sign-up", address="nina@example.org")
        link = box.link() if box.all() else "/sign-up"
    begin(stranger, link, claim="yes")
    may = setting is SignUp.OPEN or (setting is SignUp.INVITATION and proof in ("label", "invitation"))
    email = "nina@example.org" if mail and proof != "invitation" else None
    assert accounts(bridge).get("nina") == (("driver", email) if may else None)
    is_claimed = "Log out" in stranger.client.get("/account").text and proof == "label"
    assert (owner_of(bridge, "home-1") is not None) is (is_claimed or proof == "claimed label")


@pytest.mark.parametrize("setting", SignUp)
def test_the_login_page_says_what_to_do_without_an_account(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch, setting: SignUp
) -> None:
    set_up(bridge, monkeypatch, setting)
    stranger = Stranger(bridge)
    assert ("I have no account yet" in stranger.read("/login")) is (setting is not SignUp.CLOSED)
    said = stranger.read("/sign-up")
    words = {
        SignUp.OPEN: "We send an e-mail there",
        SignUp.INVITATION: "Scan the code on its label",
        SignUp.CLOSED: "Ask whoever runs this service for an account",
    }
    assert words[setting] in said


def test_without_a_mail_server_pages_say_who_helps_with_a_password(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(bridge, monkeypatch, SignUp.OPEN, None)
    stranger = Stranger(bridge)
    assert "Ask whoever runs this service for a new one" in stranger.read("/login")
    assert "if you forget its password, only whoever runs this service can help" in stranger.read("/sign-up")
    assert "This service sends no e-mail" in stranger.read("/login/forgotten")


# --- by letter --------------------------------------------------------------------------------------------------------


def test_a_letter_in_another_browser_begins_the_account_and_claims_the_charger(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = set_up(bridge, monkeypatch)
    code = bridge.add_unit("home-1").claim_code
    phone, mail_app = Stranger(bridge), Stranger(bridge)
    phone.client.get("/claim", params={"code": code})
    assert "Look for our e-mail" in phone.post("/sign-up", address=" nina@example.org ").text
    link = box.link()
    assert box.arrived[0].address == "nina@example.org" and code not in box.arrived[0].text
    assert "Claim the charger home-1" in mail_app.read(link)
    assert begin(mail_app, link, claim="yes") == "/charge-points/home-1"
    assert accounts(bridge)["nina"] == ("driver", "nina@example.org")
    assert kinds(bridge) == [Kind.SIGNED_UP, Kind.CLAIMED, Kind.LOGGED_IN]
    assert begin(phone, link, "other").startswith("422 "), "it counts once"
    assert count_invitations(bridge) == 0


def test_opening_a_link_uses_nothing_up_and_its_code_is_passed_to_nobody(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(bridge, monkeypatch)
    link = invited(bridge)
    for method in ("GET", "HEAD", "GET"):
        answer = bridge.stranger().request(method, link)
        assert (answer.status_code, answer.headers["Referrer-Policy"]) == (200, "no-referrer")
    assert begin(Stranger(bridge), link) == "/"


def test_a_charger_is_claimed_only_if_the_box_is_ticked(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    box = set_up(bridge, monkeypatch)
    stranger = Stranger(bridge)
    stranger.client.get("/claim", params={"code": bridge.add_unit("home-1").claim_code})
    stranger.post("/sign-up", address="nina@example.org")
    assert begin(stranger, box.link()) == "/claim", "the label is still in this browser"
    assert owner_of(bridge, "home-1") is None


def test_somebody_who_was_faster_gets_the_charger_and_both_have_an_account(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = set_up(bridge, monkeypatch)
    code = bridge.add_unit("home-1").claim_code
    links, strangers = [], [Stranger(bridge), Stranger(bridge)]
    for number, stranger in enumerate(strangers):
        stranger.client.get("/claim", params={"code": code})
        stranger.post("/sign-up", address=f"n{number}@example.org")
        links.append(box.link())
    assert begin(strangers[0], links[0], "nina", claim="yes") == "/charge-points/home-1"
    assert begin(strangers[1], links[1], "otto", claim="yes") == "/claim"
    answer = strangers[1].post("/claim", code=code)
    assert answer.status_code == 422 and "This charger belongs to another account" in answer.text


def test_a_label_that_somebody_claims_meanwhile_makes_no_account(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If no letters are sent, the label alone admits a stranger."""
    set_up(bridge, monkeypatch, mail=None)
    bridge.add_person("dora", PASSWORD, Role.DRIVER)
    code, stranger = bridge.add_unit("home-1").claim_code, Stranger(bridge)
    stranger.client.get("/claim", params={"code": code})

    def claimed_by_dora(name: str) -> str:
        give(bridge, code, "dora")
        return name

    monkeypatch.setattr(new_account, "checked", claimed_by_dora)
    assert "No charger that nobody has claimed has this code" in begin(stranger, "/sign-up")
    assert "nina" not in accounts(bridge)


def test_the_answer_does_not_tell_whether_somebody_has_the_address(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = set_up(bridge, monkeypatch, SignUp.OPEN)
    begin(Stranger(bridge), invited(bridge, email="nina@example.org"))
    answers = {}
    for address in ("nina@example.org", "NINA@example.org", "otto@example.org"):
        answer = Stranger(bridge).post("/sign-up", address=address)
        answers[address] = (answer.status_code, answer.text.replace(address, ""))
    assert len(set(answers.values())) == 1
    letters = {one.address: one.text for one in box.all()}
    assert "You have an account already. Your name there is nina" in letters["nina@example.org"].replace("\n\n", " ")
    assert "You have an account already" in letters["NINA@example.org"]
    assert f"{BEGIN}?code=" in letters["otto@example.org"]


def test_no_request_waits_for_the_mail_server_nor_for_the_account_to_be_looked_up(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, gate = set_up(bridge, monkeypatch, SignUp.OPEN), threading.Event()
    begin(Stranger(bridge), invited(bridge, email="nina@example.org"))

    def slow(*letter: str) -> None:
        assert gate.wait(60)
        box.send(*letter)

    monkeypatch.setattr("cloud_bridge.alerts.letters.send_mail", slow)
    for path, field in (("/sign-up", "address"), ("/login/forgotten", "who")):
        for who in ("nina@example.org", "otto@example.org"):
            assert Stranger(bridge).post(path, **{field: who}).status_code == 200
    assert box.arrived == []
    gate.set()
    assert sorted(one.address for one in box.all()) == ["nina@example.org", "nina@example.org", "otto@example.org"]


def test_letters_to_one_address_are_few_and_nobody_is_told(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    box = set_up(bridge, monkeypatch, SignUp.OPEN)
    for _ in range(5):
        assert Stranger(bridge).post("/sign-up", address="nina@example.org").status_code == 200
    assert len(box.all()) == 3
    for number in range(5):
        assert Stranger(bridge).post("/sign-up", address=f"n{number}@example.org").status_code == 200
    refused = Stranger(bridge).post("/sign-up", address="otto@example.org")
    assert refused.status_code == 429 and "Too many e-mails" in refused.text, "of one network"
    assert 'value="otto@example.org"' in refused.text
    assert len(box.all()) == 8


def test_a_mail_server_that_is_down_is_counted_and_logs_no_address(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    box = set_up(bridge, monkeypatch, SignUp.OPEN)
    box.is_down = True
    assert Stranger(bridge).post("/sign-up", address="nina@example.org").status_code == 200
    assert box.all() == [] and bridge.counter("letters_failed") == 1
    assert "a letter was not sent: NotDelivered" in caplog.text and "nina" not in caplog.text


@pytest.mark.parametrize(
    "address", ["nina", "nina@", "a@b,c@d", "a@b\r\nBcc: eve@example.org", "Nina <a@b>", "a" * 65 + "@b", "a@b c"]
)
def test_what_is_no_address_is_said_beside_its_field_and_stays(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    box = set_up(bridge, monkeypatch, SignUp.OPEN)
    answer = Stranger(bridge).post("/sign-up", address=address)
    assert answer.status_code == 422 and 'id="problem-address"' in answer.text
    assert address.split("\r")[0].replace("<", "&lt;").replace(">", "&gt;") in answer.text
    assert box.all() == []


# --- the account begins -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, said",
    [
        ("dora", "This name is taken, or looks like one that is"),
        ("DORA ", "This name is taken, or looks like one that is"),
        ("d0ra", "This name is taken, or looks like one that is"),
        ("dоra", "it mixes letters"),  # a Cyrillic о
        ("nina\r\nBcc: x", "use 1 to 100 printable characters"),
        ("nina☺", "it has the symbol"),
        (" ", "use 1 to 100 printable characters"),
    ],
)
def test_a_name_that_cannot_be_had_is_said_beside_its_field_and_another_can_be_chosen(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    set_up(bridge, monkeypatch)
    bridge.add_person("dora", PASSWORD, Role.DRIVER)
    link, stranger = invited(bridge), Stranger(bridge)
    answer = stranger.post(BEGIN, form_on=link, name=name, password=NEW_PASSWORD)
    assert answer.status_code == 422 and said in text_of(answer.text)
    assert 'aria-invalid="true" autofocus aria-describedby="name-rule problem-name"' in answer.text
    assert NEW_PASSWORD not in answer.text and answer.headers["Referrer-Policy"] == "no-referrer"
    assert begin(stranger, link) == "/"


@pytest.mark.parametrize("password", ["short", "password12", "nina@example.org", "chargekeeper", "x" * 201])
def test_a_weak_password_is_refused_and_the_name_stays(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    set_up(bridge, monkeypatch)
    link, stranger = invited(bridge, email="nina@example.org"), Stranger(bridge)
    answer = stranger.post(BEGIN, form_on=link, name="nina", password=password)
    assert answer.status_code == 422
    assert 'id="problem-password"' in answer.text and 'value="nina"' in answer.text
    assert f'value="{password}"' not in answer.text
    assert "nina" not in accounts(bridge) and count_invitations(bridge) == 1


def test_two_who_want_one_name_at_once(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(bridge, monkeypatch)
    strangers = [(Stranger(bridge), invited(bridge)) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        ends = list(threads.map(lambda one: begin(*one), strangers))
    assert ends.count("/") == 1 and sum("This name is taken" in end for end in ends) == 3
    assert count_invitations(bridge) == 3, "those who were too late may choose another name"


def test_one_link_opened_twice_at_once_makes_one_account(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(bridge, monkeypatch)
    link = invited(bridge)
    strangers = [Stranger(bridge) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        ends = list(threads.map(lambda one: begin(one[1], link, f"nina{'abcd'[one[0]]}"), enumerate(strangers)))
    assert ends.count("/") == 1 and len(accounts(bridge)) == 1


def test_an_invitation_fixes_the_role_and_an_operator_needs_the_second_factor(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(bridge, monkeypatch)
    stranger = Stranger(bridge)
    assert begin(stranger, invited(bridge, Role.OPERATOR, "nina@example.org"), role="driver") == "/login/second-factor"
    assert accounts(bridge)["nina"] == ("operator", "nina@example.org")
    assert stranger.client.get("/fleet").url.path == "/login"
    other = Stranger(bridge)
    assert begin(other, invited(bridge, Role.INSTALLER), "ivy", role="operator") == "/jobs"


def test_an_invitation_ends(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(bridge, monkeypatch)
    bridge.add_person("olga", PASSWORD, Role.OPERATOR)
    old, demoted = invited(bridge), invited(bridge, Role.OPERATOR, by="olga")
    bridge.clock.advance(INVITATION_MS)
    assert "not valid any more" in begin(Stranger(bridge), old)
    bridge.clock.advance(-INVITATION_MS)
    with bridge.app_state.database.writing() as connection:
        connection.execute(people.update().values(role="support"))
    assert "not valid any more" in begin(Stranger(bridge), demoted), "of whoever may invite to that role no more"


@pytest.mark.parametrize("setting", [SignUp.INVITATION, SignUp.CLOSED])
def test_a_letter_that_was_asked_for_counts_by_the_setting_of_today(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch, setting: SignUp
) -> None:
    box = set_up(bridge, monkeypatch, SignUp.OPEN)
    Stranger(bridge).post("/sign-up", address="nina@example.org")
    link = box.link()
    set_up(bridge, monkeypatch, setting)
    assert "not valid any more" in begin(Stranger(bridge), link)


def test_guessing_links_ends_and_is_in_the_security_log(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(bridge, monkeypatch)
    link, stranger = invited(bridge), Stranger(bridge)
    answers = [stranger.client.get(BEGIN, params={"code": f"{number:043}"}).status_code for number in range(41)]
    assert answers == [422] * 40 + [429]
    assert set(kinds(bridge)) == {Kind.WRONG_LINK}
    assert stranger.client.get(link).status_code == 429
    bridge.clock.advance(HOUR_MS)
    assert stranger.client.get(link).status_code == 200


def test_trying_names_ends(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try reveals whether a name is taken."""
    set_up(bridge, monkeypatch)
    bridge.add_person("dora", PASSWORD, Role.DRIVER)
    link, stranger = invited(bridge), Stranger(bridge)
    ends = [begin(stranger, link, "dora")[:3] for _ in range(21)]
    assert ends == ["422"] * 20 + ["429"]


@pytest.mark.parametrize("mail", [MAIL, None])
def test_guessing_labels_ends(bridge: Bridge, monkeypatch: pytest.MonkeyPatch, mail: str | None) -> None:
    """Without a login, each try of a code is counted for the network."""
    set_up(bridge, monkeypatch, SignUp.INVITATION, mail)
    right = bridge.add_unit("home-1").claim_code
    answers = []
    for number in range(11):
        stranger = Stranger(bridge)
        stranger.client.get("/claim", params={"code": f"2222-2222-{number + 2222}"})
        if mail is None:
            answers.append(begin(stranger, "/sign-up")[:3])
        else:
            answers.append(str(stranger.post("/sign-up", address="nina@example.org").status_code))
    assert answers == ["422"] * 10 + ["429"]
    assert kinds(bridge) == [Kind.WRONG_CLAIM_CODE] * 10
    bridge.clock.advance(DAY_MS)
    stranger = Stranger(bridge)
    stranger.client.get("/claim", params={"code": right})
    page = stranger.read("/sign-up")
    assert right in page, "what is scanned is shown, whether or not it is right"


def test_one_label_is_not_the_key_to_any_number_of_accounts(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(bridge, monkeypatch, SignUp.INVITATION)
    code = bridge.add_unit("home-1").claim_code
    answers = []
    for number in range(21):
        bridge.clock.advance(2 * MINUTE_MS)  # so that the network's rate is not the reason
        stranger = Stranger(bridge)
        stranger.client.get("/claim", params={"code": code})
        answers.append(stranger.post("/sign-up", address=f"n{number}@example.org").status_code)
    assert answers == [200] * 20 + [429]


@pytest.mark.parametrize("path", ["/sign-up", BEGIN, "/claim/code", "/login/forgotten", "/login/new-password"])
def test_a_form_of_another_site_is_refused(bridge: Bridge, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    set_up(bridge, monkeypatch, SignUp.OPEN)
    fields = {
        "address": "n@example.org",
        "who": "n",
        "name": "n",
        "password": NEW_PASSWORD,
        "code": "x",
        "form": "f" * 64,
    }
    assert bridge.stranger().post(path, data=fields).status_code == 403


def test_somebody_who_is_logged_in_has_an_account_already(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(bridge, monkeypatch, SignUp.OPEN)
    assert Visitor(bridge, "dora", Role.DRIVER).client.get("/sign-up").url.path == "/"


# --- invitations ------------------------------------------------------------------------------------------------------


def test_an_operator_invites_by_letter_and_withdraws(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    box = set_up(bridge, monkeypatch)
    olga = Visitor(bridge, "olga", Role.OPERATOR)
    answer = olga.post("/invitations", role="installer", address="ivy@example.org")
    assert "We have written to ivy@example.org" in answer.text and "/sign-up/begin" not in answer.text
    assert "You are invited to Chargekeeper (installer)" in box.arrived[0].text
    link = box.link()
    (number,) = re.findall(r"/invitations/(\d+)/withdraw", olga.get("/invitations"))
    assert (
        Visitor(bridge, "sue", Role.SUPPORT).post(f"/invitations/{number}/withdraw", "/invitations").status_code == 404
    )
    assert "ivy" not in olga.post(f"/invitations/{number}/withdraw", "/invitations").text
    assert "not valid any more" in begin(Stranger(bridge), link)
    assert Kind.INVITATION_WITHDRAWN in kinds(bridge)


def test_support_invites_drivers_alone(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    box = set_up(bridge, monkeypatch)
    sue = Visitor(bridge, "sue", Role.SUPPORT)
    for role in (Role.OPERATOR, Role.SUPPORT, Role.INSTALLER):
        assert sue.post("/invitations", role=role, address="n@example.org").status_code == 404
    assert sue.post("/invitations", role="driver", address="n@example.org").status_code == 200
    assert begin(Stranger(bridge), box.link()) == "/"
    assert accounts(bridge)["nina"] == ("driver", "n@example.org")
    for name, role in (("dora", Role.DRIVER), ("ivy", Role.INSTALLER)):
        assert Visitor(bridge, name, role).client.get("/invitations").status_code == 404


def test_where_no_letters_are_sent_the_link_is_shown_once(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(bridge, monkeypatch, mail=None)
    olga = Visitor(bridge, "olga", Role.OPERATOR)
    link = re.search(r"http://[^/]+(/sign-up/begin\?code=[\w-]+)", olga.post("/invitations", role="support").text)
    assert link and link[1] not in olga.get("/invitations")
    assert begin(Stranger(bridge), link[1]) == "/"
    assert accounts(bridge)["nina"][0] == "support"


def test_an_invitation_that_could_not_be_sent_is_none(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    box = set_up(bridge, monkeypatch)
    box.is_down = True
    olga = Visitor(bridge, "olga", Role.OPERATOR)
    assert olga.post("/invitations", role="driver", address="n@example.org").status_code == 503
    assert count_invitations(bridge) == 0
    answer = olga.post("/invitations", role="driver", address="no address")
    assert answer.status_code == 422 and 'value="no address"' in answer.text


def test_closed_means_no_invitations(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(bridge, monkeypatch, SignUp.CLOSED)
    olga = Visitor(bridge, "olga", Role.OPERATOR)
    assert "Sign-up is closed" in olga.read("/invitations")
    assert olga.post("/invitations", "/account", role="driver", address="n@example.org").status_code == 404
