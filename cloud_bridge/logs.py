"""The log, on standard error: lines for people, or a JSON object a line for whatever collects them. It names no person.

Of each kind of line there are LINES_A_MINUTE; the others are counted, and their number is a line at the end of the minute.
A kind is what the code says, before the values are put in, so nobody outside chooses how much is written.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from cloud_bridge.clock import iso_utc

LINES_A_MINUTE = 10
MINUTE_S = 60.0
MAX_KINDS = 200  # in a minute; all others are one kind
MAX_EXAMPLE = 300  # characters
SECURITY = "cloud_bridge.security_log"  # the logger
FOR_PEOPLE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class JsonLines(logging.Formatter):
    """{"at", "level", "from", "message"}, and "trace" after an exception."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "at": iso_utc(int(record.created * 1000)),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["trace"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


@dataclass(slots=True)
class Lines:
    """Of one kind, in this minute."""

    count: int = 0
    left_out: logging.LogRecord | None = None  # the newest of those that are only counted


class LineLimit:
    """Which lines are written. Pure: times are seconds of a monotonic clock, and never go back."""

    def __init__(self) -> None:
        self._began_s: float | None = None
        self._kinds: dict[tuple[str, str], Lines] = {}

    def admits(self, record: logging.LogRecord, now_s: float) -> bool:
        """Whether to write it. Call `ended` before."""
        if self._began_s is None:
            self._began_s = now_s
        kind = (record.name, str(record.msg))
        if kind not in self._kinds and len(self._kinds) >= MAX_KINDS:
            kind = ("", "")
        lines = self._kinds.setdefault(kind, Lines())
        lines.count += 1
        if lines.count <= LINES_A_MINUTE:
            return True
        lines.left_out = record
        return False

    def ended(self, now_s: float) -> list[logging.LogRecord]:
        """A line for each kind of which some were left out, once the minute is over."""
        if self._began_s is None or now_s - self._began_s < MINUTE_S:
            return []
        kinds, self._kinds, self._began_s = self._kinds, {}, None
        return [_summary(lines.left_out, lines.count) for lines in kinds.values() if lines.left_out is not None]

    @property
    def leaves_out(self) -> bool:
        """Whether `ended` will have something to say."""
        return any(lines.left_out is not None for lines in self._kinds.values())


def _summary(newest: logging.LogRecord, count: int) -> logging.LogRecord:
    text = f"{count - LINES_A_MINUTE:,} more lines in a minute like: {newest.getMessage()[:MAX_EXAMPLE]}"
    return logging.LogRecord(newest.name, newest.levelno, newest.pathname, newest.lineno, text, None, None)


class LimitedHandler(logging.StreamHandler[TextIO]):
    """Writes what LineLimit admits. `call_later` starts a callback after so many seconds."""

    def __init__(
        self,
        stream: TextIO | None = None,
        now_s: Callable[[], float] = time.monotonic,
        call_later: Callable[[float, Callable[[], None]], None] | None = None,
    ) -> None:
        super().__init__(stream)
        self._now_s = now_s
        self._call_later = call_later or _in_a_thread
        self._limit = LineLimit()
        self._is_planned = False

    def emit(self, record: logging.LogRecord) -> None:
        self._write_ended()
        if self._limit.admits(record, self._now_s()):
            super().emit(record)
        elif not self._is_planned:
            self._is_planned = True
            self._call_later(MINUTE_S, self._minute_over)

    def _minute_over(self) -> None:
        """On a thread of its own: it may be that nothing more is logged for hours."""
        with self.lock or threading.RLock():
            self._is_planned = False
            self._write_ended()
            if self._limit.leaves_out:
                self._is_planned = True
                self._call_later(MINUTE_S, self._minute_over)

    def _write_ended(self) -> None:
        for summary in self._limit.ended(self._now_s()):
            super().emit(summary)


def _in_a_thread(after_s: float, call: Callable[[], None]) -> None:
    timer = threading.Timer(after_s, call)
    timer.daemon = True
    timer.start()


def write_logs(as_json: bool) -> None:
    """From now on, warnings and worse, also those of the libraries; and all of the security log."""
    handler = LimitedHandler()
    handler.setFormatter(JsonLines() if as_json else logging.Formatter(FOR_PEOPLE))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger(SECURITY).setLevel(logging.INFO)
