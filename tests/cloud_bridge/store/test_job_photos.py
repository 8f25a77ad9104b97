"""Is a photo of a job stored once, by number, and only visible to those to whom the job is open?"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from cloud_bridge.durations import DAY_MS
from cloud_bridge.store import jobs
from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.claims import assign, claim, new_code, release
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.job_moves import move_job
from cloud_bridge.store.job_photos import (
    MOST_PHOTOS,
    NewPhoto,
    TooManyPhotos,
    add_photo,
    photos_of,
    picture_of,
    remove_photo,
)
from cloud_bridge.store.job_states import Move
from cloud_bridge.store.people import add_person, find_person
from cloud_bridge.store.personal import erase, export
from cloud_bridge.store.tables import job_photos
from cloud_bridge.store.units import add_unit
from cloud_bridge.store.upkeep import KEPT, forget, oldest_ends
from tests.cloud_bridge.running import START_MS, store_at

PEOPLE = {
    "dora": Role.DRIVER,
    "nina": Role.DRIVER,
    "ingo": Role.INSTALLER,
    "ivan": Role.INSTALLER,
    "sue": Role.SUPPORT,
    "olga": Role.OPERATOR,
}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Dora's charger, and a job at it that sue has raised with ingo."""
    database = open_database(store_at(tmp_path))
    with database.writing() as connection:
        for name, role in PEOPLE.items():
            add_person(connection, name, "a hash", role, 0)
        claim(connection, person(connection, "dora"), add_unit(connection, "wall", 0).claim_code, START_MS - 1000)
        assign(connection, "wall", person(connection, "ingo"), START_MS - 500)
        jobs.raise_job(connection, "wall", "weak signal", "0", START_MS, person(connection, "sue"))
    yield database
    database.close()


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.writing() as connection:
        yield connection


def person(connection: Connection, name: str) -> Person:
    return find_person(connection, name)


def take(connection: Connection, content: bytes = b"one", at_ms: int = START_MS) -> bool:
    ingo = person(connection, "ingo")
    return add_photo(connection, NewPhoto(1, ingo.id, at_ms, False, content, b"small " + content, b"whole " + content))


def move(connection: Connection, move: Move, name: str = "ingo") -> None:
    who = person(connection, name)
    job = jobs.find_job(connection, person(connection, "sue"), 1)
    assert job is not None
    installer = person(connection, "ivan") if move is Move.ASK else None
    assert move_job(connection, job, who, move, job.moves, START_MS, "x", installer=installer)


def viewers(connection: Connection) -> set[str]:
    """Return who sees the photo: in the list, small and in full, which must agree."""
    found = set()
    for name in PEOPLE:
        who = person(connection, name)
        on_list = [one.id for one in photos_of(connection, who, 1)] == [1]
        for is_thumbnail, content in ((True, b"small one"), (False, b"whole one")):
            seen = picture_of(connection, who, 1, 1, is_thumbnail=is_thumbnail)
            assert seen == (content if on_list else None)
        if on_list:
            found.add(name)
    return found


def test_the_installer_sees_it_while_the_job_is_theirs_and_open(connection: Connection) -> None:
    take(connection)
    always = {"dora", "sue", "olga"}
    assert viewers(connection) == always | {"ingo"}
    move(connection, Move.ASK, "sue")
    assert viewers(connection) == always | {"ivan"}
    move(connection, Move.FINISH, "sue")
    assert viewers(connection) == always


def test_it_goes_when_the_charger_is_given_up_and_no_new_owner_sees_any(connection: Connection) -> None:
    take(connection)
    release(connection, "wall", now_ms=START_MS + 10)
    assert viewers(connection) == set()
    assert connection.execute(select(func.count()).select_from(job_photos)).scalar_one() == 0
    claim(connection, person(connection, "nina"), new_code(connection, "wall"), START_MS + 20)
    assign(connection, "wall", person(connection, "ingo"), START_MS + 30)
    take(connection)  # no page allows this: the job is open, and from a previous owner's time
    for name in PEOPLE:
        assert photos_of(connection, person(connection, name), 1) == []
        assert picture_of(connection, person(connection, name), 1, 2, is_thumbnail=True) is None


def test_it_is_the_owners_to_be_handed_out_and_erased_though_the_job_is_open(connection: Connection) -> None:
    take(connection)
    (row,) = export(connection, person(connection, "dora"))["job_photos"]
    assert bytes.fromhex(row["picture"]) == b"whole one" and "upload_hash" not in row
    assert export(connection, person(connection, "nina"))["job_photos"] == []
    assert erase(connection, person(connection, "nina"))["job_photos"] == 0
    assert erase(connection, person(connection, "dora"))["job_photos"] == 1
    job = jobs.find_job(connection, person(connection, "sue"), 1)
    assert job is not None and job.closed_ms is None


def test_an_installer_who_goes_leaves_it(connection: Connection) -> None:
    take(connection)
    erase(connection, person(connection, "ingo"))
    assert photos_of(connection, person(connection, "dora"), 1)[0].id == 1


def test_the_same_once_more_is_no_second_photo_and_a_ninth_is_none(connection: Connection) -> None:
    for number in range(MOST_PHOTOS):
        assert take(connection, b"%d" % number)
    assert not take(connection, b"3")
    with pytest.raises(TooManyPhotos):
        take(connection, b"another")
    assert len(photos_of(connection, person(connection, "sue"), 1)) == MOST_PHOTOS
    for _ in range(2):
        remove_photo(connection, 1, 4)
    remove_photo(connection, 2, 5)  # of another job
    assert take(connection, b"another")
    assert [one.id for one in photos_of(connection, person(connection, "sue"), 1)] == [1, 2, 3, 5, 6, 7, 8, 9]


def test_it_is_kept_for_a_year_and_goes_a_few_at_a_time(connection: Connection) -> None:
    (kept,) = [one for one in KEPT if one.table is job_photos]
    for number in range(6):
        take(connection, b"%d" % number, START_MS + number)
    assert kept.days == 400
    ends_ms = oldest_ends(connection, kept, None, START_MS + DAY_MS)
    assert ends_ms == [START_MS + 4, START_MS + 6]
    forget(connection, kept, None, ends_ms[0])
    assert [one.id for one in photos_of(connection, person(connection, "sue"), 1)] == [5, 6]
