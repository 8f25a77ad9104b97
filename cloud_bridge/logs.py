"""The log, on standard error: lines for people, or a JSON object a line for whatever collects them. It names no person."""

import json
import logging

from cloud_bridge.clock import iso_utc

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


def write_logs(as_json: bool) -> None:
    """From now on, warnings and worse; also those of the libraries."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if as_json else logging.Formatter(FOR_PEOPLE))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
