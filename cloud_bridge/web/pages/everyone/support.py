"""Support: a driver writes, the charge point's facts go along by themselves, support answers and calls the installer."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from cloud_bridge.app_state import AppState
from cloud_bridge.store import conversations, jobs
from cloud_bridge.store.access import Person, Scope, may
from cloud_bridge.store.conversations import MAX_TEXT, READY_MADE, Conversation
from cloud_bridge.store.firmware import contactor_closings, firmware_versions, modem_models
from cloud_bridge.store.units import Unit, visible_unit, visible_units
from cloud_bridge.web.connections import Reading, Writing
from cloud_bridge.web.errors import NotTheirs
from cloud_bridge.web.form_errors import FORM
from cloud_bridge.web.page import Number, Once, OwnForm, PersonOf, UnitOf, page, to
from cloud_bridge.web.presentation.facts import FACTS_OVER_MS, as_text, facts_of, from_text
from cloud_bridge.web.presentation.looking_back import evidence_of
from cloud_bridge.web.presentation.view import charge_point
from cloud_bridge.web.security.access import StateDep
from cloud_bridge.web.security.rates import ANSWERS, MESSAGES, use

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(min_length=1, max_length=MAX_TEXT)]

OwnWords = Annotated[str, Form(max_length=MAX_TEXT)]


@router.get("/support")
def overview(request: Request, app_state: StateDep, connection: Reading, person: PersonOf) -> Response:
    """For a driver their conversations and a way to write; for support everybody's, the waiting ones first."""
    found = conversations.conversations_of(connection, person)
    units = [] if may(person, Scope.SUPPORT) else visible_units(connection, person)
    return page(
        request, "everyone/support.html", person, conversations=found, units=units, now_ms=app_state.clock.now_ms()
    )


@router.post("/support", dependencies=[OwnForm])
def write(
    request: Request, app_state: StateDep, person: PersonOf, connection: Writing, text: Text, once: Once
) -> Response:
    """A message about no charge point in particular."""
    return _send(request, app_state, connection, person, None, text, once)


@router.get("/charge-points/{unit_id}/support")
def about_unit(request: Request, app_state: StateDep, person: PersonOf, unit: UnitOf) -> Response:
    return page(request, "everyone/support_unit.html", person, unit=unit)


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
    """One tap of somebody who has other worries now; with their own words, if they have written some."""
    return _send(request, app_state, connection, person, unit, text.strip() or READY_MADE, once)


@router.get("/support/{conversation_id}")
def thread(request: Request, connection: Reading, person: PersonOf, conversation_id: Number) -> Response:
    conversation = _conversation(connection, person, conversation_id)
    found = conversations.read_messages(connection, conversation)
    unit = visible_unit(connection, person, conversation.unit_id) if conversation.unit_id else None
    unit_jobs = jobs.jobs_of(connection, person, unit.id) if unit and may(person, Scope.SUPPORT) else []
    content: dict[str, Any] = {
        "conversation": conversation,
        "messages": [(message, from_text(message.facts)) for message in found],
        "messages_unreadable": found.unreadable,
        "unit": unit,
        "jobs": unit_jobs,
    }
    return page(request, "everyone/thread.html", person, **content)


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
    facts = None if may(person, Scope.SUPPORT) or unit is None else _facts(app_state, connection, unit)
    conversations.send(connection, conversation.id, person, text, facts, once, app_state.clock.now_ms())
    return to(f"/support/{conversation_id}#newest")


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
    facts = None if unit is None else _facts(app_state, connection, unit)
    about = conversations.conversation_about(connection, person, unit.id if unit else None, now_ms)
    conversations.send(connection, about, person, text, facts, once, now_ms)
    return to(f"/support/{about}#newest")


def _use_rate(request: Request, person: Person) -> None:
    rates = ANSWERS if may(person, Scope.SUPPORT) else MESSAGES
    use(request, person, rates, "Too many messages", "We have your messages of before. This one was not sent.", FORM)


def _facts(app_state: AppState, connection: Connection, unit: Unit) -> str:
    point = charge_point(app_state, unit)
    week = evidence_of(app_state, connection, unit, point.now_ms - FACTS_OVER_MS, point.now_ms)
    firmware, modems = firmware_versions(connection, [unit.id]), modem_models(connection, [unit.id])
    closings = contactor_closings(connection, [unit.id])
    return as_text(facts_of(point, week, firmware.get(unit.id), modems.get(unit.id), closings.get(unit.id)))


def _conversation(connection: Connection, person: Person, conversation_id: int) -> Conversation:
    found = conversations.find_conversation(connection, person, conversation_id)
    if found is None:
        raise NotTheirs("conversation")
    return found
