"""Does a simulated charge point send what the product parses, and count as the firmware does?"""

from random import Random

from cloud_bridge.wire import decode
from hil_tests.fleet.charge_point import MAX_RECORDS, ChargePoint, Habits

TIME_S = 1_767_229_200


def test_everything_that_it_says_is_the_wire_format() -> None:
    point, kinds, states, sequences = ChargePoint(9, "23415", Random(1), Habits(2, 4)), set(), set(), []
    point.start(TIME_S)
    for turn in range(200):
        point.live(TIME_S + turn)
        for message in (point.heartbeat(TIME_S + turn), *point.records):
            said = decode(message.kind, message.payload)
            assert (said.boot, said.sequence, said.other) == (9, message.sequence, {})
            kinds.add(message.kind)
            sequences.append(message.sequence)
            if message.kind == "heartbeat":
                states.add(said.get("state"))
                assert message.has_csq == (said.get("csq") != 99)
        point.records.clear()
    assert kinds == {"heartbeat", "event", "session"}
    assert states == {"A1", "B2", "C2"}
    assert sorted(sequences) == list(range(len(sequences)))


def test_the_same_seed_says_the_same() -> None:
    def said(seed: int) -> list[bytes]:
        point = ChargePoint(1, "23415", Random(seed), Habits())
        return [point.heartbeat(TIME_S).payload for _ in range(5)]

    assert said(3) == said(3) != said(4)


def test_records_are_kept_up_to_the_bound_of_the_outbox() -> None:
    point = ChargePoint(1, "23415", Random(1), Habits(1, 1))
    point.start(TIME_S)
    for _ in range(2 * MAX_RECORDS):
        point.live(TIME_S)
    assert len(point.records) == MAX_RECORDS
    assert point.given_up > 0
