"""Do identity, trust and the installer's settings only open with the code, and not by guessing, restarts or power cuts?"""

import pytest

from firmware.errors import CommandRefused
from firmware.installer_lock import InstallerLock
from firmware.storage import record_file
from firmware.unlocking import OPEN_MS, TRIES, WAITS_MS, is_same
from tests.firmware.link.fake_clock import FakeClock
from tests.firmware.storage.folder import empty

CODE = "4711-0815"
DAY_MS = 86400000
STEP_MS = 20000


class PowerCut(Exception):
    pass


class CutAt:
    """Settings of a unit whose power is cut while the code is compared."""

    def __getitem__(self, name):
        return self

    def encode(self):
        raise PowerCut


class Desk:
    """A unit whose flash persists."""

    def __init__(self, code=CODE):
        self.folder = empty("tests-installer-lock")
        self.settings = {"installer_code": code}
        self.events = []
        self.restart()

    def restart(self):
        self.clock = FakeClock()
        self.lock = InstallerLock(self.settings, self.clock, self.note, self.folder)

    def note(self, kind, details):
        self.events.append((kind, details))

    def opens(self, code=CODE):
        try:
            self.lock.unlock(code)
        except CommandRefused:
            return False
        return True

    def allows(self, name):
        try:
            self.lock.check((name,))
        except CommandRefused:
            return False
        return True


class CountedWrites:
    """Replaces record_file.save; counts writes, and fails if the flash is worn."""

    def __init__(self):
        self.writes = 0
        self.is_worn = False
        self._save = record_file.save

    def save(self, path, value):
        if self.is_worn:
            raise OSError(28)
        self.writes += record_file.load(path) != value
        self._save(path, value)

    def __enter__(self):
        record_file.save = self.save
        return self

    def __exit__(self, *why):
        record_file.save = self._save


def test_a_unit_without_a_code_is_open():
    desk = Desk("")
    assert desk.allows("installer_max_a") and desk.allows("broker") and desk.opens("") and desk.opens("anything")


def test_identity_trust_and_the_installers_settings_open_with_the_code_for_ten_minutes():
    """[S1-locks]"""
    for name in (
        "id",
        "secret",
        "broker",
        "port",
        "plain_mqtt",
        "apn",
        "authority",
        "installer_max_a",
        "installer_code",
    ):
        desk = Desk()
        assert not desk.allows(name), name
        assert desk.opens() and desk.allows(name)
        desk.clock.now = OPEN_MS
        assert not desk.allows(name)


def test_what_the_owner_may_change_is_not_locked():
    assert all(Desk().allows(name) for name in ("schedule", "random_delay_max_s", "heartbeat_idle_s"))


def test_wrong_codes_are_logged_and_after_three_none_is_taken_for_a_minute():
    """[S1-locks]"""
    desk = Desk()
    assert [desk.opens(code) for code in ("", "0000", CODE[:-1])] == [False] * TRIES
    assert not desk.opens()
    desk.clock.now = WAITS_MS[0]
    assert desk.opens() and desk.lock.wrong == 0
    assert desk.events == [("security", {"what": "wrong installer code", "times": n}) for n in (1, 2, 3)]


def test_a_restart_gives_no_further_guess():
    desk = Desk()
    for _ in range(TRIES):
        desk.opens("guess")
    for _ in range(5):
        desk.restart()
        assert not desk.opens(), "the wait begins again"
    desk.clock.now = WAITS_MS[0]
    assert desk.opens()


def test_restarts_between_guesses_give_no_more_of_them():
    desk, compared = Desk(), 0
    for _ in range(20):
        desk.restart()
        before = len(desk.events)
        desk.opens("guess")
        compared += len(desk.events) - before
    assert compared == TRIES


def test_a_power_cut_between_guess_and_answer_gives_no_free_guess():
    desk = Desk()
    for _ in range(TRIES):
        desk.lock.settings = CutAt()
        with pytest.raises(PowerCut):
            desk.lock.unlock("guess")
        desk.restart()
    assert desk.lock.wrong == TRIES and not desk.opens()


def test_the_wait_doubles_up_to_a_quarter_of_an_hour():
    desk, waits_s = Desk(), []
    for _ in range(TRIES + 6):
        desk.opens("guess")
        try:
            desk.lock.unlock("guess")
        except CommandRefused as refused:
            words = str(refused).split()
        wait_s = int(words[-2]) if words[-1] == "s" else 0
        waits_s.append(wait_s)
        desk.clock.now += wait_s * 1000
    assert waits_s == [0, 60, 120, 240, 480, 900, 900, 900, 900]


def test_a_guesser_does_not_wear_the_flash_out():
    """A guess every 20 s for a day."""
    desk = Desk()
    with CountedWrites() as flash:
        for number in range(DAY_MS // STEP_MS):
            desk.clock.now = number * STEP_MS
            desk.opens("guess")
    assert DAY_MS // WAITS_MS[-1] - 1 <= flash.writes <= 110
    assert len(desk.events) == flash.writes


def test_somebody_with_the_code_does_not_either():
    desk = Desk()
    with CountedWrites() as flash:
        for number in range(DAY_MS // STEP_MS):
            desk.clock.now = number * STEP_MS
            assert desk.opens()
    assert flash.writes == 2


def test_a_wrong_code_closes_it_and_counts():
    desk = Desk()
    assert desk.opens() and not desk.opens("guess")
    assert not desk.allows("broker") and desk.lock.wrong == 1


def test_a_flash_that_takes_nothing_gives_no_guesses():
    desk = Desk()
    with CountedWrites() as flash:
        flash.is_worn = True
        for code in ("guess", CODE):
            with pytest.raises(OSError):
                desk.lock.unlock(code)
    assert not desk.allows("broker") and desk.events == []


def test_a_count_that_cannot_be_read_is_none():
    for damage in (b"", b"\xff" * 40, b"00000000 3"):
        desk = Desk()
        with open(desk.lock.path, "wb") as file:
            file.write(damage)
        desk.restart()
        assert desk.opens()


def test_the_refusal_names_the_setting():
    with pytest.raises(CommandRefused, match="installer_max_a is locked"):
        Desk().lock.check(("schedule", "installer_max_a"))


def test_codes_are_compared_whole():
    assert is_same(CODE, CODE) and is_same("\u00e9", "\u00e9")
    for code in ("", CODE[:-1], CODE + "4", CODE + CODE, "5180-1174", CODE.lower() + " ", "\u00e9" * 9):
        assert not is_same(code, CODE), code
    assert not is_same("aa", "a") and not is_same("a", "aa")
