"""Does it contain recent recipients, and neither older ones nor too many?"""

from cloud_bridge.lately import Lately

WITHIN_MS = 1000


def test_a_unit_is_known_for_that_time_and_no_longer() -> None:
    lately = Lately(WITHIN_MS)
    lately.add("cp-1", 5000)
    assert lately.has("cp-1", 5000 + WITHIN_MS - 1)
    assert not lately.has("cp-1", 5000 + WITHIN_MS)
    assert not lately.has("cp-2", 5000)


def test_what_is_over_is_not_kept() -> None:
    lately = Lately(WITHIN_MS)
    for number in range(100):
        lately.add(f"cp-{number}", number * WITHIN_MS // 10)
    assert len(lately) == 10
    lately.add("cp-99", 100 * WITHIN_MS)
    assert len(lately) == 1


def test_of_too_many_the_earliest_are_forgotten() -> None:
    lately = Lately(WITHIN_MS, kept=2)
    for unit_id in ("a", "b", "a", "c"):
        lately.add(unit_id, 0)
    assert [unit_id for unit_id in "abc" if lately.has(unit_id, 0)] == ["a", "c"]
