"""Pagination of long lists: the query parameter `after`, and the response header `Link` (RFC 8288)."""

from typing import Annotated

from fastapi import Query, Response

PAGE = 500  # rows in one response

AfterNumber = Annotated[
    int, Query(ge=0, lt=2**63, description="Return rows after this number: that of the last row already received.")
]


def lead_on(response: Response, path: str, next_after: int | str | None) -> None:
    """Set the header `Link` to the address of the next page. `next_after` is None on the last page."""
    if next_after is not None:
        response.headers["Link"] = f'<{path}?after={next_after}>; rel="next"'
