"""The HTTP interface to conversations with support: the caller's own or, with the scope `support`, everybody's."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Response
from pydantic import Field

from cloud_bridge.clock import iso_utc
from cloud_bridge.store.access import Scope, may
from cloud_bridge.store.conversations import conversations_after, find_conversation, messages_after
from cloud_bridge.web.api import paging
from cloud_bridge.web.api.paging import AfterNumber, lead_on
from cloud_bridge.web.api.schema import ACCESS_PROBLEMS, NOT_FOUND, Schema, Time
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.security.access import ApiAsker

router = APIRouter(prefix="/api/support/threads", responses=ACCESS_PROBLEMS)

Number = Annotated[int, Path(ge=1, lt=2**63)]


class Thread(Schema):
    """A conversation of one person with support."""

    number: int
    person: Annotated[str, Field(description="Login of the person.")]
    charge_point: Annotated[
        str | None, Field(description="The charge point that the conversation is about; null for any other subject.")
    ]
    newest_at: Time
    waits_for_support: bool


class ThreadList(Schema):
    threads: list[Thread]
    unreadable: Annotated[
        int, Field(description="Number of further conversations left out because their stored content is invalid.")
    ]


class ThreadMessage(Schema):
    number: int
    from_: Annotated[Literal["person", "support"], Field(alias="from")]
    sent_at: Time
    text: str


class MessageList(Schema):
    messages: list[ThreadMessage]
    unreadable: Annotated[
        int, Field(description="Number of further messages left out because their stored content is invalid.")
    ]


@router.get("", response_model=ThreadList)
def list_threads(connection: Reading, asker: ApiAsker, response: Response, after: AfterNumber = 0) -> dict[str, Any]:
    """Return conversations ordered by number, at most 500; the header `Link` has the address of the next page."""
    rows, next_after = conversations_after(connection, asker, after, paging.PAGE)
    lead_on(response, "/api/support/threads", next_after)
    return {
        "threads": [
            {
                "number": one.id,
                "person": one.person,
                "charge_point": one.unit_id,
                "newest_at": iso_utc(one.newest_ms),
                "waits_for_support": one.waiting,
            }
            for one in rows
        ],
        "unreadable": rows.unreadable,
    }


@router.get("/{number}", response_model=MessageList, responses=NOT_FOUND)
def read_thread(
    connection: Reading, asker: ApiAsker, response: Response, number: Number, after: AfterNumber = 0
) -> dict[str, Any]:
    """Return the messages of a conversation, oldest first, at most 500; the header `Link` has the address of the next page."""
    thread = find_conversation(connection, asker, number)
    if thread is None or not (thread.person_id == asker.id or may(asker, Scope.SUPPORT)):
        raise HTTPException(404, "no such thread")
    rows, next_after = messages_after(connection, thread, after, paging.PAGE)
    lead_on(response, f"/api/support/threads/{number}", next_after)
    return {
        "messages": [
            {"number": row.id, "from": _author(row.from_support), "sent_at": iso_utc(row.sent_ms), "text": row.text}
            for row in rows
        ],
        "unreadable": rows.unreadable,
    }


def _author(from_support: bool) -> Literal["person", "support"]:
    return "support" if from_support else "person"
