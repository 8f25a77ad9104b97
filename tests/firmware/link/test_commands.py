"""Is a command carried out once, in time and as intended, and everything else refused with a reason?"""

import json

import pytest

from firmware.link import commands
from firmware.link.commands import Command, Refused

NOW_S = 1767240000
END_S = NOW_S + 160


def sample(name):
    with open("tests/samples/command-%s.json" % name) as file:
        return file.read().strip().encode()


def why(said, time_s=NOW_S, done=()):
    payload = said if isinstance(said, bytes) else json.dumps(said).encode()
    with pytest.raises(Refused) as refused:
        commands.read(payload, time_s, list(done))
    return refused.value.id, refused.value.why


@pytest.mark.parametrize("do", sorted(commands.TABLE))
def test_every_command_has_a_golden_sample_and_understands_it(do):
    assert commands.read(sample(do.replace("_", "-")), NOW_S, []).do == do


def test_a_limit_with_its_arguments():
    assert commands.read(sample("limit"), NOW_S, []) == Command("c-7f3a", "limit", {"amps": 16}, END_S)


@pytest.mark.parametrize("name", ["limit", "pause", "load-manager", "reboot", "rescan"])
def test_expired_unknown_time_and_repeated(name):
    said = json.loads(sample(name))
    assert why(said, time_s=END_S) == (said["id"], "expired")
    assert why(said, time_s=None) == (said["id"], "time unknown")
    assert why(said, done=[said["id"]]) == (said["id"], "repeated")
    assert why(said, time_s=END_S - commands.AHEAD_MAX_S - 1) == (said["id"], "ends more than 7 days ahead")
    del said["exp"]
    assert why(said) == (said["id"], "bad exp")


def test_the_latest_end_is_seven_days_ahead():
    said = {"id": "c", "do": "pause", "exp": NOW_S + commands.AHEAD_MAX_S}
    assert commands.read(json.dumps(said).encode(), NOW_S, []).do == "pause"
    assert why(dict(said, exp=NOW_S)) == ("c", "expired")
    assert commands.read(json.dumps(dict(said, exp=NOW_S + 1)).encode(), NOW_S, []).do == "pause"


@pytest.mark.parametrize("name", ["resume", "update"])
def test_what_needs_no_end_needs_no_time(name):
    assert commands.read(sample(name), None, []).do == name


MALFORMED = [
    (b"", None, "not JSON"),
    (b"\xff\xfe", None, "not JSON"),
    (b"[" * 1000, None, "not JSON"),
    (b"x" * 1961, None, "longer than 1960 bytes"),
    ([1], None, "not an object"),
    ({}, None, "no id of 1 to 64 printable characters"),
    ({"id": 7}, None, "no id of 1 to 64 printable characters"),
    ({"id": "a\n"}, None, "no id of 1 to 64 printable characters"),
    ({"id": "x" * 65}, None, "no id of 1 to 64 printable characters"),
    ({"id": "c"}, "c", "unknown command"),
    ({"id": "c", "do": ["limit"]}, "c", "unknown command"),
    ({"id": "c", "do": "self_destruct"}, "c", "unknown command"),
    ({"id": "c", "do": "limit", "exp": END_S}, "c", "bad amps"),
    ({"id": "c", "do": "limit", "amps": "16", "exp": END_S}, "c", "bad amps"),
    ({"id": "c", "do": "limit", "amps": True, "exp": END_S}, "c", "bad amps"),
    ({"id": "c", "do": "limit", "amps": -1, "exp": END_S}, "c", "bad amps"),
    ({"id": "c", "do": "limit", "amps": 81, "exp": END_S}, "c", "bad amps"),
    ({"id": "c", "do": "pause", "exp": "soon"}, "c", "bad exp"),
    ({"id": "c", "do": "pause", "exp": 1e10}, "c", "bad exp"),
    ({"id": "c", "do": "pause", "exp": -1}, "c", "bad exp"),
    ({"id": "c", "do": "pause", "exp": 2**53 + 1}, "c", "bad exp"),
    ({"id": "c", "do": "pause", "exp": 2**53}, "c", "ends more than 7 days ahead"),
    ({"id": "c", "do": "pause", "exp": 0}, "c", "expired"),
    ({"id": "c", "do": "time", "t": 2**40 + 1}, "c", "bad t"),
    ({"id": "c", "do": "delay", "s": 1801}, "c", "bad s"),
    ({"id": "c", "do": "override"}, "c", "bad on"),
    ({"id": "c", "do": "override", "on": 1}, "c", "bad on"),
    ({"id": "c", "do": "time", "t": 0}, "c", "bad t"),
    ({"id": "c", "do": "config", "set": {}}, "c", "bad set"),
    ({"id": "c", "do": "config", "set": {"\x00": 1}}, "c", "bad set"),
    ({"id": "c", "do": "schedule", "hours": "x" * 257}, "c", "bad hours"),
]


@pytest.mark.parametrize("said, command_id, reason", MALFORMED)
def test_what_is_malformed_is_refused_by_name(said, command_id, reason):
    assert why(said) == (command_id, reason)


def test_what_is_remembered_is_bounded_and_the_newest():
    done: list = []
    for number in range(100):
        done = commands.remember(done, "c-%d" % number)
    assert len(done) == commands.REMEMBERED and done[-1] == "c-99"
