"""Is a charger slowed down that repeats a refused frame at once, and no other?"""

from cloud_bridge.ingest.ocpp.error_budget import ERRORS_AT_ONCE, WITHIN_S, ErrorBudget


def test_a_loop_gets_few_and_one_that_asks_now_and_then_gets_all() -> None:
    loop = ErrorBudget()
    assert sum(loop.take(0.01 * number) for number in range(1000)) == ERRORS_AT_ONCE
    assert loop.take(WITHIN_S), "after a minute they are sent again"
    patient = ErrorBudget()
    assert all(patient.take(number * WITHIN_S / ERRORS_AT_ONCE) for number in range(1000))
