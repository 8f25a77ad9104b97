"""What an error of the database may say: what is wrong, and never with which value.

SQLAlchemy hides the parameters of a statement (hide_parameters), and not what the driver's own text repeats of them:
PostgreSQL adds details, as in "Key (email)=(dora@example.org) already exists" and "Failing row contains (...)", and
quotes what it cannot read, as in 'invalid input syntax for type bigint: "..."'. Errors go into logs, /healthz and the
command line, so this is taken off where they arise.
"""

import re
import sqlite3
from typing import Any

from sqlalchemy import Engine, ExceptionContext, event

DATA_EXCEPTION = "22"  # the class of SQLSTATE whose messages quote values; others quote names of tables and columns
ROOM = "Make room on its disk"
REMEDIES = {  # by SQLSTATE
    "25006": "It takes no writes: CHARGEKEEPER_DATABASE has to name the primary, which is not set to read only",
    "42501": "Its user may not do that: connect as the owner of the tables",
    "53100": ROOM,
}
PRIMARY_CODE = 0xFF  # of an error of SQLite; the rest says more of it
FILE_REMEDIES = {
    sqlite3.SQLITE_FULL: ROOM,
    sqlite3.SQLITE_READONLY: "Make the data folder and the files in it writable for this user",
}
QUOTED = re.compile(r'(["\']).*\1|:.*', re.DOTALL)


def hide_values(engine: Engine) -> None:
    """From now on, for every error of this engine."""
    event.listen(engine, "handle_error", _without_values)


def reason_of(error: Exception) -> str:
    """One line for the log, /healthz and the command line, without the statement and its values."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines()
    return lines[0] if lines else type(cause).__name__


def remedy_of(error: Exception) -> str:
    """What to do about it, as a sentence after the reason; "" where the reason has to do."""
    cause = getattr(error, "orig", None)
    sqlstate = getattr(cause, "sqlstate", None)
    if sqlstate is not None:
        return REMEDIES.get(sqlstate, "")
    return FILE_REMEDIES.get(getattr(cause, "sqlite_errorcode", 0) & PRIMARY_CODE, "")


def _without_values(context: ExceptionContext) -> None:
    error: Any = context.original_exception
    if isinstance(error, UnicodeEncodeError):  # it carries the whole text with it
        error.object, error.start, error.end, error.args = "?", 0, 1, ()
    told = getattr(error, "diag", None)  # psycopg's, which is not imported where the database is a file
    if told is None or told.message_primary is None:
        return  # the driver's own, or the way to the server: neither knows a value
    text = told.message_primary
    if (error.sqlstate or "").startswith(DATA_EXCEPTION):
        text = QUOTED.sub("", text).strip()
    error.args = (text,)
    wrapped = context.sqlalchemy_exception
    if wrapped is not None:
        wrapped.args = (f"({type(error).__module__}.{type(error).__name__}) {text}",)
