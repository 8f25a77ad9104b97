"""The log on standard error: text, or one JSON object per line for a log collector. It contains no names of people.

Lines are rate-limited by kind: LINES_A_MINUTE of a kind are written, and the number of the others follows in one line
at the end of the minute. A kind is the format string before the values are inserted, so that no peer can control the
volume.
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
MAX_KINDS = 200  # in a minute; all further ones count as one kind
MAX_EXAMPLE = 300  # characters
SECURITY = "cloud_bridge.security_log"  # the logger
FOR_PEOPLE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class JsonLines(logging.Formatter):
    """Formats a record as {"at", "level", "from", "message"}, with "trace" if it has an exception."""

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
    """The lines of one kind in the current minute."""

    count: int = 0
    left_out: logging.LogRecord | None = None  # the newest line that was counted and not written


class LineLimit:
    """Decides which lines are written. Pure: times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._began_s: float | None = None
        self._kinds: dict[tuple[str, str], Lines] = {}

    def admits(self, record: logging.LogRecord, now_s: float) -> bool:
        """Return whether to write the record. Call `ended` first."""
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
        """Once the minute is over, return a summary line for each kind of which lines were left out. Return [] before
        that."""
        if self._began_s is None or now_s - self._began_s < MINUTE_S:
            return []
        kinds, self._kinds, self._began_s = self._kinds, {}, None
        return [_summary(lines.left_out, lines.count) for lines in kinds.values() if lines.left_out is not None]

    @property
    def leaves_out(self) -> bool:
        """Whether `ended` will return a summary."""
        return any(lines.left_out is not None for lines in self._kinds.values())


def _summary(newest: logging.LogRecord, count: int) -> logging.LogRecord:
    text = f"{count - LINES_A_MINUTE:,} more lines in a minute like: {newest.getMessage()[:MAX_EXAMPLE]}"
    return logging.LogRecord(newest.name, newest.levelno, newest.pathname, newest.lineno, text, None, None)


class LimitedHandler(logging.StreamHandler[TextIO]):
    """A handler that writes the lines that LineLimit admits. `call_later` runs a callback after so many seconds."""

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
        """Write the summaries. Runs on a thread of its own, because nothing more may be logged for hours."""
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
    """Set up logging: warnings and above, also of libraries, and the security log from INFO on."""
    handler = LimitedHandler()
    handler.setFormatter(JsonLines() if as_json else logging.Formatter(FOR_PEOPLE))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger(SECURITY).setLevel(logging.INFO)
