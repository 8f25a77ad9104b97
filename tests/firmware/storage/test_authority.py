"""Is a certificate only stored when it has arrived completely, and can two be stored side by side?"""

import binascii

import pytest

from firmware.errors import CommandRefused
from firmware.storage import record_file
from firmware.storage.authority import FILES, Authority
from firmware.storage.authority_change import DER_MAX, enter, keep, keep_next, keep_only, put_first
from tests.firmware.storage.test_outbox import FOLDER, fresh
from tests.firmware.test_authority_commands import sha256s

DER = b"\x30\x82\x01\x04" + bytes(260)


def base64(data):
    return binascii.b2a_base64(data).decode().strip()


def given(*pieces):
    fresh()
    authority = Authority(FOLDER)
    for piece in pieces:
        enter(authority, base64(piece))
    return authority


def test_in_pieces_and_after_a_restart():
    keep(given(DER[:200], DER[200:]))
    assert Authority(FOLDER).certificates() == [DER]


def test_without_one_there_is_none():
    assert given().certificates() == []


@pytest.mark.parametrize("pieces", [(), (DER[:200],), (DER, b"x"), (b"-----BEGIN CERTIFICATE-----",)])
def test_what_is_not_whole_is_not_kept(pieces):
    authority = given(*pieces)
    with pytest.raises(CommandRefused):
        keep(authority)
    assert authority.certificates() == []


def test_a_bad_new_one_leaves_the_old_one():
    authority = given(DER)
    keep(authority)
    enter(authority, base64(DER[:9]))
    with pytest.raises(CommandRefused):
        keep(authority)
    assert authority.certificates() == [DER]


def test_too_long_is_refused():
    with pytest.raises(CommandRefused):
        given(bytes(DER_MAX), b"x")


NEXT, LATER = b"\x30\x82\x01\x05" + bytes(261), b"\x30\x82\x02\x00" + bytes(512)


def two():
    authority = given(DER)
    keep(authority)
    keep_next(authority, NEXT)
    return authority


def test_the_next_one_stands_beside_the_present_one_after_a_restart():
    two()
    assert Authority(FOLDER).certificates() == [DER, NEXT]


def test_the_next_one_beside_the_present_one_alone_is_not_read_again():
    """It is trusted from the command on (authority_change.add)."""
    authority = given(DER)
    keep(authority)
    read = authority.kept
    keep_next(authority, NEXT)
    assert authority.kept == read


def test_another_next_one_takes_the_place_of_the_next_one_and_is_to_be_read_again():
    authority = two()
    read = authority.kept
    keep_next(authority, LATER)
    assert Authority(FOLDER).certificates() == [DER, LATER] and authority.kept == read + 1


def test_the_one_that_verified_a_connection_becomes_the_first():
    authority = two()
    put_first(authority, binascii.unhexlify(sha256s(FOLDER).split(" ")[1]))
    assert Authority(FOLDER).certificates() == [NEXT, DER]


def test_one_is_given_up():
    authority = two()
    present, following = sha256s(FOLDER).split(" ")
    keep_only(authority, binascii.unhexlify(following))
    assert Authority(FOLDER).certificates() == [NEXT] and sha256s(FOLDER) == following != present


def test_one_that_is_entered_on_the_console_replaces_both():
    authority = two()
    enter(authority, base64(LATER))
    keep(authority)
    assert Authority(FOLDER).certificates() == [LATER]


def test_whatever_is_written_the_one_in_use_keeps_its_file():
    authority = two()
    with open(FOLDER + FILES[0], "rb") as file:
        before = file.read()
    keep_next(authority, LATER)
    put_first(authority, binascii.unhexlify(sha256s(FOLDER).split(" ")[1]))
    with open(FOLDER + FILES[0], "rb") as file:
        assert file.read() == before
    keep_next(authority, NEXT)
    assert Authority(FOLDER).certificates() == [LATER, NEXT]


def test_a_damaged_next_one_leaves_the_present_one():
    two()
    record_file.save(FOLDER + FILES[1], 7)
    assert Authority(FOLDER).certificates() == [DER]
