"""Is listened time counted for each path and for all paths at once, and never overestimated?"""

from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.contact import OUTAGE_AFTER_MS, Gap, Listened
from cloud_bridge.path_ledger import PathLedger
from cloud_bridge.paths import EVERY, deaf, heard, path_number

NODES = {path_number(name): name for name in ("n1", "n2", "n3")}
N1, N2, N3 = NODES
START_MS = 1_800_000_000_000
marks = st.lists(st.tuples(st.sampled_from((N1, N2, N3)), st.integers(0, 20_000)), max_size=80)


def after(said: list[tuple[int, int]]) -> tuple[dict[int, Listened], int, dict[int, list[int]]]:
    """Return the rows after these canaries with these delays, the time, and when each path was heard."""
    known: dict[int, Listened] = {}
    at_ms, times = START_MS, {N1: list[int](), N2: list[int](), N3: list[int]()}
    for path, passed_ms in said:
        at_ms += passed_ms
        known |= heard(known, path, at_ms, at_ms, NODES, at_ms).rows
        times[path].append(at_ms)
    return known, at_ms, times


def counted_ms(times: list[int]) -> list[tuple[int, int]]:
    """Return the times between two canaries that were in time."""
    return [pair for pair in zip(times, times[1:], strict=False) if pair[1] - pair[0] <= OUTAGE_AFTER_MS]


def test_a_number_stays_with_the_name_of_its_node() -> None:
    assert path_number("n1") == 1_803_115_710, "it stands in stores"
    assert len(NODES) == 3
    assert min(NODES) > EVERY


@given(marks)
def test_a_path_counts_what_lies_between_canaries_in_time(said: list[tuple[int, int]]) -> None:
    known, _, times = after(said)
    for path in NODES:
        total_ms = sum(to_ms - from_ms for from_ms, to_ms in counted_ms(times[path]))
        assert (known[path].total_ms if path in known else 0) == total_ms


@given(marks)
def test_all_at_once_counts_no_time_in_which_any_was_deaf(said: list[tuple[int, int]]) -> None:
    known, _, times = after(said)
    if EVERY not in known:
        assert not all(times.values())
        return
    spans = [counted_ms(times[path]) for path in NODES]
    common_ms = sum(
        max(0, min(a[1], b[1], c[1]) - max(a[0], b[0], c[0])) for a in spans[0] for b in spans[1] for c in spans[2]
    )
    assert known[EVERY].total_ms <= common_ms


def test_while_one_node_is_gone_its_path_and_all_at_once_stand_still() -> None:
    said = [(path, 1000) for _ in range(20) for path in (N1, N2, N3)]
    before, _, _ = after(said)
    without_two = [(path, 1000) for _ in range(40) for path in (N1, N3)]
    during, now_ms, _ = after([*said, *without_two])
    assert during[N2].total_ms == before[N2].total_ms
    assert during[EVERY].total_ms - before[EVERY].total_ms <= 3000
    assert during[N1].total_ms > before[N1].total_ms + 70_000
    assert deaf(during, NODES, now_ms) == ["n2"]
    back = heard(during, N2, now_ms + 1000, 0, NODES, now_ms + 1000)
    assert back.gap == Gap(during[N2].until_ms, now_ms + 1000)
    assert back.rows[EVERY].total_ms == during[EVERY].total_ms


def test_a_canary_that_is_older_than_the_newest_changes_nothing() -> None:
    known = {N1: Listened(START_MS, 5000, START_MS)}
    assert heard(known, N1, START_MS, START_MS, NODES, START_MS).rows == {}
    assert heard(known, N1, START_MS - 1, START_MS, NODES, START_MS).rows == {}


def test_the_ledger_of_a_process_says_what_the_store_has() -> None:
    known, now_ms, _ = after([(path, 1000) for _ in range(20) for path in (N1, N2, N3)])
    ledger = PathLedger([], {}, NODES, START_MS)
    assert ledger.last_ok_ms is None
    assert ledger.shard_listened_ms(N1, now_ms) is None
    ledger.learn([], known, now_ms)
    assert ledger.shard_listened_ms(N1, now_ms) == known[N1].total_ms
    assert ledger.listened_ms(now_ms) == known[EVERY].total_ms
    assert ledger.open_outage(now_ms) is None
    assert ledger.open_outage(now_ms + OUTAGE_AFTER_MS + 1) == Gap(now_ms, now_ms + OUTAGE_AFTER_MS + 1)
    assert ledger.deaf(now_ms) == []
    ledger.heard({N1: known[N1]._replace(until_ms=now_ms + 60_000)})
    assert ledger.deaf(now_ms + 60_000) == ["n2", "n3"]
    assert ledger.open_outage(now_ms + 60_000) is None, "one of them is heard"
    assert set(ledger.open_gaps(now_ms + 60_000)) == set(ledger.paths) - {N1}
