"""Does an invitation count once, within its time, for what its maker may grant, and is their number bounded?"""

import pytest
from sqlalchemy import select, text

from cloud_bridge.errors import AlreadyThere, BridgeError
from cloud_bridge.store import invitations, password_resets, personal, upkeep
from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.database import Database
from cloud_bridge.store.invitations import (
    ANSWER_MS,
    INVITATION_MS,
    Invitation,
    answer_stranger,
    find_invitation,
    invite,
    may_invite,
    open_invitations,
    use_invitation,
    withdraw_invitation,
)
from cloud_bridge.store.password_resets import RESET_MS, RESETS_MAX, ask_for_reset, find_reset, use_reset
from cloud_bridge.store.people import add_person, find_person, remove_person
from cloud_bridge.store.tables import invitations as table

NOW_MS = 1_767_225_600_000


@pytest.fixture(autouse=True)
def people(database: Database) -> None:
    with database.writing() as connection:
        for role in Role:
            add_person(connection, role.value, "a hash", role, NOW_MS, f"{role.value}@example.org")


def person(database: Database, role: Role) -> Person:
    with database.reading() as connection:
        return find_person(connection, role.value)


@pytest.mark.parametrize("maker", Role)
def test_who_may_invite_to_what(maker: Role) -> None:
    allowed = {Role.OPERATOR: set(Role), Role.SUPPORT: {Role.DRIVER}}.get(maker, set())
    assert {role for role in Role if may_invite(Person(1, "x", maker), role)} == allowed


def test_an_invitation_counts_once_and_ends_the_others_of_its_address(database: Database) -> None:
    with database.writing() as connection:
        codes = [invite(connection, Role.DRIVER, NOW_MS, address) for address in ("n@b.example", "N@B.example", None)]
        assert find_invitation(connection, codes[0], NOW_MS) == Invitation(Role.DRIVER, "n@b.example", False, None)
        assert use_invitation(connection, codes[0], NOW_MS) is not None
        assert [find_invitation(connection, code, NOW_MS) is not None for code in codes] == [False, False, True]
        assert use_invitation(connection, codes[0], NOW_MS) is None


def test_no_code_is_stored(database: Database) -> None:
    with database.writing() as connection:
        codes = [
            invite(connection, Role.DRIVER, NOW_MS),
            answer_stranger(connection, "n@b.example", None, NOW_MS),
            ask_for_reset(connection, person(database, Role.DRIVER), NOW_MS),
        ]
        rows = [
            str(list(connection.execute(text(f"SELECT * FROM {name}")))) for name in ("invitations", "password_resets")
        ]
    assert not [code for code in codes if str(code) in str(rows)]


@pytest.mark.parametrize("until_ms, asked", [(INVITATION_MS, False), (ANSWER_MS, True)])
def test_an_invitation_ends_in_its_time_and_is_deleted(database: Database, until_ms: int, asked: bool) -> None:
    with database.writing() as connection:
        code = (
            answer_stranger(connection, "n@b.example", None, NOW_MS)
            if asked
            else invite(connection, Role.DRIVER, NOW_MS)
        )
        assert code is not None
        assert find_invitation(connection, code, NOW_MS + until_ms - 1) is not None
        assert find_invitation(connection, code, NOW_MS + until_ms) is None
        kept = next(one for one in upkeep.KEPT if one.table is table)
        assert kept.days == 0
        ends = [upkeep.has_rows(connection, kept, NOW_MS + until_ms + more_ms) for more_ms in (0, 1)]
        assert ends == [False, True]


def test_an_invitation_ends_with_whoever_made_it(database: Database) -> None:
    olga = person(database, Role.OPERATOR)
    with database.writing() as connection:
        code = invite(connection, Role.SUPPORT, NOW_MS, "n@b.example", olga)
        assert [row["email"] for row in personal.export(connection, olga)["invitations"]] == ["n@b.example"]
        remove_person(connection, olga)
        assert find_invitation(connection, code, NOW_MS) is None


def test_nobody_with_an_account_is_invited(database: Database) -> None:
    with database.writing() as connection, pytest.raises(AlreadyThere):
        invite(connection, Role.DRIVER, NOW_MS, "DRIVER@example.org")


def test_each_sees_and_withdraws_their_own_and_an_operator_all_but_answers(database: Database) -> None:
    olga, sue = person(database, Role.OPERATOR), person(database, Role.SUPPORT)
    with database.writing() as connection:
        answer_stranger(connection, "stranger@b.example", None, NOW_MS)
        invite(connection, Role.DRIVER, NOW_MS, "of-sue@b.example", sue)
        invite(connection, Role.DRIVER, NOW_MS, "of-olga@b.example", olga)
        invite(connection, Role.DRIVER, NOW_MS)
        seen = {one: [row.email for row in open_invitations(connection, one, NOW_MS)] for one in (olga, sue)}
        assert seen == {olga: [None, "of-olga@b.example", "of-sue@b.example"], sue: ["of-sue@b.example"]}
        numbers = list(connection.execute(select(table.c.id).order_by(table.c.id)).scalars())
        assert [withdraw_invitation(connection, sue, number) for number in numbers] == [False, True, False, False]
        assert [withdraw_invitation(connection, olga, number) for number in numbers] == [False, False, True, True]
        assert open_invitations(connection, olga, NOW_MS + INVITATION_MS) == []


def test_their_number_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "OPEN_MAX", 2)
    monkeypatch.setattr(invitations, "ANSWERS_MAX", 2)
    sue = person(database, Role.SUPPORT)
    with database.writing() as connection:
        codes = [answer_stranger(connection, f"n{number}@b.example", None, NOW_MS) for number in range(3)]
        assert [code is None for code in codes] == [False, False, True]
        for _ in range(2):
            invite(connection, Role.DRIVER, NOW_MS, None, sue)
        with pytest.raises(BridgeError, match="withdraw some of them"):
            invite(connection, Role.DRIVER, NOW_MS, None, sue)


def test_a_reset_counts_once_for_an_hour_and_a_few_are_open(database: Database) -> None:
    dora = person(database, Role.DRIVER)
    with database.writing() as connection:
        codes = [ask_for_reset(connection, dora, NOW_MS + number) for number in range(RESETS_MAX + 1)]
        found = [find_reset(connection, code, NOW_MS) for code in codes]
        assert found == [None, dora, dora, dora], "the oldest makes room"
        assert find_reset(connection, codes[1], NOW_MS + 1 + RESET_MS) is None
        assert use_reset(connection, codes[1], NOW_MS) == dora
        assert use_reset(connection, codes[1], NOW_MS) is None


@pytest.mark.parametrize(
    "typed, found", [("driver", True), (" Driver@Example.org ", True), ("nobody", False), ("", False), ("%", False)]
)
def test_an_account_is_found_by_name_or_address(database: Database, typed: str, found: bool) -> None:
    with database.reading() as connection:
        called = password_resets.account_called(connection, typed)
    assert (called == person(database, Role.DRIVER)) is found


def test_an_address_comes_before_a_name_that_looks_like_one(database: Database) -> None:
    with database.writing() as connection:
        add_person(connection, "driver@example.org", "a hash", Role.DRIVER, NOW_MS, "eve@example.org")
        called = password_resets.account_called(connection, "driver@example.org")
    assert called == person(database, Role.DRIVER)
