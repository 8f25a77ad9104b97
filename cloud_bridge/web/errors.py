"""What ends a request early: each is answered in one place, problems.py."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException

from cloud_bridge.words import gettext as _


class LoginNeeded(Exception):
    """Nobody is logged in; answered with the login page, which leads back to `path`."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class NotTheirs(HTTPException):
    """What is asked for does not exist, or is not visible to who asks: both look the same. `what` is a noun for the answer."""

    def __init__(self, what: str) -> None:
        super().__init__(404, what)


class Refused(Exception):
    """What a person asked for cannot be done; `title` and `meaning` are what they read: the reason, and what to do. Constants
    that are marked for the catalogue are said here, in the language of the person.

    With `field`, the page with the form comes again, with what was typed, and the meaning stands beside that field; "" is the
    form as a whole, and has the title too (form_errors.py). Where several fields may be wrong at once, `problems` has
    the words for each, in the order of the page. Otherwise, and where that page has no place for it, it is a page of its own.
    """

    def __init__(
        self,
        title: str,
        meaning: str,
        status: int = 422,
        field: str | None = None,
        problems: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(title)
        self.title, self.meaning, self.status = _(title), _(meaning), status
        self.problems: Mapping[str, str] = problems or {}
        if problems:
            self.meaning = " ".join([*problems.values(), self.meaning])
        elif field is not None:
            self.problems = {field: self.meaning if field else f"{self.title}. {self.meaning}"}
