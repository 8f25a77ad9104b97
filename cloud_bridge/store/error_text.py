"""Remove values from the texts of database errors, and say what to do about an error.

SQLAlchemy hides the parameters of a statement (hide_parameters), but the driver's text may repeat them: PostgreSQL adds
details, as in "Key (email)=(dora@example.org) already exists" and "Failing row contains (...)", and quotes invalid
input, as in 'invalid input syntax for type bigint: "..."'. Error texts go to logs, /healthz and the command line, so
values are removed where errors are raised.
"""

import re
import sqlite3
from typing import Any

from sqlalchemy import Engine, ExceptionContext, event

DATA_EXCEPTION = "22"  # SQLSTATE class whose messages quote values; others quote names of tables and columns
ROOM = "Make room on its disk"
REMEDIES = {  # by SQLSTATE
    "25006": "It is read-only: CHARGEKEEPER_DATABASE has to name the primary, without a read-only setting",
    "42501": "Its user has no permission for that: connect as the owner of the tables",
    "53100": ROOM,
}
PRIMARY_CODE = 0xFF  # mask of SQLite's primary result code
FILE_REMEDIES = {
    sqlite3.SQLITE_FULL: ROOM,
    sqlite3.SQLITE_READONLY: "Make the data folder and the files in it writable for this user",
}
QUOTED = re.compile(r'(["\']).*\1|:.*', re.DOTALL)


def hide_values(engine: Engine) -> None:
    """Remove values from every error of this engine."""
    event.listen(engine, "handle_error", _without_values)


def reason_of(error: Exception) -> str:
    """Return an error in one line for the log, /healthz and the command line, without the statement and its values."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines()
    return lines[0] if lines else type(cause).__name__


def remedy_of(error: Exception) -> str:
    """Return what to do about an error, as a sentence to follow the reason, or "" if there is no advice."""
    cause = getattr(error, "orig", None)
    sqlstate = getattr(cause, "sqlstate", None)
    if sqlstate is not None:
        return REMEDIES.get(sqlstate, "")
    return FILE_REMEDIES.get(getattr(cause, "sqlite_errorcode", 0) & PRIMARY_CODE, "")


def _without_values(context: ExceptionContext) -> None:
    error: Any = context.original_exception
    if isinstance(error, UnicodeEncodeError):  # it contains the whole text
        error.object, error.start, error.end, error.args = "?", 0, 1, ()
    told = getattr(error, "diag", None)  # of psycopg, which is not imported with SQLite
    if told is None or told.message_primary is None:
        return  # an error of the driver or the connection, which contains no values
    text = told.message_primary
    if (error.sqlstate or "").startswith(DATA_EXCEPTION):
        text = QUOTED.sub("", text).strip()
    error.args = (text,)
    wrapped = context.sqlalchemy_exception
    if wrapped is not None:
        wrapped.args = (f"({type(error).__module__}.{type(error).__name__}) {text}",)
