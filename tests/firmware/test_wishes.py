"""Which of the owner's commands is in force after a later one, by the unit's own ruling?"""

from tests.firmware.commanded import DELAY_S, CommandedUnit


def charging(hours="off", at_s=12 * 3600):
    unit = CommandedUnit("tests-wishes", hours, at_s)
    unit.plug()
    return unit


def test_a_limit_bounds_an_earlier_charge_now():
    unit = charging()
    unit.command("override", on=True)
    unit.command("limit", for_s=3600, amps=16)
    unit.run(10000)
    assert unit.ruling() == (16, "cloud") and unit.wired.offered_a() == 16


def test_a_pause_ends_an_earlier_charge_now():
    unit = charging()
    unit.command("override", on=True)
    unit.command("pause", for_s=60)
    unit.run(10000)
    assert unit.ruling() == (0, "cloud") and not unit.wired.outputs.contactor
    assert unit.claims.override is None
    unit.run(60000)
    assert unit.ruling() == (32, "installer")


def test_a_limit_below_6_a_is_a_pause_and_ends_charge_now_too():
    unit = charging()
    unit.command("override", on=True)
    unit.command("limit", for_s=60, amps=5)
    unit.run(1000)
    assert unit.ruling() == (0, "cloud") and unit.claims.override is None


def test_charge_now_ends_an_earlier_pause_and_keeps_an_earlier_limit():
    unit = charging()
    unit.command("pause", for_s=3600)
    unit.run(1000)
    unit.command("override", on=True)
    unit.run(1000)
    assert unit.ruling() == (32, "installer")
    unit.command("limit", for_s=3600, amps=10)
    unit.command("override", on=True)
    unit.run(1000)
    assert unit.ruling() == (10, "cloud")


def test_a_charge_now_that_is_refused_ends_no_pause():
    unit = CommandedUnit("tests-wishes")
    unit.run(1000)
    unit.command("pause", for_s=3600)
    assert unit.command("override", on=True)["ok"] is False
    unit.run(1000)
    assert unit.ruling() == (0, "cloud")


def test_a_pause_after_charge_now_is_not_delayed_where_hours_are_kept():
    """[R11d]"""
    unit = charging("default")
    unit.command("override", on=True)
    unit.run(1000)
    unit.command("pause", for_s=3600)
    unit.run(1000)
    assert unit.ruling() == (0, "cloud") and unit.claims.delays == 0


def test_the_button_ends_a_pause_as_charge_now_does():
    unit = charging()
    unit.command("pause", for_s=3600)
    unit.run(1000)
    unit.wired.inputs.button = True
    unit.run(1000)
    unit.wired.inputs.button = False
    unit.run(1000)
    assert unit.ruling() == (32, "installer")


def test_charge_now_sets_the_hours_aside_below_a_limit():
    """[R10f]"""
    unit = charging("default", 9 * 3600)
    assert unit.ruling() == (0, "schedule")
    unit.command("override", on=True)
    unit.command("limit", for_s=3600, amps=16)
    unit.run(1000)
    assert unit.ruling() == (16, "cloud")
    unit.command("override", on=False)
    unit.run(1000)
    assert unit.ruling() == (0, "schedule") or unit.claims.delay.running()


def in_force(result):
    return {key: result[key] for key in ("l", "by", "i", "r") if key in result}


def test_the_result_tells_what_is_in_force_and_until_when():
    unit = charging()
    assert in_force(unit.command("override", on=True)) == {"l": 32, "by": "installer", "i": ["override"]}
    limit = unit.command("limit", for_s=3600, amps=16)
    assert in_force(limit) == {"l": 16, "by": "cloud", "i": ["override"]} and limit["u"] == limit["t"] + 3600
    assert in_force(unit.command("pause", for_s=3600)) == {"l": 0, "by": "cloud"}
    resumed = unit.command("resume")
    assert in_force(resumed) == {"l": 32, "by": "installer"} and "u" not in resumed
    assert in_force(unit.command("delay", s=600)) == {}, "no wish about the current"


def test_a_wish_that_waits_for_the_random_delay_is_not_told_as_in_force():
    """[R11a]"""
    unit = charging("default")
    result = unit.command("limit", for_s=3600, amps=16)
    assert in_force(result) == {"l": 32, "by": "installer", "r": DELAY_S}
    assert in_force(unit.command("skip_delay")) == {"l": 16, "by": "cloud"}


def test_a_refused_charge_now_tells_what_is_in_force_instead():
    unit = CommandedUnit("tests-wishes")
    unit.run(1000)
    unit.command("pause", for_s=3600)
    refused = unit.command("override", on=True)
    assert refused["y"] == "no vehicle" and in_force(refused) == {"l": 0, "by": "cloud"}


def test_before_the_first_reading_nothing_is_told_of_what_is_in_force():
    unit = CommandedUnit("tests-wishes")
    assert in_force(unit.command("resume")) == {}
