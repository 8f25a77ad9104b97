"""Is every line of a log of JSON one object, whatever was said?"""

import json
import logging
import sys

from cloud_bridge.logs import JsonLines


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
