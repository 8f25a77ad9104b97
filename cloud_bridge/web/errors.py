"""Exceptions that end a request early; problems.py turns them into responses."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException

from cloud_bridge.words import gettext as _


class LoginNeeded(Exception):
    """Nobody is logged in. The response is the login page, which leads back to `path`."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class NotTheirs(HTTPException):
    """The requested thing does not exist, or the person may not see it; both look the same. `what` is a noun for the
    response."""

    def __init__(self, what: str) -> None:
        super().__init__(404, what)


class Refused(Exception):
    """The request of a person cannot be carried out. `title` and `meaning` are shown to them: the reason, and what to do.
    Constants that are marked for the catalogue are translated here.

    With `field`, the page with the form is shown again as it was typed, with the meaning beside that field. The field "" is
    the form as a whole, which also shows the title (form_errors.py). If several fields are wrong, `problems` has the text for
    each, in the order of the page. Without a field, or if the page has no place for the problem, the response is a page of its
    own.
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
