"""Can a command of the cloud change the authorities that a unit trusts, and can no command cut the unit off?"""

import binascii
import json

import pytest

from firmware.charge_point import ChargePoint
from firmware.commands import Commands
from firmware.storage import record_file
from firmware.storage.authority import Authority
from firmware.storage.authority_change import confirm, enter, keep, put_first, tell
from tests.firmware.storage.folder import empty

PRESENT = b"\x30\x82\x01\x04" + bytes(260)
NEXT = b"\x30\x82\x01\x05" + bytes(261)
LATER = b"\x30\x82\x02\x00" + bytes(512)
UNUSABLE = b"\x30\x82\x01\x06" + bytes(262)


class Unit(ChargePoint):
    """The part of a charge point that these commands use, and its trust (link/secure.py), which has two authorities."""

    def __init__(self):
        self.folder = empty("tests-authority-commands")
        self.journal = self.wall_clock = self.link = self.trust = self.loaded = self
        self.authority = Authority(self.folder)
        enter(self.authority, binascii.b2a_base64(PRESENT).decode())
        keep(self.authority)
        self.digests = self.stored()
        self.verified = self.digests[0]
        self.told = []
        self.events = []

    def stored(self):
        return [binascii.unhexlify(one) for one in sha256s(self.folder).split(" ")]

    def load_verify_locations(self, der):
        if der == UNUSABLE:
            raise ValueError("invalid cert")

    def flash(self):
        return self.folder

    def now(self):
        return 1767240000

    def note(self, kind, details):
        self.events.append((kind, details["trusts"]))

    def answer(self, command_id, ok, why, in_force=None):
        self.told.append((ok, why))

    def order(self, do, **arguments):
        """Give a command; return its answer."""
        said = dict(arguments, id="a-%d" % len(self.told), do=do)
        Commands(self).take(json.dumps(said).encode())
        return self.told[-1]

    def next(self, der):
        return self.order("authority", der=binascii.b2a_base64(der).decode().strip())

    def certificates(self):
        return Authority(self.folder).certificates()


def sha256s(folder):
    """Return the hashes as the unit reports them."""
    told = []
    tell(Authority(folder), lambda _, details: told.append(details["trusts"]))
    return told[0]


class FlashThatFails:
    """A context in which neither certificates nor their order can be stored."""

    def __enter__(self):
        self._save = record_file.save
        record_file.save = self

    def __call__(self, path, value):
        if "authority" in path:
            raise OSError("no space")
        self._save(path, value)

    def __exit__(self, kind, error, trace):
        record_file.save = self._save


def test_the_next_one_is_stored_beside_the_present_one_and_told():
    unit = Unit()
    assert unit.next(NEXT) == (True, None)
    assert unit.certificates() == [PRESENT, NEXT] and len(unit.digests) == 2
    assert unit.events == [("authority", sha256s(unit.folder))]


def test_another_takes_the_place_of_the_next_one_and_never_of_the_present_one():
    unit = Unit()
    for der in (NEXT, LATER, NEXT):
        assert unit.next(der) == (True, None)
        assert unit.certificates() == [PRESENT, der]


def test_without_tls_none_is_taken():
    unit = Unit()
    unit.verified = None
    assert unit.next(NEXT) == (False, "only over TLS")
    assert not unit.order("authority_only", sha256="")[0]
    assert unit.certificates() == [PRESENT] and unit.events == []


REFUSED = [
    (b"", "not a whole certificate in DER"),
    (NEXT[:-1], "not a whole certificate in DER"),
    (NEXT + b"x", "not a whole certificate in DER"),
    (NEXT + LATER, "not a whole certificate in DER"),
    (b"-----BEGIN CERTIFICATE-----", "not a whole certificate in DER"),
    (UNUSABLE, "not a certificate that TLS can use"),
]


@pytest.mark.parametrize("der, why", REFUSED)
def test_what_is_no_new_certificate_is_refused_and_nothing_changes(der, why):
    unit = Unit()
    unit.next(LATER)
    del unit.events[:]
    assert unit.next(der) == (False, why)
    assert unit.certificates() == [PRESENT, LATER] and len(unit.digests) == 2 and unit.events == []


@pytest.mark.parametrize("der", [PRESENT, NEXT])
def test_one_that_is_trusted_already_changes_nothing_and_is_told_again(der):
    """As after a lost answer, or if the cloud was restored from an old backup."""
    unit = Unit()
    unit.next(NEXT)
    del unit.events[:]
    assert unit.next(der) == (True, None)
    assert unit.certificates() == [PRESENT, NEXT] and len(unit.digests) == 2
    assert unit.events == [("authority", sha256s(unit.folder))]


def test_what_is_not_base64_is_refused():
    assert Unit().order("authority", der="x") == (False, "not base64")


def test_one_that_the_flash_does_not_take_is_not_trusted():
    unit = Unit()
    with FlashThatFails():
        assert unit.next(NEXT) == (False, "flash write failed")
    assert len(unit.digests) == 1


def test_the_old_one_is_given_up_over_a_connection_of_the_new_one_only():
    unit = Unit()
    unit.next(NEXT)
    present, following = sha256s(unit.folder).split(" ")
    why = "this connection was not verified by that authority"
    assert unit.order("authority_only", sha256=following) == (False, why)
    put_first(unit.authority, unit.stored()[1])
    unit.digests = unit.stored()
    unit.verified = unit.digests[0]
    assert unit.order("authority_only", sha256=present) == (False, why)
    assert unit.certificates() == [NEXT, PRESENT]
    assert unit.order("authority_only", sha256=following) == (True, None)
    assert unit.certificates() == [NEXT] and unit.digests == [unit.verified]
    assert unit.events[-1] == ("authority", following)


def test_the_new_one_may_be_given_up_too_while_the_old_one_verifies():
    """The command was a mistake."""
    unit = Unit()
    unit.next(NEXT)
    assert unit.order("authority_only", sha256=sha256s(unit.folder).split(" ")[0]) == (True, None)
    assert unit.certificates() == [PRESENT]


def test_the_new_one_that_has_verified_a_connection_is_the_first_and_told_once():
    unit = Unit()
    unit.next(NEXT)
    unit.digests = unit.stored()
    unit.verified = unit.digests[1]
    confirm(unit, unit.note)
    assert unit.certificates() == [NEXT, PRESENT] and unit.digests == unit.stored()
    assert unit.events[1:] == [("authority", sha256s(unit.folder))]


def test_a_flash_that_fails_leaves_the_order_and_the_next_connection_tries_again():
    unit = Unit()
    unit.next(NEXT)
    unit.digests = unit.stored()
    unit.verified = unit.digests[1]
    with FlashThatFails():
        confirm(unit, unit.note)
    assert unit.certificates() == [PRESENT, NEXT] and len(unit.events) == 1
    confirm(unit, unit.note)
    assert unit.certificates() == [NEXT, PRESENT] and len(unit.events) == 2
