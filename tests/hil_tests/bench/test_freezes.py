"""Does the bench of the guard detect a broken promise, and report its counts?"""

from hil_tests.bench.freezes import Freezes


def test_are_two_units_one_figure() -> None:
    """The worst of both, and the sum of the counts."""
    together = Freezes(2, {"unplug": [20.0, 30.0]})
    together.join(Freezes(1, {"unplug": [70.0], "alone": [1010.0]}))
    said = "\n".join(together.report("freezes"))
    assert "as it charges, 3 times" in said and "worst 70.0 ms, limit 100 ms" in said
    assert "worst 1010.0 ms, limit 1200 ms" in said
    assert together.held()


def test_is_a_broken_promise_seen() -> None:
    """Late after a cause, late after a freeze, an interrupted charge, no charge, or nothing at all?"""
    assert not Freezes(1, {"unplug": [100.1]}).held()
    assert not Freezes(1, {"alone": [1200.1]}).held()
    assert Freezes(1, {"alone": [1200.0], "rcd_ac": [100.0]}).held()
    assert not Freezes(1, interrupted=1).held()
    assert not Freezes(1, wrong=["no charge"]).held()
    assert not Freezes().held()
