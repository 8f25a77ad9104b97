"""Is every event reported once, with its own number, and with its time as soon as that is known?"""

import json

from firmware.charging.events import SIZE, Ring
from firmware.charging.exchange import Event
from firmware.link.journal import Journal
from firmware.wall_clock import WallClock
from tests.firmware.link.fake_clock import FakeClock


class Box:
    """An outbox in memory."""

    def __init__(self):
        self.records = []
        self.dropped = 0

    def put(self, kind, boot, sequence, body):
        self.records.append(Stored(kind, boot, sequence, body))

    def oldest(self):
        return self.records[0] if self.records else None

    def remove(self, record):
        self.records.remove(record)


class Stored:
    def __init__(self, kind, boot, sequence, body):
        self.kind, self.boot, self.sequence, self.body = kind, boot, sequence, body


def journal(boot=4, box=None):
    clock = FakeClock()
    wall_clock = WallClock(clock)
    ring = Ring()
    return Journal(ring, box or Box(), boot, wall_clock), ring, clock, wall_clock


def told(kept):
    kind, payload = kept.message(kept.oldest())
    kept.acknowledged(kept.oldest())
    return kind, json.loads(payload)


def test_an_event_of_the_control_loop_becomes_a_message():
    kept, ring, clock, wall_clock = journal()
    wall_clock.set(1767230000, "network")
    ring.put(Event(99000, "fault", ("rcd_ac", True)))
    kept.collect()
    assert told(kept) == ("event", {"n": 0, "b": 4, "t": 1767230099, "k": "fault_raised", "d": {"fault": "rcd_ac"}})


def test_each_message_has_a_number_of_its_own():
    kept, ring, clock, wall_clock = journal()
    for _ in range(3):
        kept.note("boot", {})
    heartbeat = kept.next_sequence()
    assert [told(kept)[1]["n"] for _ in range(3)] + [heartbeat] == [0, 1, 2, 3]


def test_the_time_is_added_once_it_is_known():
    kept, ring, clock, wall_clock = journal()
    kept.note("boot", {"cause": "power_on"}, 2000)
    assert "t" not in json.loads(kept.message(kept.oldest())[1])
    clock.now = 60000
    wall_clock.set(1767230060, "network")
    assert told(kept)[1]["t"] == 1767230002


def test_a_record_of_an_earlier_boot_never_gets_the_time_of_this_one():
    box = Box()
    journal(4, box)[0].note("boot", {}, 2000)
    kept, ring, clock, wall_clock = journal(5, box)
    wall_clock.set(1767230000, "network")
    assert "t" not in told(kept)[1]


def test_a_boot_without_a_number_of_its_own_has_sequences_of_its_own():
    first, second = journal(None)[0].next_sequence(), journal(None)[0].next_sequence()
    assert first != second


def test_what_was_dropped_is_told_once_there_is_room_again():
    box = Box()
    kept, ring, clock, wall_clock = journal(4, box)
    kept.note("boot", {})
    box.dropped = 17
    kept.collect()
    assert len(box.records) == 1  # reporting it now would cost another record, endlessly
    assert told(kept)[1]["k"] == "boot"
    assert told(kept)[1]["d"] == {"records": 17}
    assert kept.oldest() is None


def test_what_happened_too_fast_to_be_taken_counts_as_dropped_too():
    kept, ring, clock, wall_clock = journal()
    for _ in range(SIZE + 3):
        ring.put(Event(0, "mode", "smart"))
    kept.collect()
    assert kept.dropped() == 3
    while kept.oldest():
        last = told(kept)[1]
    assert (last["k"], last["d"]) == ("dropped", {"records": 3})


def test_an_answer_is_a_result():
    kept, ring, clock, wall_clock = journal()
    kept.answer("c-1", False, "expired")
    assert told(kept) == ("result", {"n": 0, "b": 4, "id": "c-1", "ok": False, "y": "expired"})


def test_what_is_noted_is_written_down_for_the_security_log_too():
    class Log:
        def __init__(self):
            self.kept = []

        def put(self, *event):
            self.kept.append(event)

    kept, _, clock, wall_clock = journal()
    kept.log = Log()
    wall_clock.set(1767230000, "network")
    kept.note("tamper", {"open": True}, clock.now)
    assert kept.log.kept == [(clock.now, 1767230000, "tamper", {"open": True})]
