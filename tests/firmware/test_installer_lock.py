"""Do the installer's settings open with the unit's code alone, and not by trying?"""

import pytest

from firmware.errors import CommandRefused
from firmware.installer_lock import OPEN_MS, SHUT_MS, InstallerLock


class FakeClock:
    def __init__(self):
        self.ms = 0

    def now_ms(self):
        return self.ms


class Desk:
    def __init__(self, code="4711"):
        self.clock = FakeClock()
        self.told = []
        self.installer_lock = InstallerLock(
            {"installer_code": code}, self.clock, lambda kind, details: self.told.append((kind, details))
        )

    def opens(self, code):
        try:
            self.installer_lock.unlock(code)
        except CommandRefused:
            return False
        return True

    def allows(self, name):
        try:
            self.installer_lock.check((name,))
        except CommandRefused:
            return False
        return True


def test_a_unit_without_a_code_is_open():
    assert Desk("").allows("installer_max_a")


def test_the_installers_settings_open_with_the_code_for_ten_minutes():
    """[S1-locks]"""
    desk = Desk()
    assert not desk.allows("installer_max_a") and desk.allows("schedule")
    assert desk.opens("4711") and desk.allows("installer_max_a")
    desk.clock.ms = OPEN_MS
    assert not desk.allows("installer_max_a")


def test_wrong_codes_are_logged_and_after_three_none_is_taken_for_a_minute():
    """[S1-locks]"""
    desk = Desk()
    assert [desk.opens(code) for code in ("", "0000", "471")] == [False, False, False]
    assert not desk.opens("4711")
    desk.clock.ms = SHUT_MS
    assert desk.opens("4711")
    assert [kind for kind, _ in desk.told] == ["security"] * 3


def test_the_refusal_names_the_setting():
    with pytest.raises(CommandRefused, match="installer_max_a is locked"):
        Desk().installer_lock.check(("apn", "installer_max_a"))
