"""Long lists in parts: `after` in the question, `Link` in the answer (RFC 8288)."""

from typing import Annotated

from fastapi import Query, Response

PAGE = 500  # rows of one answer

AfterNumber = Annotated[int, Query(ge=0, lt=2**63, description="the number of the last one already known")]


def lead_on(response: Response, path: str, next_after: int | str | None) -> None:
    """Name the address of the next part, if there is one."""
    if next_after is not None:
        response.headers["Link"] = f'<{path}?after={next_after}>; rel="next"'
