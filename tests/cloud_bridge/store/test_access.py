"""Does everybody see their own units and no others, and can a claim code be used only once?"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text

from cloud_bridge.errors import AlreadyThere, BridgeError
from cloud_bridge.store import email, tokens
from cloud_bridge.store.access import SCOPES, Asker, Person, Role, Scope, Token, may, token_for
from cloud_bridge.store.claims import ClaimRefused, as_printed, assign, claim, release, withdraw
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.jobs import installer_of
from cloud_bridge.store.people import (
    Login,
    add_person,
    change_role,
    find_login,
    find_person,
    open_session,
    remove_person,
    set_password,
    who_has_session,
)
from cloud_bridge.store.tables import unit_installers
from cloud_bridge.store.units import NewUnit, add_unit, visible_unit, visible_units
from tests.cloud_bridge.old_store import open_at
from tests.cloud_bridge.running import store_at

NOW_MS = 1000


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(store_at(tmp_path))
    yield database
    database.close()


def person(database: Database, name: str, role: Role = Role.DRIVER) -> Person:
    with database.writing() as connection:
        add_person(connection, name, "a hash", role, NOW_MS)
        return find_person(connection, name)


def unit(database: Database, unit_id: str) -> NewUnit:
    with database.writing() as connection:
        return add_unit(connection, unit_id, NOW_MS)


def seen_by(database: Database, asker: Asker) -> list[str]:
    """Return the units seen in the list, in the count and one by one, which must agree."""
    with database.reading() as connection:
        listed = [one.id for one in visible_units(connection, asker)]
        assert visible_units(connection, asker, 1) == visible_units(connection, asker)[:1]
        assert [name for name in ("a", "b", "c") if visible_unit(connection, asker, name) is not None] == listed
    return listed


def test_each_role_sees_its_own(database: Database) -> None:
    codes = {name: unit(database, name).claim_code for name in ("a", "b", "c")}
    ann, ben = person(database, "ann"), person(database, "ben")
    installer = person(database, "ida", Role.INSTALLER)
    with database.writing() as connection:
        claim(connection, ann, codes["a"], NOW_MS)
        claim(connection, ben, codes["b"], NOW_MS)
        assign(connection, "b", installer, NOW_MS)
        assign(connection, "b", installer, NOW_MS)
    assert seen_by(database, ann) == ["a"]
    assert seen_by(database, ben) == ["b"]
    assert seen_by(database, installer) == ["b"]
    for role in (Role.SUPPORT, Role.OPERATOR):
        assert seen_by(database, person(database, role, role)) == ["a", "b", "c"]
    with database.writing() as connection:
        withdraw(connection, "b", installer.id, NOW_MS)
    assert seen_by(database, installer) == []


@pytest.mark.parametrize("role", Role)
def test_a_new_account_of_a_stranger_sees_nothing(database: Database, role: Role) -> None:
    unit(database, "a")
    everything = role in (Role.SUPPORT, Role.OPERATOR)
    assert seen_by(database, person(database, "x", role)) == (["a"] if everything else [])


def test_a_token_never_does_more_than_its_person(database: Database) -> None:
    ann = person(database, "ann")
    with database.writing() as connection:
        claim(connection, ann, add_unit(connection, "a", NOW_MS).claim_code, NOW_MS)
        add_unit(connection, "b", NOW_MS)
        hers = tokens.add_token(connection, NOW_MS, Scope, "all of it", ann.id)
        ours = tokens.add_token(connection, NOW_MS)
    with database.reading() as connection:
        found, operators = token_of(connection, hers), token_of(connection, ours)
        assert tokens.find_token(connection, "guess", NOW_MS) is None
    assert found == Token(ann.id, Role.DRIVER, SCOPES[Role.DRIVER])
    assert operators == token_for(None, frozenset({Scope.READ}))
    assert seen_by(database, found) == ["a"]
    assert seen_by(database, operators) == ["a", "b"]
    assert not may(operators, Scope.COMMAND)


def token_of(connection: Connection, token: str) -> Token:
    found = tokens.find_token(connection, token, NOW_MS)
    assert found is not None
    return found.token


def test_a_token_ends_when_its_time_is_over(database: Database) -> None:
    with database.writing() as connection:
        token = tokens.add_token(connection, NOW_MS, expires_ms=NOW_MS + 5)
        assert tokens.find_token(connection, token, NOW_MS + 4) is not None
        assert tokens.find_token(connection, token, NOW_MS + 5) is None


def test_a_removed_token_and_the_token_of_a_removed_person_are_nothing(database: Database) -> None:
    ann = person(database, "ann")
    with database.writing() as connection:
        first, second = (tokens.add_token(connection, NOW_MS, person_id=ann.id) for _ in range(2))
        assert tokens.remove_token(connection, 1)
        assert not tokens.remove_token(connection, 1)
        remove_person(connection, ann)
        assert tokens.find_token(connection, first, NOW_MS) is None
        assert tokens.find_token(connection, second, NOW_MS) is None


def test_a_unit_is_claimed_once_and_again_after_its_release(database: Database) -> None:
    code = unit(database, "a").claim_code
    ann, ben = person(database, "ann"), person(database, "ben")
    with database.writing() as connection:
        assert claim(connection, ann, code, NOW_MS) == "a"
        assert claim(connection, ann, code, NOW_MS) == "a", "twice is once"
        with pytest.raises(ClaimRefused, match="belongs to another account"):
            claim(connection, ben, code, NOW_MS)
        assert not release(connection, "a", ben.id, now_ms=NOW_MS)
        assert release(connection, "a", ann.id, now_ms=NOW_MS)
        assert claim(connection, ben, code, NOW_MS) == "a"
    assert seen_by(database, ann) == []


@pytest.mark.parametrize("code", ["", "-", "7K4M", "0000-0000-0000", "7K4M-2QXP-9BCD-", "é" * 500, "%"])
def test_a_wrong_code_claims_nothing(database: Database, code: str) -> None:
    unit(database, "a")
    ann = person(database, "ann")
    with database.writing() as connection, pytest.raises(ClaimRefused, match="no charger has this code"):
        claim(connection, ann, code, NOW_MS)


@pytest.mark.parametrize("typed", ["7k4m2qxp9bcd", " 7K4M 2QXP 9BCD ", "7K4M-2QXP-9BCD", "7k4m–2qxp–9bcd"])
def test_a_code_may_be_typed_as_people_do(typed: str) -> None:
    assert as_printed(typed) == "7K4M-2QXP-9BCD"


def test_only_an_installer_is_given_work(database: Database) -> None:
    unit(database, "a")
    ann = person(database, "ann")
    with database.writing() as connection, pytest.raises(BridgeError, match="not an installer but a driver"):
        assign(connection, "a", ann, NOW_MS)


def test_the_unit_of_a_removed_person_is_nobody_s(database: Database) -> None:
    code = unit(database, "a").claim_code
    ann, ben = person(database, "ann"), person(database, "ben")
    with database.writing() as connection:
        claim(connection, ann, code, NOW_MS)
        remove_person(connection, ann)
        assert claim(connection, ben, code, NOW_MS) == "a"


def test_a_changed_role_counts_at_once(database: Database) -> None:
    unit(database, "a")
    ann = person(database, "ann")
    with database.writing() as connection:
        cookie = open_session(connection, ann, NOW_MS)
        change_role(connection, ann, Role.SUPPORT)
        asker = who_has_session(connection, cookie, NOW_MS)
    assert asker is not None
    assert seen_by(database, asker) == ["a"]


def test_a_new_password_ends_every_session_and_every_token_of_the_person(database: Database) -> None:
    ann, ben = person(database, "ann"), person(database, "ben")
    with database.writing() as connection:
        cookie = open_session(connection, ann, NOW_MS)
        hers = tokens.add_token(connection, NOW_MS, person_id=ann.id)
        his = tokens.add_token(connection, NOW_MS, person_id=ben.id)
        operators = tokens.add_token(connection, NOW_MS)
        set_password(connection, ann, "a new hash")
        assert who_has_session(connection, cookie, NOW_MS) is None
        assert tokens.find_token(connection, hers, NOW_MS) is None
        assert tokens.find_token(connection, his, NOW_MS) is not None
        assert tokens.find_token(connection, operators, NOW_MS) is not None
        login = find_login(connection, "ann")
    assert login == Login(ann, "a new hash")


def test_an_address_changes_when_its_code_comes_back_and_only_once(database: Database) -> None:
    ann = person(database, "ann")
    with database.writing() as connection:
        stale = email.ask_for_change(connection, ann, "typing@mistake.example", NOW_MS)
        code = email.ask_for_change(connection, ann, " ann@example.org ", NOW_MS)
        assert email.email_of(connection, ann.id) is None
        assert email.confirm_change(connection, stale, NOW_MS) is None
        assert email.confirm_change(connection, code, NOW_MS + email.CODE_MS) is None, "too late"
        assert email.confirm_change(connection, code, NOW_MS) == (ann, "ann@example.org", None)
        assert email.confirm_change(connection, code, NOW_MS) is None
        assert email.email_of(connection, ann.id) == "ann@example.org"


def test_an_address_belongs_to_one_account(database: Database) -> None:
    ann, ben = person(database, "ann"), person(database, "ben")
    for one in (ann, ben):
        with database.writing() as connection:
            code = email.ask_for_change(connection, one, "both@example.org", NOW_MS)
        if one is ann:
            with database.writing() as connection:
                email.confirm_change(connection, code, NOW_MS)
        else:
            with pytest.raises(AlreadyThere), database.writing() as connection:
                email.confirm_change(connection, code, NOW_MS)


@pytest.mark.parametrize(
    "address", ["", "ann", "a@", "@b", "a@b,c@d", "a b@c", "a@b\nBcc: c@d", "Ann <a@b>", "a" * 300 + "@b"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(BridgeError, match="no e-mail address"):
        email.checked_email(address)


def test_an_assignment_to_another_ends_the_sight_of_the_first_and_twice_is_once(database: Database) -> None:
    unit(database, "a")
    ida, ivan = (person(database, name, Role.INSTALLER) for name in ("ida", "ivan"))
    for number, (assigned, seen) in enumerate(((ida, ida), (ida, ida), (ivan, ivan), (ivan, ivan), (ida, ida))):
        with database.writing() as connection:
            assign(connection, "a", assigned, NOW_MS + number)
            assert installer_of(connection, "a") == seen
        for one in (ida, ivan):
            assert seen_by(database, one) == (["a"] if one == seen else [])


def test_the_migration_ends_the_sight_of_those_whose_jobs_are_closed(tmp_path: Path) -> None:
    where = store_at(tmp_path, empty=True)
    before = open_at(where, "0020")
    with before.writing() as connection:
        add_person(connection, "ida", "a hash", Role.INSTALLER, NOW_MS)
        ida_id = connection.execute(text("SELECT id FROM people")).scalar_one()
        jobs: dict[str, list[int | None]] = {
            "none": [],
            "open": [None],
            "closed": [NOW_MS, NOW_MS + 5],
            "both": [NOW_MS, None],
        }
        for unit_id, closed in jobs.items():
            added = "INSERT INTO units (id, secret_hash, claim_hash, created_ms) VALUES (:unit, 'x', :unit, 0)"
            connection.execute(text(added), {"unit": unit_id})
            row = {"unit": unit_id, "person": ida_id, "now": NOW_MS}
            given = "INSERT INTO unit_installers (unit_id, person_id, since_ms) VALUES (:unit, :person, :now)"
            connection.execute(text(given), row)
            for number, closed_ms in enumerate(closed):
                raised = (
                    "INSERT INTO jobs (unit_id, installer_id, raised_ms, reason, once, closed_ms)"
                    " VALUES (:unit, :person, :now, 'x', :once, :closed)"
                )
                connection.execute(text(raised), row | {"once": f"{unit_id}{number}", "closed": closed_ms})
    before.close()
    now = open_database(where)
    with now.reading() as connection:
        query = select(unit_installers.c.unit_id, unit_installers.c.until_ms)
        assert dict(tuple(row) for row in connection.execute(query)) == {
            "none": None,
            "open": None,
            "closed": NOW_MS + 5,
            "both": None,
        }
    now.close()
