"""Does a letter reset a forgotten password, once, for its owner only, without revealing who has an account?"""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.store.access import Role, Scope
from cloud_bridge.store.email import ask_for_change, confirm_change
from cloud_bridge.store.password_resets import RESET_MS
from cloud_bridge.store.people import find_person
from cloud_bridge.store.security_events import Kind
from cloud_bridge.store.tables import people
from cloud_bridge.store.tokens import add_token, list_tokens
from tests.cloud_bridge.people import PASSWORD, Stranger, Visitor, text_of
from tests.cloud_bridge.running import Bridge
from tests.cloud_bridge.signing_up import Mailbox, set_up

NEW_PASSWORD = "four words are fine"
NINA = "nina@example.org"


@pytest.fixture
def box(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    """The mailbox. Nina has an address, otto has none."""
    for name in ("nina", "otto"):
        bridge.add_person(name, PASSWORD, Role.DRIVER)
    with bridge.app_state.database.writing() as connection:
        connection.execute(people.update().where(people.c.name == "nina").values(email=NINA))
    return set_up(bridge, monkeypatch)


def ask(bridge: Bridge, who: str) -> tuple[int, str]:
    answer = Stranger(bridge).post("/login/forgotten", who=who)
    return answer.status_code, text_of(answer.text)


def set_password(bridge: Bridge, link: str, password: str = NEW_PASSWORD) -> str:
    """Set the password; return the page's text. The form is sent even if the link shows none."""
    stranger = Stranger(bridge)
    form_on = link if stranger.client.get(link).status_code == 200 else "/login"
    code = link.partition("code=")[2]
    return text_of(stranger.post("/login/new-password", form_on, code=code, password=password).text)


def logs_in(bridge: Bridge, name: str, password: str) -> bool:
    return Stranger(bridge).post("/login", name=name, password=password).url.path != "/login"


@pytest.mark.parametrize("who", ["nina", " NINA", NINA, "Nina@Example.org "])
def test_a_letter_sets_a_new_password_once(bridge: Bridge, box: Mailbox, who: str) -> None:
    ask(bridge, who)
    letter = box.all()[0]
    assert letter.address == NINA and "Your name there is nina" in letter.text
    link = box.link()
    assert link.startswith("/login/new-password?code=")
    for _ in range(3):  # as mail scanners do
        answer = bridge.stranger().get(link)
        assert (answer.status_code, answer.headers["Referrer-Policy"]) == (200, "no-referrer")
    assert "Your new password counts" in set_password(bridge, link)
    assert logs_in(bridge, "nina", NEW_PASSWORD) and not logs_in(bridge, "nina", PASSWORD)
    assert "This link is not valid any more" in set_password(bridge, link, "another four words")
    assert [one.address for one in box.all()] == [NINA, NINA]
    assert "was set with an e-mail to this address" in box.arrived[1].text
    kinds = [one.kind for one in bridge.app_state.security_log.take()]
    assert kinds[:2] == [Kind.PASSWORD_FORGOTTEN, Kind.PASSWORD_RESET]


def test_the_answer_does_not_tell_who_has_an_account(bridge: Bridge, box: Mailbox) -> None:
    answers = {ask(bridge, who) for who in ("nina", NINA, "otto", "nobody", "nobody@example.org", "x" * 200, "\r\n")}
    assert len(answers) == 1 and next(iter(answers))[0] == 200
    assert {one.address for one in box.all()} == {NINA}


def test_it_ends_every_session_every_token_and_every_other_letter(bridge: Bridge, box: Mailbox) -> None:
    nina = Visitor(bridge, "nina")
    database = bridge.app_state.database
    with database.writing() as connection:
        person = find_person(connection, "nina")
        add_token(connection, 0, [Scope.READ], "", person.id)
        change = ask_for_change(connection, person, "eve@example.org", bridge.clock.now_ms())
    ask(bridge, "nina")
    former = box.link() if box.all() else ""
    ask(bridge, "nina")
    box.all()
    set_password(bridge, box.link())
    assert nina.client.get("/account").url.path == "/login"
    with database.writing() as connection:
        assert list_tokens(connection) == []
        assert confirm_change(connection, change, bridge.clock.now_ms()) is None, (
            "an address of whoever knew the password"
        )
    assert "not valid any more" in set_password(bridge, former)


def test_nobody_is_logged_in_by_it_and_the_second_factor_is_asked_for(bridge: Bridge, box: Mailbox) -> None:
    Visitor(bridge, "olga", Role.OPERATOR)
    with bridge.app_state.database.writing() as connection:
        connection.execute(people.update().where(people.c.name == "olga").values(email="olga@example.org"))
    ask(bridge, "olga")
    box.all()
    stranger = Stranger(bridge)
    stranger.post("/login/new-password", box.link(), password=NEW_PASSWORD)
    assert stranger.client.get("/account").url.path == "/login"
    assert stranger.post("/login", name="olga", password=NEW_PASSWORD).url.path == "/login/code"


@pytest.mark.parametrize("password", ["short", "nina@example", "password12"])
def test_a_weak_password_is_refused_and_the_link_goes_on(bridge: Bridge, box: Mailbox, password: str) -> None:
    ask(bridge, "nina")
    box.all()
    link, stranger = box.link(), Stranger(bridge)
    answer = stranger.post("/login/new-password", link, password=password)
    assert answer.status_code == 422 and 'id="problem-password"' in answer.text
    assert f'value="{password}"' not in answer.text and answer.headers["Referrer-Policy"] == "no-referrer"
    assert stranger.post("/login/new-password", link, password=NEW_PASSWORD).status_code == 200


def test_a_link_ends_after_an_hour_and_with_the_address(bridge: Bridge, box: Mailbox) -> None:
    ask(bridge, "nina")
    box.all()
    link = box.link()
    bridge.clock.advance(RESET_MS)
    assert "not valid any more" in set_password(bridge, link)
    ask(bridge, "nina")
    box.all()
    with bridge.app_state.database.writing() as connection:
        code = ask_for_change(connection, find_person(connection, "nina"), "n@example.org", bridge.clock.now_ms())
        confirm_change(connection, code, bridge.clock.now_ms())
    assert "not valid any more" in set_password(bridge, box.link()), "somebody else may have the former address"


def test_a_link_used_twice_at_once_counts_once(bridge: Bridge, box: Mailbox) -> None:
    ask(bridge, "nina")
    box.all()
    link = box.link()
    with ThreadPoolExecutor(3) as threads:
        said = list(threads.map(lambda number: set_password(bridge, link, f"four words are {number}"), range(3)))
    assert sum("Your new password counts" in one for one in said) == 1


def test_letters_of_an_account_are_few_whoever_asks(bridge: Bridge, box: Mailbox) -> None:
    """Letters that were sent stay valid: nobody can end them by asking again."""
    ask(bridge, "nina")
    box.all()
    first = box.link()
    for _ in range(5):
        assert ask(bridge, "nina")[0] == 200
    assert len(box.all()) == 3
    assert "Your new password counts" in set_password(bridge, first)
    for _ in range(48):
        bridge.clock.advance(HOUR_MS // 2)
        ask(bridge, "nina")
    resets = [one for one in box.all() if "new-password" in one.text]
    assert len(resets) <= 20, "of a day"
    bridge.clock.advance(DAY_MS)
    for _ in range(10):
        ask(bridge, "otto")
    status, said = ask(bridge, "nina")
    assert status == 429 and "Too many e-mails" in said, "of one network"


def test_guessing_links_ends(bridge: Bridge, box: Mailbox) -> None:
    client = bridge.stranger()
    answers = [client.get("/login/new-password", params={"code": f"{number:043}"}).status_code for number in range(41)]
    assert answers == [422] * 40 + [429]


def test_a_new_address_needs_the_password_and_the_former_one_is_told(bridge: Bridge, box: Mailbox) -> None:
    """A letter to it can set a new password, so an open browser must not be enough to change it."""
    nina, sent = Visitor(bridge, "nina"), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cloud_bridge.web.pages.everyone.email.send_mail", lambda *letter: sent.append(letter[2]))
        assert nina.post("/account/email", address="eve@example.org", password="guess").status_code == 422
        assert sent == []
        assert nina.post("/account/email", address="n@example.org", password=PASSWORD).status_code == 200
    link = re.search(r"/account/email/confirm\?code=[\w-]+", sent[0])
    assert link
    nina.post("/account/email/confirm", link[0])
    assert [(one.address, "has a new e-mail address" in one.text) for one in box.all()] == [(NINA, True)]


def test_when_too_many_letters_wait_everybody_is_told(
    bridge: Bridge, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether or not they have an account."""
    monkeypatch.setattr("cloud_bridge.alerts.letters.WAITING_MAX", 0)
    for who in ("nina", "nobody"):
        status, said = ask(bridge, who)
        assert status == 503 and "The e-mail could not be sent" in said
    assert bridge.counter("letters_dropped") == 2
