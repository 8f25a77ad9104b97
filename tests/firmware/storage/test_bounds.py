"""Is each setting taken within its bounds, and what is stored replaced where it is not?"""

import pytest

from firmware.storage.bounds import CODE_MIN, TABLE, taken, too_short, why_not

RANGES = [
    ("port", 1, 65535),
    ("installer_max_a", 6, 80),
    ("fallback_amps", 6, 80),
    ("contactor_fitted_at", -1000000, 10000000),
    ("pilot_gain_permille", 950, 1050),
    ("pilot_zero_mv", -300, 300),
    ("random_delay_max_s", 0, 1800),
    ("heartbeat_idle_s", 5, 3600),
    ("heartbeat_charging_s", 5, 600),
]
LENGTHS = [("id", 36), ("secret", 128), ("broker", 253), ("apn", 50), ("installer_code", 32), ("schedule", 200)]


@pytest.mark.parametrize("name, lowest, highest", RANGES, ids=[row[0] for row in RANGES])
def test_a_number_within_its_bounds(name, lowest, highest):
    assert why_not(name, lowest, {}) is None and why_not(name, highest, {}) is None
    for value in (lowest - 1, highest + 1, str(lowest), float(lowest), True, None):
        assert why_not(name, value, {}) == "needs a whole number from %d to %d" % (lowest, highest), value


@pytest.mark.parametrize("name, longest", LENGTHS, ids=[row[0] for row in LENGTHS])
def test_a_text_of_its_length(name, longest):
    assert why_not(name, "x", {}) is None and why_not(name, "x" * longest, {}) is None
    for value in ("", "x" * (longest + 1), 7, None):
        assert why_not(name, value, {}) == "needs 1 to %d characters" % longest


def test_which_letters_a_text_may_have():
    for letter in " ~":
        assert why_not("apn", letter, {}) is None
    for letter in "\x1f\x7f\n\xe9":
        assert why_not("apn", "a" + letter, {}) == "has a character that is not allowed"
    assert why_not("id", "Aa0_-", {}) is None
    for letter in " ./~\xe9":
        assert why_not("id", "a" + letter, {}) == "has a character that is not allowed"


def test_no_ceiling_is_a_number_and_no_answer_to_a_question():
    assert why_not("fallback_amps", 0, {}) is None and why_not("fallback_amps", False, {}) is not None
    assert why_not("plain_mqtt", False, {}) is None and why_not("plain_mqtt", 0, {}) == "needs true or false"


def test_a_further_check_is_asked_of_what_is_within_the_bounds_alone():
    asked = []
    complaints = {"schedule": lambda text: asked.append(text) or ("no days" if text == "x" else None)}
    assert why_not("schedule", "x", complaints) == "no days" and why_not("schedule", "y", complaints) is None
    assert why_not("schedule", "", complaints) == "needs 1 to 200 characters" and asked == ["x", "y"]
    assert why_not("colour", "x", complaints) == "no such setting"


def test_a_new_code_is_longer_than_an_old_one_may_be():
    assert too_short("installer_code", "x" * CODE_MIN) is None and too_short("apn", "x") is None
    assert too_short("installer_code", "x" * (CODE_MIN - 1)) == "needs at least %d characters" % CODE_MIN


def test_what_is_stored_is_taken_or_else_what_was_good_or_else_the_default():
    stored = {"installer_max_a": 500, "port": 1, "apn": "", "colour": "red", "id": ""}
    good = {"installer_max_a": 16, "apn": "\n", "pilot_zero_mv": 7}
    values, refused = taken(stored, good, {})
    assert (values["installer_max_a"], values["port"], values["apn"]) == (16, 1, "internet")
    assert values["pilot_zero_mv"] == 7 and values["id"] == "", "a default may be stored"
    assert sorted(refused) == ["apn", "colour", "installer_max_a"]
    values, refused = taken({}, {}, {})
    assert values == {name: default for name, (default, _) in TABLE.items()} and refused == []
