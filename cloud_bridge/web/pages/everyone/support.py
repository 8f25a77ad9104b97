"""Support: a driver writes, the facts about the charge point are attached automatically, and support answers and calls the
installer.

An open conversation polls for new messages (static/thread.js). It is marked as read when its person has opened it, but not by
HEAD, nor by a prefetch.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from cloud_bridge.app_state import AppState
from cloud_bridge.contact import Contact
from cloud_bridge.faults import in_words
from cloud_bridge.store import conversations, jobs
from cloud_bridge.store.access import Person, Scope, may
from cloud_bridge.store.contact_details import installer_details
from cloud_bridge.store.conversations import MAX_TEXT, READY_MADE, Conversation, Message
from cloud_bridge.store.firmware import told_by
from cloud_bridge.store.ownership import DEFAULT_TIME_ZONE
from cloud_bridge.store.readable import Rows
from cloud_bridge.store.units import Unit, visible_unit, visible_units
from cloud_bridge.web.connections import Reading, Writing
from cloud_bridge.web.errors import NotTheirs
from cloud_bridge.web.form_errors import FORM
from cloud_bridge.web.page import Number, Once, OwnForm, PersonOf, UnitOf, page, render_html, to
from cloud_bridge.web.presentation import job_words
from cloud_bridge.web.presentation.dashboard import Contacts
from cloud_bridge.web.presentation.facts import FACTS_OVER_MS, as_text, facts_of, from_text
from cloud_bridge.web.presentation.job_card import job_card, job_for_owner
from cloud_bridge.web.presentation.looking_back import evidence_of
from cloud_bridge.web.presentation.view import ChargePoint, charge_point
from cloud_bridge.web.security.access import StateDep
from cloud_bridge.web.security.head_as_get import IS_HEAD
from cloud_bridge.web.security.rates import ANSWERS, MESSAGES, use
from cloud_bridge.words import gettext as _
from cloud_bridge.words.catalogues import ENGLISH
from cloud_bridge.words.language import speaking

MAX_PROGRESS = 60  # characters: a digit and two numbers
LISTED_BESIDE = 30  # most conversations in the list beside the one that is shown

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(min_length=1, max_length=MAX_TEXT)]

OwnWords = Annotated[str, Form(max_length=MAX_TEXT)]


@router.get("/support")
def overview(request: Request, app_state: StateDep, connection: Reading, person: PersonOf) -> Response:
    """List the driver's conversations with a form to write, or for support everybody's, the waiting ones first."""
    content = _listed(app_state, connection, person)
    content["units"] = [] if may(person, Scope.SUPPORT) else visible_units(connection, person)
    return page(request, "everyone/support.html", person, **content)


@router.post("/support", dependencies=[OwnForm])
def write(
    request: Request, app_state: StateDep, person: PersonOf, connection: Writing, text: Text, once: Once
) -> Response:
    """Send a message that is about no charge point."""
    return _send(request, app_state, connection, person, None, text, once)


@router.get("/charge-points/{unit_id}/support")
def about_unit(request: Request, app_state: StateDep, connection: Reading, person: PersonOf, unit: UnitOf) -> Response:
    """Show the message and the attached facts before they are sent."""
    point = charge_point(app_state, unit)
    settings = app_state.settings
    content: dict[str, Any] = {
        "unit": unit,
        "text": _first_words(point),
        "facts": _facts(app_state, connection, unit),
        "contacts": Contacts(installer_details(connection, unit.id), settings.maker, settings.help),
        "job_card": job_card(connection, person, unit, app_state.clock.now_ms()),
    }
    return page(request, "everyone/support_unit.html", person, **content)


@router.post("/charge-points/{unit_id}/support", dependencies=[OwnForm])
def write_about_unit(
    request: Request, app_state: StateDep, person: PersonOf, unit: UnitOf, connection: Writing, text: Text, once: Once
) -> Response:
    return _send(request, app_state, connection, person, unit, text, once)


@router.post("/charge-points/{unit_id}/raise", dependencies=[OwnForm])
def raise_unit(
    request: Request,
    app_state: StateDep,
    person: PersonOf,
    unit: UnitOf,
    connection: Writing,
    once: Once,
    text: OwnWords = "",
) -> Response:
    """Send a message with a single tap, for people with other worries. It has their own words if they have typed some."""
    return _send(request, app_state, connection, person, unit, text.strip() or READY_MADE, once)


@router.get("/support/{conversation_id}")
def thread(request: Request, app_state: StateDep, person: PersonOf, conversation_id: Number) -> Response:
    with (
        app_state.database.reading() as connection
    ):  # a transaction of its own: none may be open while the conversation is marked as read
        conversation = _conversation(connection, person, conversation_id)
        content = _news(app_state, connection, person, conversation)
        unit = content["unit"]
        content |= _listed(app_state, connection, person, LISTED_BESIDE)
        content["jobs"] = jobs.jobs_of(connection, person, unit.id) if unit and may(person, Scope.SUPPORT) else []
    _mark_read(request, app_state, person, conversation, content["newest_id"])
    return page(request, "everyone/thread.html", person, **content)


@router.get("/support/{conversation_id}/news")
def news(
    request: Request,
    app_state: StateDep,
    person: PersonOf,
    conversation_id: Number,
    after: Annotated[int, Query(ge=0, lt=2**63)],
    progress: Annotated[str, Query(max_length=MAX_PROGRESS)] = "",
) -> Response:
    """Return what an open page lacks, as a part of a page; 204 if there is nothing. `after` is the newest message that the
    page shows, and `progress` is its mark of the line below the messages."""
    with app_state.database.reading() as connection:
        conversation = _conversation(connection, person, conversation_id)
        content = _news(app_state, connection, person, conversation, after)
    if content["newest_id"] <= after and content["progress"] == progress:
        return Response(status_code=204)
    _mark_read(request, app_state, person, conversation, content["newest_id"])
    return HTMLResponse(render_html(request, "everyone/thread_news.html", person=person, **content))


@router.post("/support/{conversation_id}", dependencies=[OwnForm])
def answer(
    request: Request,
    app_state: StateDep,
    person: PersonOf,
    conversation_id: Number,
    connection: Writing,
    text: Text,
    once: Once,
) -> Response:
    _use_rate(request, person)
    conversation = _conversation(connection, person, conversation_id)
    unit = visible_unit(connection, person, conversation.unit_id) if conversation.unit_id else None
    facts = None if may(person, Scope.SUPPORT) or unit is None else _stored_facts(app_state, connection, unit)
    conversations.send(connection, conversation.id, person, text, facts, once, app_state.clock.now_ms())
    return to(f"/support/{conversation_id}#newest")


def _listed(app_state: AppState, connection: Connection, person: Person, most: int | None = None) -> dict[str, Any]:
    """Return the content of conversation_list.html."""
    return {
        "conversations": conversations.conversations_of(connection, person)[:most],
        "unread": set() if may(person, Scope.SUPPORT) else conversations.with_unread_answers(connection, person),
        "now_ms": app_state.clock.now_ms(),
    }


def _news(
    app_state: AppState, connection: Connection, person: Person, conversation: Conversation, after_id: int = 0
) -> dict[str, Any]:
    """Return the content of thread.html and thread_news.html: the messages after the one with this id, and the line below
    them."""
    found = conversations.read_messages(connection, conversation, after_id)
    unit = visible_unit(connection, person, conversation.unit_id) if conversation.unit_id else None
    zone = unit.time_zone if unit else DEFAULT_TIME_ZONE
    job = None if unit is None else job_for_owner(connection, person, unit)
    return {
        "conversation": conversation,
        "messages": Rows(((_said(message), from_text(message.facts)) for message in found), found.unreadable),
        "newest_id": conversations.newest_message_id(connection, conversation),
        "unit": unit,
        "zone": zone,
        "job": job_words.news_for_driver(job, app_state.clock.now_ms(), zone),
        "progress": f"{conversation.waiting:d}" + ("" if job is None else f".{job.id}.{job.moves}"),
    }


def _said(message: Message) -> Message:
    """Translate the ready-made message: it is stored in English and shown in the reader's language."""
    return message._replace(text=_(READY_MADE)) if message.text == READY_MADE else message


def _mark_read(
    request: Request, app_state: AppState, person: Person, conversation: Conversation, newest_id: int
) -> None:
    """Mark the conversation as read if its person opens it now."""
    is_fetched = IS_HEAD in request.scope or "prefetch" in request.headers.get("Sec-Purpose", "")
    if conversation.person_id != person.id or conversation.read_id >= newest_id or is_fetched:
        return
    with app_state.database.writing() as connection:
        conversations.mark_read(connection, conversation, newest_id)
        request.state.news = conversations.count_news(connection, person)


def _first_words(point: ChargePoint) -> str:
    """Return the suggested beginning of the message, so that a driver with a red light need not find words."""
    if point.heartbeat.faults:
        return _("My charger shows a red light: {faults}. Please help.").format(
            faults=", ".join(map(in_words, point.heartbeat.faults))
        )
    return _(READY_MADE) if point.verdict.contact is Contact.SILENT else ""


def _send(
    request: Request,
    app_state: AppState,
    connection: Connection,
    person: Person,
    unit: Unit | None,
    text: str,
    once: str,
) -> Response:
    _use_rate(request, person)
    now_ms = app_state.clock.now_ms()
    if text == _(READY_MADE):
        text = READY_MADE
    facts = None if unit is None else _stored_facts(app_state, connection, unit)
    about = conversations.conversation_about(connection, person, unit.id if unit else None, now_ms)
    conversations.send(connection, about, person, text, facts, once, now_ms)
    return to(f"/support/{about}#newest")


def _use_rate(request: Request, person: Person) -> None:
    rates = ANSWERS if may(person, Scope.SUPPORT) else MESSAGES
    use(
        request,
        person,
        rates,
        _("Too many messages"),
        _("We have your messages of before. This one was not sent."),
        FORM,
    )


def _stored_facts(app_state: AppState, connection: Connection, unit: Unit) -> str:
    """Return the facts in English, whatever the driver's language, because support reads them later."""
    with speaking(ENGLISH):
        return as_text(_facts(app_state, connection, unit))


def _facts(app_state: AppState, connection: Connection, unit: Unit) -> list[tuple[str, str]]:
    point = charge_point(app_state, unit)
    week = evidence_of(app_state, connection, unit, point.now_ms - FACTS_OVER_MS, point.now_ms)
    told = told_by(connection, unit.id)
    return facts_of(point, week, told)


def _conversation(connection: Connection, person: Person, conversation_id: int) -> Conversation:
    found = conversations.find_conversation(connection, person, conversation_id)
    if found is None:
        raise NotTheirs("conversation")
    return found
