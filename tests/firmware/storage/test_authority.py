"""Is a certificate kept only when all of it has come?"""

import binascii

import pytest

from firmware.errors import CommandRefused
from firmware.storage.authority import DER_MAX, Authority
from tests.firmware.storage.test_outbox import FOLDER, fresh

DER = b"\x30\x82\x01\x04" + bytes(260)


def base64(data):
    return binascii.b2a_base64(data).decode().strip()


def given(*pieces):
    fresh()
    authority = Authority(FOLDER)
    authority.begin()
    for piece in pieces:
        authority.add(base64(piece))
    return authority


def test_in_pieces_and_after_a_restart():
    given(DER[:200], DER[200:]).keep()
    assert Authority(FOLDER).der() == DER


def test_without_one_there_is_none():
    assert given().der() is None


@pytest.mark.parametrize("pieces", [(), (DER[:200],), (DER, b"x"), (b"-----BEGIN CERTIFICATE-----",)])
def test_what_is_not_whole_is_not_kept(pieces):
    authority = given(*pieces)
    with pytest.raises(CommandRefused):
        authority.keep()
    assert authority.der() is None


def test_a_bad_new_one_leaves_the_old_one():
    authority = given(DER)
    authority.keep()
    authority.begin()
    authority.add(base64(DER[:9]))
    with pytest.raises(CommandRefused):
        authority.keep()
    assert authority.der() == DER


def test_too_long_is_refused():
    with pytest.raises(CommandRefused):
        given(bytes(DER_MAX), b"x")
