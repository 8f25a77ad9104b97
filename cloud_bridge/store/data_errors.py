"""Tell errors of a row's data, which recur with the same data, from errors of the database, which are temporary."""

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

OVER_ONE_ROW = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError)


def is_of_its_data(error: Exception) -> bool:
    """Return whether the row may be at fault, rather than the database or the connection.

    PEP 249 has DataError for an invalid value, and IntegrityError, for example if the unit was removed. An error that
    occurred before the database was reached is a bug of ours with this row.
    """
    if isinstance(error, DBAPIError):
        return isinstance(error, DataError | IntegrityError) and not error.connection_invalidated
    cause = error.orig if isinstance(error, StatementError) else error
    return isinstance(cause, OVER_ONE_ROW) and not isinstance(cause, SQLAlchemyError)
