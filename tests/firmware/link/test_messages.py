"""Does the unit write exactly the golden samples?"""

import json

import pytest

from firmware.charging.limits import InForce, Ruling
from firmware.link import messages
from tests.firmware.link.stand_ins import Report, SessionRecord


def sample(name):
    with open("tests/samples/%s.json" % name) as file:
        return file.read().strip().encode()


def report(state, amps, power_w, total_wh, faults):
    return Report(state=state, faults=faults, amps=amps, power_w=power_w, total_wh=total_wh)


def test_heartbeat_while_charging():
    said = messages.heartbeat(42, 4, 1767229200, report("C2", 32, 7360, 124180, ()), 17, "23415", 24)
    assert said == sample("heartbeat-charging")


def test_heartbeat_with_a_fault():
    said = messages.heartbeat(58, 4, 1767230100, report("B1", 0, 0, 125010, ("rcd_ac",)), 11, "23430", 33)
    assert said == sample("heartbeat-fault")


def test_heartbeat_tells_who_rules_and_until_when():
    until = Ruling(0, "schedule", "the owner's hours, until 11:00", 1768215600)
    paused = Report("B1", amps=0, total_wh=125010, ruling=until)
    assert messages.heartbeat(13, 8, 1768206060, paused, 18, "23415", 22) == sample("heartbeat-paused-until-off-peak")
    free = Report("C2", amps=32, power_w=7360, total_wh=124180, ruling=Ruling(32, "installer", "", None))
    assert messages.heartbeat(43, 4, 1767229260, free, 17, "23415", 24) == sample("heartbeat-limited-by-installer")


def test_heartbeat_tells_when_the_next_one_comes_if_that_is_not_usual():
    now = Report("C2", amps=32, power_w=7360, total_wh=124300, ruling=Ruling(32, "installer", "", None))
    said = messages.heartbeat(46, 4, 1767229320, now, 17, "23415", 24, interval_s=60)
    assert said == sample("heartbeat-interval")
    assert b'"z"' not in messages.heartbeat(46, 4, 1767229320, now, 17, "23415", 24, interval_s=300)


def test_heartbeat_tells_what_is_in_force_beside_the_ruling():
    limit = InForce(Ruling(16, "cloud", "ordered by the cloud", 1768209720), ("override",), 0)
    now = Report("C2", amps=16, power_w=3680, total_wh=125040, ruling=limit.ruling)
    said = messages.heartbeat(14, 8, 1768206120, now, 18, "23415", 22, in_force=limit)
    assert said == sample("heartbeat-charge-now-limited")
    delayed = InForce(Ruling(0, "schedule", "", 1768215860), (), 200)
    now = Report("B1", amps=0, total_wh=125040, ruling=delayed.ruling)
    said = messages.heartbeat(15, 8, 1768215660, now, 18, "23415", 22, in_force=delayed)
    assert said == sample("heartbeat-random-delay")


@pytest.mark.parametrize("mode, said", [("smart", "smart"), ("link_lost", "smart"), ("standalone", "standalone")])
def test_the_cloud_knows_two_modes(mode, said):
    now = Report(mode=mode)
    assert json.loads(messages.heartbeat(1, 1, None, now, 99, None, 0))["m"] == said


def test_what_is_unknown_is_left_out():
    now = Report(state=None)
    said = json.loads(messages.heartbeat(1, 1, None, now, 99, None, 0))
    assert "t" not in said and "s" not in said and "o" not in said and said["q"] == 99


def test_boot_event_without_time():
    assert messages.event(0, 5, None, "boot", {"cause": "brown_out"}) == sample("event-boot-time-unknown")


def test_fault_event():
    assert messages.event(57, 4, 1767230099, "fault_raised", {"fault": "rcd_ac"}) == sample("event-fault-raised")


def test_network_event():
    decided = {"do": "switch", "o": "23410", "why": "23415 passes no data; 23410 has CSQ 17"}
    said = messages.event(64, 4, 1767230500, "network", decided)
    assert json.loads(said) == json.loads(sample("event-network-decision"))


def test_session():
    record = SessionRecord(7, 0, 10990000, 22140, "unplugged")
    said = json.loads(messages.session(61, 4, 1767240000, 1767229000, 1767239990, record))
    golden = json.loads(sample("session"))
    golden.setdefault("i", 7)
    assert said == golden


def test_results():
    assert messages.result(62, 4, 1767240100, "c-7f3a", True, None) == sample("result-done")
    assert messages.result(63, 4, 1767240200, "c-7f3b", False, "expired") == sample("result-refused")
    limit = InForce(Ruling(16, "cloud", "ordered by the cloud", 1768209720), ("override",), 0)
    assert messages.result(64, 8, 1768206120, "c-7f3c", True, None, limit) == sample("result-in-force")
    delayed = InForce(Ruling(32, "installer", "the lowest ceiling", None), (), 200)
    assert messages.result(65, 8, 1768206180, "c-7f3d", True, None, delayed) == sample("result-random-delay")


def test_a_time_that_is_known_later_is_added():
    record = SessionRecord(7, 0, 10990000, 22140, "unplugged")
    late = messages.timed("session", messages.session(61, 4, None, None, None, record), 1767239990)
    known = messages.session(61, 4, 1767239990, 1767229000, 1767239990, record)
    assert json.loads(late) == json.loads(known)


def test_heartbeat_of_a_unit_in_trouble():
    now = report("A1", 0, 0, 125010, ())
    said = messages.heartbeat(5, 7, 1767231100, now, 18, "23415", 22, ("plain_mqtt", "flash"), 3)
    assert said == sample("heartbeat-troubles")


def test_heartbeat_of_a_unit_of_which_parts_failed():
    now = report("A1", 0, 0, 125010, ())
    said = messages.heartbeat(6, 7, 1767231160, now, 18, "23415", 22, failed_parts=2)
    assert said == sample("heartbeat-parts-failed")


def test_heartbeat_of_a_unit_at_which_installer_codes_were_tried():
    now = report("A1", 0, 0, 125010, ())
    said = messages.heartbeat(7, 7, 1767231220, now, 18, "23415", 22, wrong_codes=4)
    assert said == sample("heartbeat-wrong-codes")
