"""Are the results of a CI run parsed correctly, and is nothing called steady that is not?"""

import pytest

from hil_tests.steady.results import LIMIT_MIN, Run, counts, failed, report

OUTPUT = """\
All checks passed!
=================== 4635 passed, 1 skipped in 355.48s (0:05:55) ====================
FAILED hil_tests/ingest/test_parts.py::test_every_unit - AssertionError: never stored
ERROR hil_tests/web/test_night.py::test_ages_grow - TimeoutError
ERROR: this line names no test
FAILED hil_tests/ingest/test_parts.py::test_every_unit - AssertionError: never stored
======= 1 failed, 39 passed, 2 skipped, 1 error in 12.30s ======
== 4 passed in 0.50s ==
"""


def test_the_summaries_are_added_up() -> None:
    assert counts(OUTPUT) == {"passed": 4678, "failed": 1, "error": 1, "skipped": 3}
    assert counts("nothing") == {}


def test_each_failed_test_is_named_once() -> None:
    assert failed(OUTPUT) == (
        "hil_tests/ingest/test_parts.py::test_every_unit",
        "hil_tests/web/test_night.py::test_ages_grow",
    )


@pytest.mark.parametrize(
    ("found", "steady"),
    [
        ({}, True),
        ({"minutes": LIMIT_MIN + 1}, False),
        ({"minutes": LIMIT_MIN + 1, "beside": 2}, True),
        ({"exit_code": 2}, False),
        ({"counts": {"passed": 1, "skipped": 1}}, False),
        ({"counts": {"passed": 1, "failed": 1}}, False),
        ({"counts": {"error": 1}}, False),
        ({"counts": {"passed": 1, "xfailed": 1}}, True),
    ],
)
def test_steady_is_without_failure_and_skip_and_in_time_when_alone(found: dict[str, object], steady: bool) -> None:
    known: dict[str, object] = {
        "number": 1,
        "beside": 0,
        "minutes": 5.0,
        "exit_code": 0,
        "counts": {"passed": 9},
        "failed": (),
    }
    assert Run(**(known | found)).steady is steady  # type: ignore[arg-type]  # each of its own type


def test_the_report_says_how_often_each_test_failed() -> None:
    runs = [Run(number, 0, 5.0, 1, {"failed": 1}, ("a::b",)) for number in (1, 2)]
    assert report(runs)[-2:] == ["0 of 2 steady", "  2 x a::b"]
