"""Is a door taken out when its beat stops, and never because this process itself was suspended?"""

from cloud_bridge.ingest.ocpp.beats import GONE_AFTER_S, LATE_AFTER_S, LOOK_EVERY_S, Beats


def looks(beats: Beats, from_s: float, until_s: float, dead: str = "b") -> dict[str, int]:
    """Look every LOOK_EVERY_S while all doors except `dead` count on. Return the doors gone at the last look."""
    gone: dict[str, int] = {}
    at_s = from_s
    while at_s <= until_s:
        gone = beats.gone({name: 7 if name == dead else int(at_s) for name in ("a", "b")}, at_s)
        at_s += LOOK_EVERY_S
    return gone


def test_one_that_stands_still_is_gone_after_a_while_and_not_before() -> None:
    beats = Beats()
    assert looks(beats, 100, 100 + GONE_AFTER_S) == {}
    assert looks(beats, 102 + GONE_AFTER_S, 102 + GONE_AFTER_S) == {"b": 7}


def test_what_was_seen_before_we_were_away_ourselves_is_forgotten() -> None:
    beats = Beats()
    looks(beats, 100, 100 + GONE_AFTER_S)
    back_s = 101 + GONE_AFTER_S + LATE_AFTER_S
    assert looks(beats, back_s, back_s + GONE_AFTER_S) == {}, "the others may not have been able to count either"
    assert looks(beats, back_s + GONE_AFTER_S + 1, back_s + GONE_AFTER_S + 1) == {"b": 7}


def test_one_that_counts_on_again_or_begins_anew_is_there() -> None:
    beats = Beats()
    looks(beats, 100, 100 + GONE_AFTER_S)
    assert beats.gone({"b": 8}, 102 + GONE_AFTER_S) == {}
    assert beats.gone({}, 104 + GONE_AFTER_S) == {}
    assert beats.gone({"b": 8}, 106 + GONE_AFTER_S) == {}
