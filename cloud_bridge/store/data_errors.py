"""Whose error it is: a value's, which comes again with the same value, or the database's, which passes."""

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

OVER_ONE_ROW = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError)


def is_of_its_data(error: Exception) -> bool:
    """Whether the row may be at fault, and not the database or the way to it.

    PEP 249 puts what is wrong with a value into DataError, and a unit that was removed into IntegrityError. What never
    reached the database is an error of ours over this one row.
    """
    if isinstance(error, DBAPIError):
        return isinstance(error, DataError | IntegrityError) and not error.connection_invalidated
    cause = error.orig if isinstance(error, StatementError) else error
    return isinstance(cause, OVER_ONE_ROW) and not isinstance(cause, SQLAlchemyError)
