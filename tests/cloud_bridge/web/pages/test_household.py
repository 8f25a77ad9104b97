"""Can a second person only join a charger by the owner's link, and do what members may, and nothing else?"""

import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.settings import SignUp
from cloud_bridge.store.access import Role, Scope
from cloud_bridge.store.people import find_person
from cloud_bridge.store.security_events import Kind, newest_security_events
from cloud_bridge.store.tokens import add_token
from cloud_bridge.web.pages.everyone import household
from tests.cloud_bridge.people import PASSWORD, Visitor, unit_of
from tests.cloud_bridge.running import Bridge, Unit, sample
from tests.cloud_bridge.signing_up import set_up

UNIT = "/account/units/home-1"
PEOPLE = f"{UNIT}/people"
INVITE = f"{PEOPLE}/invite"
CHARGER = "/charge-points/home-1"


@pytest.fixture
def unit(bridge: Bridge) -> Unit:
    """Ann's unit."""
    return unit_of(bridge, "ann")


@pytest.fixture
def ann(bridge: Bridge, unit: Unit) -> Visitor:
    return Visitor(bridge, "ann")


def link_in(html: str) -> str:
    """Return the path of the link on the page."""
    found = re.search(r"https?://[^/<]+(/join\?code=[\w-]{43})</pre>", unescape(html))
    assert found, html
    return found[1]


def invited(ann: Visitor) -> str:
    return link_in(ann.post(INVITE).text)


@pytest.fixture
def ben(bridge: Bridge, ann: Visitor) -> Visitor:
    """Ben, a member."""
    ben = Visitor(bridge, "ben", Role.DRIVER)
    assert ben.post("/join", invited(ann)).status_code == 200
    return ben


def person_id(bridge: Bridge, name: str) -> int:
    with bridge.app_state.database.reading() as connection:
        return find_person(connection, name).id


def test_a_stranger_logs_in_comes_back_to_the_link_and_accepts(bridge: Bridge, ann: Visitor) -> None:
    ann.post(UNIT, name="Our garage", time_zone="Europe/London")
    link = invited(ann)
    bridge.add_person("ben", PASSWORD, Role.DRIVER)
    client = bridge.stranger()
    asked = client.get(link).text
    assert "Our garage" not in asked, "before they have said who they are"
    login = re.search(r'href="(/login\?next=[^"]+)"', asked)
    assert login
    form = dict(re.findall(r'name="(form|next)" value="([^"]*)"', client.get(unescape(login[1])).text))
    back = client.post("/login", data={"name": "ben", "password": PASSWORD, **form}, follow_redirects=False)
    assert back.headers["Location"] == link
    page = client.get(link).text
    assert "Our garage" in page and "Charger" in page
    assert client.get("/").url.path == "/" and "Where would you like to begin?" in client.get("/").text, (
        "a GET joins nothing"
    )
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    assert client.post("/join", data=hidden | {"form": "0" * 64}).status_code == 403
    assert client.post("/join", data=hidden, follow_redirects=False).headers["Location"] == CHARGER
    assert "Our garage" in client.get("/").text
    again = client.post("/join", data=hidden)
    assert again.status_code == 422 and "was used or withdrawn" in again.text
    assert client.get(link).status_code == 404


@pytest.mark.parametrize("setting", [SignUp.INVITATION, SignUp.OPEN])
def test_a_stranger_without_an_account_makes_one_with_the_link(
    bridge: Bridge, ann: Visitor, monkeypatch: pytest.MonkeyPatch, setting: SignUp
) -> None:
    set_up(bridge, monkeypatch, setting)
    link, client = invited(ann), bridge.stranger()
    form = dict(re.findall(r'name="(form|code)" value="([^"]*)"', client.get(link).text))
    begin = client.post("/join/sign-up", data=form)
    assert begin.url.path == "/sign-up/begin" and begin.status_code == 200
    hidden = dict(re.findall(r'name="(form|code)" value="([^"]*)"', begin.text))
    new = {"name": "cleo", "password": "four quiet words apart"}
    back = client.post("/sign-up/begin", data=hidden | new, follow_redirects=False)
    assert back.headers["Location"] == link
    page = client.get(link).text
    joined = client.post("/join", data=dict(re.findall(r'name="(form|code)" value="([^"]*)"', page)))
    assert joined.url.path == CHARGER and joined.status_code == 200


def test_a_link_that_is_over_or_a_closed_service_makes_no_account(
    bridge: Bridge, ann: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, client = invited(ann), bridge.stranger()
    form = dict(re.findall(r'name="(form|code)" value="([^"]*)"', client.get(link).text))
    assert client.post("/join/sign-up", data=form | {"form": "0" * 64}).status_code == 403
    wrong = client.post("/join/sign-up", data=form | {"code": "x" * 43})
    assert wrong.status_code == 422 and "not valid any more" in wrong.text
    set_up(bridge, monkeypatch, SignUp.CLOSED)
    assert "Make an account" not in client.get(link).text
    assert client.post("/join/sign-up", data=form).status_code == 403
    set_up(bridge, monkeypatch, SignUp.INVITATION)
    answers = [client.post("/join/sign-up", data=form, follow_redirects=False).status_code for _ in range(21)]
    assert answers == [303] * 20 + [429], "one link is not the key to any number of accounts"


def test_a_member_uses_the_charger_as_its_owner_does(bridge: Bridge, unit: Unit, ben: Visitor) -> None:
    unit.subscribe("cp/home-1/command")
    unit.publish("cp/home-1/heartbeat", sample("heartbeat-charging"))
    assert "Last contacted" in ben.read("/")
    for page in (CHARGER, f"{CHARGER}/history", f"{CHARGER}/charging", f"{CHARGER}/support", "/support"):
        assert "home-1" in ben.get(page)
    done = ben.post(f"{CHARGER}/charging/pause", f"{CHARGER}/charging", hours="2")
    assert done.status_code == 200
    bridge.until(lambda: any(one["do"] == "pause" for one in unit.commands), "heard of the pause")
    assert ben.post(f"{CHARGER}/support", text="It hums.").status_code == 200
    with bridge.app_state.database.writing() as connection:
        ben_id = find_person(connection, "ben").id
        token = add_token(connection, bridge.clock.at_ms, frozenset({Scope.READ}), person_id=ben_id)
    api = bridge.stranger().get("/api/charge-points", headers={"Authorization": f"Bearer {token}"})
    assert [one["id"] for one in api.json()] == ["home-1"]


def test_a_member_changes_nothing_that_is_the_owners(bridge: Bridge, ann: Visitor, ben: Visitor) -> None:
    ann.post(f"{CHARGER}/support", text="Only ours to read.")
    ann.post("/account/details", full_name="Ann Owner", phone="020 7946 0000")
    shown = ben.read(UNIT)
    assert "Leave this charger" in shown and "Give up" not in shown and "Pence" not in shown
    form = {"form": form_of(ben)}
    for path in (PEOPLE, INVITE):
        assert ben.client.get(path).status_code == 404
    for path in (UNIT, f"{UNIT}/release", INVITE, f"{PEOPLE}/{person_id(bridge, 'ann')}/remove"):
        answer = ben.client.post(path, data=form | {"name": "Mine", "time_zone": "Europe/Madrid"})
        assert answer.status_code == 404, path
    assert ben.client.post(f"{PEOPLE}/invitations/1/withdraw", data=form).status_code == 404
    assert ben.client.get("/support/1").status_code == 404
    pages = ["/", CHARGER, UNIT, "/support", "/account/units", f"{CHARGER}/history", f"{CHARGER}/charging"]
    told = "".join(ben.get(page) for page in pages)
    for hers in ("Only ours", "Ann Owner", "7946"):
        assert hers not in told
    assert "home-1" in ann.read(UNIT), "still hers"


def form_of(visitor: Visitor) -> str:
    found = re.search(r'name="form" value="([0-9a-f]{64})"', visitor.get("/account"))
    assert found
    return found[1]


def test_the_owner_sees_who_and_since_when_and_removes_them_at_once(bridge: Bridge, ann: Visitor, ben: Visitor) -> None:
    assert re.search(r"ben Since \w{3} \d+ \w{3}, \d\d:\d\d", ann.read(PEOPLE))
    ann.post(f"{PEOPLE}/{person_id(bridge, 'ben')}/remove", PEOPLE)
    for path in (CHARGER, f"{CHARGER}/history", UNIT):
        assert ben.client.get(path).status_code == 404
    assert "event: gone" in ben.client.get("/live?of=home-1:").text
    assert "ben" not in ann.read(PEOPLE)
    assert ann.post(f"{PEOPLE}/{person_id(bridge, 'ben')}/remove", INVITE).status_code == 404


def test_a_member_leaves(bridge: Bridge, ann: Visitor, ben: Visitor) -> None:
    assert "Shared with you" in ben.read("/account/units")
    ben.post(f"{UNIT}/leave", UNIT)
    assert ben.client.get(CHARGER).status_code == 404
    assert "Where would you like to begin?" in ben.read("/")
    assert "ben" not in ann.read(PEOPLE)
    assert ann.client.post(f"{UNIT}/leave", data={"form": form_of(ann)}).status_code == 404, "an owner gives it up"


def test_a_release_ends_it_for_everybody_and_a_new_owner_sees_nobody(
    bridge: Bridge, ann: Visitor, ben: Visitor
) -> None:
    link = invited(ann)
    code = bridge.add_unit("home-2").claim_code
    ann.post("/account/units", code=code)
    ann.post(f"{UNIT}/release", UNIT)
    assert ben.client.get(CHARGER).status_code == 404
    assert ben.client.get(link).status_code == 404
    assert ann.client.get("/charge-points/home-2").status_code == 200


def test_the_pages_say_that_somebody_of_the_household_wished_it(unit: Unit, ann: Visitor, ben: Visitor) -> None:
    """The unit does not report who gave the command."""
    unit.publish("cp/home-1/heartbeat", b'{"n":9,"b":1,"s":"B1","m":"smart","y":"cloud","l":0,"a":0,"f":[]}')
    for visitor in (ann, ben):
        assert "Paused by your household" in visitor.read(CHARGER)
        assert "Paused by your household" in visitor.read(f"{CHARGER}/charging")
    ben.post(f"{UNIT}/leave", UNIT)
    assert "Paused by you" in ann.read(CHARGER) and "household" not in ann.read(CHARGER)


def test_the_link_is_shown_once_and_may_be_withdrawn(bridge: Bridge, ann: Visitor) -> None:
    made = ann.post(INVITE)
    code = link_in(made.text).partition("=")[2]
    assert made.headers["Cache-Control"] == "no-store"
    assert code not in ann.get(PEOPLE) and "An open invitation" in ann.get(PEOPLE)
    ann.post(f"{PEOPLE}/invitations/1/withdraw", PEOPLE)
    assert "An open invitation" not in ann.get(PEOPLE)
    ben = Visitor(bridge, "ben", Role.DRIVER)
    assert ben.client.get(f"/join?code={code}").status_code == 404
    for _ in range(5):
        invited(ann)
    refused = ann.post(INVITE)
    assert refused.status_code == 422 and "5 invitations are open: withdraw one first" in refused.text
    assert '<p class="problem" role="alert" tabindex="-1" autofocus>Nobody was invited. ' in refused.text


def test_an_invitation_is_over_after_a_week(bridge: Bridge, ann: Visitor) -> None:
    link = invited(ann)
    ben = Visitor(bridge, "ben", Role.DRIVER)
    for _ in range(7 * 24):
        bridge.clock.advance(HOUR_MS)
    assert bridge.app_state.verified.now_ms() - bridge.clock.at_ms < DAY_MS
    assert ben.client.get(link).status_code == 404
    assert "An open invitation" not in ann.get(PEOPLE)


def test_a_letter_takes_the_link_to_the_public_address(
    bridge: Bridge, ann: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters: list[tuple[str, str]] = []
    monkeypatch.setattr(household, "send_mail", lambda _server, address, words: letters.append((address, words)))
    app: Any = bridge.client.app
    mail = replace(bridge.app_state.settings, mail=object())  # type: ignore[arg-type]  # there is one
    app.state.bridge = replace(bridge.app_state, settings=mail)
    wrong = ann.post(INVITE, address=" nobody at all ")
    assert wrong.status_code == 422 and not letters
    assert 'value=" nobody at all "' in wrong.text and 'aria-describedby="problem-address"' in wrong.text
    sent = ann.post(INVITE, address="ben@example.org")
    assert "We have sent the link to ben@example.org" in sent.text
    address, words = letters[0]
    assert address == "ben@example.org"
    assert f"within a week: {mail.public_address}{link_in(sent.text)}" in words
    assert words.startswith("ann shares")


def test_a_letter_that_cannot_be_sent_leaves_the_link(ann: Visitor) -> None:
    said = ann.post(INVITE, address="ben@example.org").text
    assert "could not be sent. Pass the link on yourself." in said and link_in(said)


@pytest.mark.parametrize("role", [Role.INSTALLER, Role.SUPPORT])
def test_it_is_for_drivers(bridge: Bridge, ann: Visitor, role: Role) -> None:
    answer = Visitor(bridge, "ida", role).post("/join", invited(ann))
    assert answer.status_code == 422 and "shared with drivers" in answer.text


def test_the_security_log_has_it(bridge: Bridge, ann: Visitor, ben: Visitor) -> None:
    ben.post(f"{UNIT}/leave", UNIT)
    ben.post("/join", invited(ann))
    ann.post(f"{PEOPLE}/{person_id(bridge, 'ben')}/remove", PEOPLE)

    bridge.app_state.security_log.write()
    with bridge.app_state.database.reading() as connection:
        rows = list(reversed(newest_security_events(connection)))
    assert [(row.kind, row.name, row.about) for row in rows if row.kind.startswith("member_")] == [
        (Kind.MEMBER_INVITED, "ann", "home-1"),
        (Kind.MEMBER_JOINED, "ben", "home-1"),
        (Kind.MEMBER_LEFT, "ben", "home-1"),
        (Kind.MEMBER_INVITED, "ann", "home-1"),
        (Kind.MEMBER_JOINED, "ben", "home-1"),
        (Kind.MEMBER_REMOVED, "ann", f"home-1, person {person_id(bridge, 'ben')}"),
    ]
