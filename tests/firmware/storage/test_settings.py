"""Is a bad setting refused by name, and does a damaged file never stop a unit?"""

import os

import pytest

from firmware.errors import SettingError
from firmware.storage import record_file
from firmware.storage.bounds import TABLE
from firmware.storage.settings import FILE, Settings

FOLDER = "build/tests-settings"


def fresh():
    for folder in ("build", FOLDER):
        try:
            os.mkdir(folder)
        except OSError:
            pass  # exists from the last run
    for name in os.listdir(FOLDER):
        os.remove(FOLDER + "/" + name)
    return Settings(FOLDER)


def test_every_default_that_is_not_empty_passes_its_own_check():
    for name, (default, check) in TABLE.items():
        assert default == "" or check(default) is None, name


def test_what_was_set_is_there_after_a_restart():
    """[R6] Also the address of another supplier."""
    fresh().change({"id": "CP1", "installer_max_a": 16, "broker": "other.example"})
    again = Settings(FOLDER)
    assert again["broker"] == "other.example"
    assert again["id"] == "CP1" and again["installer_max_a"] == 16 and again["apn"] == "internet"


BAD = [
    ("installer_max_a", 5, "6 to 80"),
    ("installer_max_a", 81, "6 to 80"),
    ("installer_max_a", "16", "whole number"),
    ("installer_max_a", True, "whole number"),
    ("fallback_amps", 5, "6 to 80"),
    ("fallback_amps", 81, "6 to 80"),
    ("fallback_amps", False, "6 to 80"),
    ("id", "a b", "not allowed"),
    ("id", "x" * 37, "1 to 36"),
    ("apn", "", "1 to 50"),
    ("apn", "int\nernet", "not allowed"),
    ("tethered", 1, "true or false"),
    ("installer_code", "4711", "at least 8 characters"),
    ("installer_code", "", "1 to 32"),
    ("colour", "red", "no such setting"),
]


@pytest.mark.parametrize("name, value, why", BAD)
def test_a_bad_value_is_refused_by_name_and_nothing_changes(name, value, why):
    """[S1-inputs]"""
    settings = fresh()
    with pytest.raises(SettingError) as refused:
        settings.change({"broker": "elsewhere", name: value})
    assert name in str(refused.value) and why in str(refused.value)
    assert settings["broker"] == ""
    assert Settings(FOLDER)["broker"] == ""


@pytest.mark.parametrize("stored", [b"", b"{", b"00000000 {}", b"\xff" * 100])
def test_a_damaged_file_gives_the_defaults(stored):
    fresh()
    with open(FOLDER + FILE, "wb") as file:
        file.write(stored)
    assert Settings(FOLDER)["installer_max_a"] == 6, "nobody has commissioned it"


@pytest.mark.parametrize("stored", [b"", b"{", b"00000000 {}", b"\xff" * 100])
def test_a_damaged_file_gives_what_the_unit_has_lived_with(stored):
    """[S1-inputs] Above all, the limit of the circuit."""
    settings = fresh()
    settings.change({"installer_max_a": 16, "id": "CP1"})
    settings.keep_as_good()
    with open(FOLDER + FILE, "wb") as file:
        file.write(stored)
    again = Settings(FOLDER)
    assert again["installer_max_a"] == 16 and again["id"] == "CP1" and again.refused == ["all"]


def test_a_value_of_another_firmware_is_refused_by_name_and_the_last_good_one_holds():
    """[S1-inputs]"""
    settings = fresh()
    settings.change({"installer_max_a": 16, "id": "CP1"})
    settings.keep_as_good()
    record_file.save(FOLDER + FILE, {"installer_max_a": 500, "id": "CP2", "broker": "", "phases": 3})
    again = Settings(FOLDER)
    assert again["installer_max_a"] == 16 and again["id"] == "CP2" and again["broker"] == ""
    assert sorted(again.refused) == ["installer_max_a", "phases"]


def test_a_new_unit_refuses_nothing():
    assert fresh().refused == []


def test_one_stored_value_out_of_bounds_does_not_cost_the_others():
    fresh()
    record_file.save(FOLDER + FILE, {"installer_max_a": 500, "id": "CP1"})
    settings = Settings(FOLDER)
    assert settings["installer_max_a"] == 6 and settings["id"] == "CP1" and settings.refused == ["installer_max_a"]


def test_a_secret_is_never_shown():
    settings = fresh()
    assert settings.shown("secret") == "(not set)"
    settings.change({"secret": "hunter2"})
    assert "hunter2" not in settings.shown("secret")


def test_a_value_that_is_stored_already_costs_no_write():
    fresh().change({"id": "CP1"})
    before = os.stat(FOLDER + FILE)[8]
    Settings(FOLDER).change({"id": "CP1"})
    assert os.stat(FOLDER + FILE)[8] == before


def test_falling_back_to_what_the_unit_has_lived_with():
    settings = fresh()
    assert not settings.fall_back()
    settings.change({"apn": "good"})
    settings.keep_as_good()
    assert not settings.fall_back()
    settings.change({"apn": "bad", "id": "CP1"})
    assert settings.fall_back()
    assert settings["apn"] == "good" and Settings(FOLDER)["apn"] == "good"


def test_settings_that_the_flash_does_not_take_are_not_changed_and_counted():
    settings = Settings("build/no-such-folder")
    with pytest.raises(OSError):
        settings.change({"apn": "other"})
    settings.keep_as_good()
    assert settings["apn"] == "internet" and settings.lost_writes == 2


@pytest.mark.parametrize("amps", [0, 6, 80])
def test_a_ceiling_without_the_load_manager_is_a_current_or_none_at_all(amps):
    settings = fresh()
    settings.change({"fallback_amps": amps})
    assert settings["fallback_amps"] == amps


def test_a_further_check_refuses_by_name_what_the_store_cannot_judge():
    """[S1-inputs]"""
    fresh()
    settings = Settings(FOLDER, {"schedule": lambda text: None if text == "off" else "needs days"})
    settings.change({"schedule": "off"})
    with pytest.raises(SettingError, match="schedule: needs days"):
        settings.change({"schedule": "whenever"})
    assert settings["schedule"] == "off"


def test_a_short_installer_code_of_an_older_firmware_stands():
    fresh()
    record_file.save(FOLDER + FILE, {"installer_code": "4711"})
    settings = Settings(FOLDER)
    assert settings["installer_code"] == "4711" and not settings.refused
    settings.change({"apn": "other"})
    assert Settings(FOLDER)["installer_code"] == "4711"


def test_falling_back_does_not_open_a_unit_and_brings_no_old_code_back():
    settings = fresh()
    settings.change({"installer_max_a": 16})
    settings.keep_as_good()
    settings.change({"installer_code": "first-code"})
    assert not settings.fall_back() and settings["installer_code"] == "first-code"
    settings.keep_as_good()
    settings.change({"installer_code": "other-code", "installer_max_a": 32})
    assert settings.fall_back()
    again = Settings(FOLDER)
    assert (again["installer_code"], again["installer_max_a"]) == ("other-code", 16)
