"""Is every line of a JSON log one object, whatever was logged, and is the amount bounded?"""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cloud_bridge.logs import LINES_A_MINUTE, MAX_KINDS, MINUTE_S, SECURITY, JsonLines, LimitedHandler, write_logs


def record(message: str, *arguments: object) -> logging.LogRecord:
    made = logging.LogRecord("cloud_bridge.store", logging.WARNING, "", 0, message, arguments, None)
    made.created = 1_767_225_600.5
    return made


def test_a_line_is_an_object() -> None:
    line = JsonLines().format(record("two\nlines and a %s: é", '"quote"'))
    assert "\n" not in line
    assert json.loads(line) == {
        "at": "2026-01-01T00:00:00.500Z",
        "level": "warning",
        "from": "cloud_bridge.store",
        "message": 'two\nlines and a "quote": é',
    }


def test_an_exception_is_in_the_same_line() -> None:
    failed = record("it failed")
    try:
        raise ValueError("why")
    except ValueError:
        failed.exc_info = sys.exc_info()
    line = JsonLines().format(failed)
    assert "\n" not in line
    assert json.loads(line)["trace"].endswith("ValueError: why")


@pytest.fixture
def limited() -> Iterator[tuple[logging.Logger, Callable[[], list[str]], list[float], list[Callable[[], None]]]]:
    """A logger with the handler, its output, the time (for the test to set), and the calls that it has scheduled."""
    stream, now_s, planned = io.StringIO(), [100.0], list[Callable[[], None]]()
    handler = LimitedHandler(stream, lambda: now_s[0], lambda _after_s, call: planned.append(call))
    logger = logging.getLogger("test_logs.limited")
    logger.propagate = False
    logger.addHandler(handler)
    yield logger, lambda: stream.getvalue().splitlines(), now_s, planned
    logger.removeHandler(handler)


def test_a_flood_of_lines_is_a_few_and_their_number(limited: Any) -> None:
    logger, written, now_s, planned = limited
    for number in range(5000):
        logger.warning("closed %d", number)
        logger.warning("something else")
    assert len(written()) == 2 * LINES_A_MINUTE
    assert len(planned) == 1
    now_s[0] += MINUTE_S
    planned.pop()()
    assert written()[-2:] == [
        f"{5000 - LINES_A_MINUTE:,} more lines in a minute like: {line}" for line in ("closed 4999", "something else")
    ]
    logger.warning("closed %d", 5000)
    assert written()[-1] == "closed 5000"
    assert not planned


def test_the_number_of_kinds_is_bounded_too(limited: Any) -> None:
    """The texts of these lines were formatted before logging."""
    logger, written, _, _ = limited
    for number in range(5000):
        logger.warning(f"closed {number}")  # the behaviour under test
    assert len(written()) == MAX_KINDS + LINES_A_MINUTE


def test_the_next_line_tells_the_number_if_it_comes_before_the_thread(limited: Any) -> None:
    logger, written, now_s, planned = limited
    for _ in range(LINES_A_MINUTE + 3):
        logger.warning("again")
    now_s[0] += 2 * MINUTE_S
    logger.warning("another")
    assert written()[-2:] == ["3 more lines in a minute like: again", "another"]
    planned.pop()()
    assert len(written()) == LINES_A_MINUTE + 2


def test_the_security_log_is_written_and_other_information_is_not(caplog: pytest.LogCaptureFixture) -> None:
    security = logging.getLogger(SECURITY)
    before = security.level
    try:
        write_logs(as_json=False)
        security.info("logged in from %s", "192.0.2.1")
        logging.getLogger("cloud_bridge.store").info("a detail")
    finally:
        security.setLevel(before)
    assert caplog.messages == ["logged in from 192.0.2.1"]
