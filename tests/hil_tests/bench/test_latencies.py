"""Does the latency bench combine the figures of several units, and report them correctly?"""

from collections import Counter

from hil_tests.bench.latencies import Latencies


def found(*times: float, steps: dict[int, int] | None = None) -> Latencies:
    """Return the figures of one unit."""
    latencies = Latencies(steps=Counter(steps or {20: 990, 25: 9, 31: 1}), minutes=10)
    for ms in times:
        latencies.add("unplug", ms, ["flash", "AT+CSQ"])
    return latencies


def test_are_two_units_one_figure() -> None:
    """Worst of both, steps of both, the minutes of one?"""
    together = found(10, 12)
    together.join(found(38))
    said = "\n".join(together.report())
    assert "3 injections" in said and "worst 38.0 ms" in said and "2000 in 10.0 min" in said
    assert together.held()


def test_is_the_jitter_a_quantile_of_the_steps() -> None:
    """p50, p99 and the worst, by hand?"""
    assert "p50 20  p99 20  p99.99 31  worst 31 ms" in "\n".join(found(10).report())
    assert "p50 20  p99 25" in "\n".join(found(10, steps={20: 980, 25: 20}).report())


def test_is_a_broken_promise_seen() -> None:
    """Too late, not answered, restarted, or nothing injected at all?"""
    assert not found(40.1).held()
    assert not Latencies().held()
    for broken in ({"missed": ["rcd_ac: not open within 5 s"]}, {"restarts": 1}):
        latencies = found(10)
        latencies.join(Latencies(**broken))
        assert not latencies.held()
    assert "nothing was injected" in Latencies().report()
