"""Is a person found however a phone types their name, and can nobody register a name that looks like another?"""

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from cloud_bridge.errors import AlreadyThere, BridgeError
from cloud_bridge.store.access import Role
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.names import MAX_FORM, appearance, checked, folded
from cloud_bridge.store.people import add_person, find_login, find_person
from cloud_bridge.store.tables import people
from tests.cloud_bridge.old_store import open_at
from tests.cloud_bridge.people import PASSWORD
from tests.cloud_bridge.running import Bridge, store_at

NAMES = ("ann", "José O'Neil", "Ольга", "Straße 5", "山田 太郎", "anna-lena", "d'Ávila")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(store_at(tmp_path))
    yield database
    database.close()


def typed(name: str) -> list[str]:
    """Return the name as phones type it."""
    return [
        name,
        name.upper(),
        name.title(),
        f"{name} ",
        f"  {name}\t",
        name.replace(" ", "\N{NO-BREAK SPACE}"),
        name.replace(" ", "  "),
        name.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}"),
        name.replace("-", "\N{EN DASH}"),
        f"{name}\N{ZERO WIDTH SPACE}",
        unicodedata.normalize("NFD", name),
        unicodedata.normalize("NFKD", name),
        "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in name),  # full width
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_found_as_a_phone_types_it(database: Database, name: str) -> None:
    with database.writing() as connection:
        add_person(connection, name, "a hash", Role.DRIVER, 0)
        for one in typed(name):
            assert find_person(connection, one).name == name, ascii(one)
            login = find_login(connection, one)
            assert login is not None
            assert login.person.name == name
            with pytest.raises(BridgeError, match=r"exists already|no user name"):
                add_person(connection, one, "a hash", Role.DRIVER, 0)


@pytest.mark.parametrize(
    ("name", "alike"),
    [
        ("paypal", "раураl"),  # Cyrillic but for the l: mixed
        ("coco", "сосо"),  # Cyrillic alone
        ("BOB", "ВОВ"),
        ("tota", "τοτα"),  # Greek
        ("HANNA", "ΗΑΝΝΑ"),
        ("ann", "аnn"),  # one Cyrillic letter
        ("Ian", "lan"),
        ("will", "wiII"),
        ("anna1", "annal"),
        ("oscar", "0scar"),
        ("bam", "barn"),
        ("user 7", "user ٧"),  # Arabic-Indic
        ("max", "ᴍᴀx"),  # small capitals
        ("max", "𝓶𝓪𝔁"),  # mathematical
        ("dirk", "dırk"),  # dotless i
        ("yan", "уаn"),
        ("ann", "a\N{COMBINING GRAPHEME JOINER}nn"),
        ("ann", "ann\N{COMBINING LONG STROKE OVERLAY}"),
        ("jose", "josé"),
        ("ann", "a\N{COMBINING DOT ABOVE}nn"),
        ("Андрей", "Андреи"),
        ("ANN", "ꓮꓠꓠ"),  # Lisu
        ("cap", "ᏟᎪᏢ"),  # Cherokee
        ("poop", "ⲣⲟⲟⲣ"),  # Coptic
        ("ooo", "ഠഠഠ"),  # Malayalam
        ("ww", "ѡѡ"),
        ("bb", "ЬЬ"),
        ("cc", "ϲϲ"),
        ("kim", "ĸim"),
        ("anna-lena", "anna−lena"),  # a minus sign
        ("ann", "ann\N{BRAILLE PATTERN BLANK}"),
        ("ann", "ann\N{HANGUL FILLER}"),
        ("d'avila", "d´avila"),
        ("xx", "x×"),
        ("ivan", "İvan"),
    ],
)
def test_nobody_can_be_made_who_looks_like_another(database: Database, name: str, alike: str) -> None:
    with database.writing() as connection:
        add_person(connection, name, "a hash", Role.DRIVER, 0)
        with pytest.raises(BridgeError, match=r"looks like|exists already|mixes letters|no user name"):
            add_person(connection, alike, "a hash", Role.DRIVER, 0)
        assert len(connection.execute(select(people)).all()) == 1


def test_typing_a_name_that_looks_like_another_finds_nobody(database: Database) -> None:
    """A typing error must not erase another person."""
    with database.writing() as connection:
        add_person(connection, "annal", "a hash", Role.DRIVER, 0)
        for other in ("anna1", "аnnal", "annaI"):
            with pytest.raises(BridgeError, match="there is no user"):
                find_person(connection, other)


@pytest.mark.parametrize("name", ["", " ", "\u200b", "a\nb", "a\0b", "x" * 101, "\ufdfa" * 30, "аnn", "ann\u202e"])
def test_what_is_no_name_is_refused(database: Database, name: str) -> None:
    with database.writing() as connection, pytest.raises(BridgeError, match="no user name"):
        add_person(connection, name, "a hash", Role.DRIVER, 0)


@given(st.text(max_size=120))
def test_any_text_is_a_name_with_both_forms_or_is_refused(name: str) -> None:
    try:
        kept = checked(name)
    except BridgeError:
        return
    assert folded(kept) == folded(name)
    for form in (folded, appearance):
        assert 0 < len(form(kept)) <= MAX_FORM
    assert folded(folded(kept)) == folded(kept)


@given(st.sampled_from(NAMES), st.data())
def test_every_way_of_typing_gives_one_form(name: str, data: Any) -> None:
    once = data.draw(st.sampled_from(typed(name)))
    assert folded(data.draw(st.sampled_from(typed(once)))) == folded(name)


def test_a_person_logs_in_as_their_phone_types_it_and_guesses_count_together(bridge: Bridge) -> None:
    bridge.add_person("José", PASSWORD, Role.DRIVER)
    client = bridge.stranger()

    def log_in(name: str, password: str) -> int:
        form = client.get("/login").text.split('name="form" value="')[1].split('"')[0]
        fields = {"name": name, "password": password, "form": form}
        return client.post("/login", data=fields, follow_redirects=False).status_code

    assert log_in("jose\N{COMBINING ACUTE ACCENT} ", PASSWORD) == 303
    answers = {log_in(typed("José")[number % 5], "a guess") for number in range(10)}
    assert answers == {401, 429}, "capitals are no new allowance"


def test_present_duplicates_are_kept_and_found_as_they_are_written(tmp_path: Path) -> None:
    where = store_at(tmp_path, empty=True)
    before = open_at(where, "0012")
    present = ("Ann", "ann", "ANN ", "аnn", "ben", "\u200b")
    with before.writing() as connection:
        for name in present:
            query = "INSERT INTO people (name, password_hash, role, created_ms) VALUES (:name, 'x', 'driver', 0)"
            connection.execute(text(query), {"name": name})
    before.close()
    now = open_database(where)
    with now.writing() as connection:
        assert [find_person(connection, name).name for name in present] == list(present)
        assert find_person(connection, "aNN").name == "Ann", "the oldest of them"
        assert find_person(connection, "BEN ").name == "ben"
        for name in ("aNN", "BEN"):
            with pytest.raises(AlreadyThere):
                add_person(connection, name, "a hash", Role.DRIVER, 0)
    now.close()
