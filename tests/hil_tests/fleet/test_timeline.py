"""Are a run's figures right, second by second and as a whole?"""

from hil_tests.fleet.log import Delivery, Logged, LoggedIn, Sample
from hil_tests.fleet.scenarios import Do, Step
from hil_tests.fleet.timeline import Quantiles, quantiles, speed, timeline

BEGIN_MS = 1_767_229_200_000.0


def delivery(unit: str, at_ms: float, took_ms: float, acknowledged: bool = True) -> Delivery:
    sent_ms = BEGIN_MS + at_ms
    return Delivery(unit, "heartbeat", 1, int(at_ms), True, sent_ms, sent_ms, sent_ms + took_ms, acknowledged)


LOGGED = Logged(
    [delivery("a", 100, 10), delivery("b", 200, 30), delivery("a", 2100, 20), delivery("a", 500, 5, False)],
    [Sample(BEGIN_MS + 50, 1, 0), Sample(BEGIN_MS + 60, 2, 1), Sample(BEGIN_MS + 2050, 1, 1)],
    [LoggedIn("a", BEGIN_MS + 90, 40), LoggedIn("b", BEGIN_MS + 190, 60)],
)
DROP = Step(1.0, Do.DROP)


def test_each_second_has_its_figures() -> None:
    seconds = timeline(LOGGED, BEGIN_MS)
    assert [one.messages for one in seconds] == [2, 0, 1]
    assert [one.logins for one in seconds] == [2, 0, 0]
    assert [(one.connected, one.unacknowledged) for one in seconds] == [(3, 1), (3, 1), (1, 1)]
    assert seconds[0].wait_ms == Quantiles(30, 30, 30)
    assert timeline(Logged(), BEGIN_MS) == []


def test_the_whole_run_has_its_figures() -> None:
    whole = speed(LOGGED, timeline(LOGGED, BEGIN_MS), [DROP], BEGIN_MS, 5)
    assert (whole.messages, whole.busiest, whole.logins, whole.most_logins) == (3, 2, 2, 2)
    assert whole.seconds == 2.01
    assert whole.never == 3
    assert whole.wait_ms.worst == 30
    (back,) = whole.returns
    assert (back.step, back.never) == (DROP, 1)
    assert round(back.after_s.worst, 3) == 1.12


def test_quantiles_are_values_that_occurred() -> None:
    assert quantiles([]) == Quantiles(0, 0, 0)
    assert quantiles([float(value) for value in range(1, 101)]) == Quantiles(51, 100, 100)
    assert quantiles([float(value) for value in range(1, 1001)]) == Quantiles(501, 991, 1000)
