"""Tables as CSV (RFC 4180) in UTF-8, protected against formula injection. Pure."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from cloud_bridge.words import gettext as _

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # OWASP, CSV Injection
MEDIA_TYPE = "text/csv; charset=utf-8"


def csv_text(heads: Sequence[str], rows: Iterable[Sequence[Any]], unreadable: int) -> str:
    """Format the table. None becomes an empty field. If there are unreadable records, the last line has their number."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(heads)
    writer.writerows([_inert(value) for value in row] for row in rows)
    if unreadable:
        writer.writerow([_("{n} not shown: the stored content is not valid").format(n=unreadable)])
    return text.getvalue()


def _inert(value: Any) -> Any:
    """Prefix a text that a spreadsheet would take for a formula with an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
