"""Does the unit send the keys of tests/samples/schema.toml within their bounds, and read its commands?"""

import json

import pytest

from firmware.charging import delay, faults, limits, mode, pilot
from firmware.charging.limits import PAUSE_A, Claim, InForce, Ruling
from firmware.commands import CARRY_OUT
from firmware.link import commands, messages
from firmware.link.commands import Refused
from firmware.link.journal import DETAILS
from firmware.storage.bounds import why_not
from tests.firmware.charging.wired import Unit
from tests.firmware.link.stand_ins import SessionRecord
from tests.wire_schema import NUMBERS, SCHEMA, bounds, complaints, keys_of, kinds_of

NOW_S = 1767240000
TROUBLES = ("plain_mqtt", "flash", "contactor_worn")


def names(section, key):
    return bounds(SCHEMA[section][key])[1]


def heartbeat(
    report,
    time_s=NOW_S,
    troubles=TROUBLES,
    dropped=3,
    failed_parts=2,
    wrong_codes=4,
    also=(),
    delay_s=0,
    interval_s=60,
    version="1.4.0",
):
    in_force = InForce(report.ruling, also, delay_s)
    said = messages.heartbeat(
        5,
        7,
        time_s,
        report,
        17,
        "23415",
        24,
        troubles,
        dropped,
        failed_parts,
        wrong_codes,
        in_force,
        interval_s,
        version,
    )
    return json.loads(said)


def test_a_heartbeat_with_everything_has_the_keys_of_the_schema():
    unit = Unit().charge()
    unit.exchange.claims = (Claim("cloud", PAUSE_A, None, "peak", NOW_S + 60),)
    unit.run(1000)
    said = heartbeat(unit.exchange.report, also=limits.CLAIM_SOURCES, delay_s=delay.LONGEST_S)
    assert complaints("heartbeat", said) == []
    assert set(said) == set(keys_of("heartbeat"))


def test_a_heartbeat_fits_the_schema_from_the_first_step_to_a_fault():
    unit = Unit()
    assert complaints("heartbeat", heartbeat(unit.exchange.report, None, (), 0, 0, 0, interval_s=300)) == []
    unit.charge()
    unit.inputs.rcd_ac_trip = True
    unit.run(1000)
    said = heartbeat(unit.exchange.report)
    assert said["f"] == ["rcd_ac"] and complaints("heartbeat", said) == []


def test_the_names_in_a_heartbeat_are_those_of_the_rules():
    assert names("heartbeat", "f") == [fault.name for fault in faults.TABLE]
    states = [band[0] for band in pilot.BANDS_V]
    assert {name[0] for name in names("heartbeat", "s")} == set(states)
    assert set(names("event.mode", "to")) == set(mode.TABLE)
    sources = [source for source, _ in limits.PRIORITY if source not in ("override", "default")]  # those limit nothing
    assert names("heartbeat", "y") == names("result", "by") == [limits.NO_READING.source] + sources
    assert names("heartbeat", "i") == names("result", "i") == list(limits.CLAIM_SOURCES)


def test_records_have_the_keys_of_the_schema():
    record = SessionRecord(7, 0, 10990000, 22140, "unplugged")
    in_force = InForce(Ruling(16, "cloud", "ordered by the cloud", NOW_S), ("override",), 60)
    said = {
        "session": json.loads(messages.session(61, 4, NOW_S, NOW_S - 10990, NOW_S, record)),
        "result": json.loads(messages.result(63, 4, NOW_S, "c-7f3b", False, "expired", in_force)),
        "event": json.loads(messages.event(57, 4, NOW_S, "tamper", {"open": True})),
    }
    for kind, message in said.items():
        assert complaints(kind, message) == []
        assert set(message) == set(keys_of(kind)), kind


HAPPENED = (
    ("fault", ("rcd_ac", True), "fault_raised"),
    ("fault", ("rcd_ac", False), "fault_cleared"),
    ("mode", "link_lost", "mode"),
    ("resumed", 3, "resumed"),
    ("tamper", True, "tamper"),
    ("wake_up", "nudging", "wake_up"),
    ("contactor_rest", 600, "contactor_rest"),
    ("meter_changed", (100000, 5), "meter_changed"),
    ("draws_more", 2, "draws_more"),
)


@pytest.mark.parametrize("kind, what, name", HAPPENED)
def test_an_event_of_the_control_loop_has_the_keys_of_the_schema(kind, what, name):
    told, details = DETAILS[kind](what)
    assert told == name and set(details) == set(keys_of("event." + name))
    assert complaints("event", json.loads(messages.event(1, 1, None, told, details))) == []


def test_every_event_of_the_control_loop_was_looked_at():
    assert {kind for kind, _, _ in HAPPENED} == set(DETAILS)


def command(do, **arguments):
    """Return the command with every argument at its upper bound, or as given."""
    said = {"id": "c-1", "do": do}
    for key, row in keys_of("command." + do).items():
        if key != "do":
            said[key] = at_bound(row, 1) if key != "exp" else NOW_S + 60
    return dict(said, **arguments)


def at_bound(row, end):
    """Return the lowest (0) or highest (1) value that the row allows."""
    ranges, names = bounds(row)
    if row.type in NUMBERS:
        return ranges[0][end]
    text = names[0] if names else "x" * ranges[0][end] if ranges else ""
    return {"flag": bool(end), "text": text, "object": {"heartbeat_idle_s": 600}}[row.type]


def taken(said):
    """Return whether the unit accepts it as a valid command."""
    try:
        commands.read(json.dumps(said), NOW_S, [])
    except Refused:
        return False
    return True


def test_the_commands_are_those_of_the_schema():
    assert set(kinds_of("command")) == set(commands.TABLE) == set(CARRY_OUT)


@pytest.mark.parametrize("do", kinds_of("command"))
def test_a_command_is_read_up_to_its_bounds_and_not_beyond(do):
    rows = keys_of("command." + do)
    must_end, checks = commands.TABLE[do]
    assert ("exp" in rows) == must_end
    assert set(rows) - {"do", "exp"} == set(checks)
    assert taken(command(do)) and complaints("command", command(do)) == []
    if must_end:
        assert not taken(command(do, exp=None))
    for key in checks:
        assert taken(command(do, **{key: at_bound(rows[key], 0)}))
        assert not taken(command(do, **{key: None}))
        if rows[key].type in NUMBERS:
            assert not taken(command(do, **{key: at_bound(rows[key], 0) - 1}))
            assert not taken(command(do, **{key: at_bound(rows[key], 1) + 1}))


def test_the_hours_of_a_schedule_have_the_bound_of_the_setting():
    longest = "x" * bounds(SCHEMA["command.schedule"]["hours"])[0][0][1]
    assert why_not("schedule", longest, {}) is None
    assert why_not("schedule", longest + "x", {})


def test_the_id_of_a_command_has_the_bound_of_the_schema():
    ((lowest, highest),), _ = bounds(SCHEMA["command"]["id"])
    for length in (lowest, highest):
        assert taken(command("resume", id="x" * length))
    for length in (lowest - 1, highest + 1):
        assert not taken(command("resume", id="x" * length))
