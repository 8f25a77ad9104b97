"""The operator's pages for releases and roll-outs: start a roll-out, follow it, stop it."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from cloud_bridge.app_state import AppState
from cloud_bridge.releases.decision import HOUR_MS, SOAK_MS
from cloud_bridge.releases.release_errors import ReleaseError
from cloud_bridge.releases.roll_out_states import RollOutState, UnitState
from cloud_bridge.releases.stop_words import SIGN_NAMES, stop_words
from cloud_bridge.store import releases, roll_outs
from cloud_bridge.store.access import Scope
from cloud_bridge.store.firmware import count_versions
from cloud_bridge.store.roll_out_health import look
from cloud_bridge.store.roll_out_start import Choice, ChosenBy, Wish, start
from cloud_bridge.store.roll_outs import RollOut, count_states, reached_by_hour, total
from cloud_bridge.store.security_events import Kind
from cloud_bridge.web.connections import Reading, Writing
from cloud_bridge.web.errors import NotTheirs
from cloud_bridge.web.form_errors import FORM, explained
from cloud_bridge.web.page import Field, Number, OwnForm, PersonOf, only, page, to
from cloud_bridge.web.presentation.roll_out_view import bar_of, chosen_words, hours_of, rings_of
from cloud_bridge.web.security.access import StateDep
from cloud_bridge.web.security.log import note
from cloud_bridge.words import gettext as _

LONGEST_SOAK_H = 720

router = APIRouter(prefix="/roll-outs", include_in_schema=False, dependencies=[only(Scope.OPERATE)])


@router.get("")
def show_roll_outs(request: Request, app_state: StateDep, connection: Reading, person: PersonOf) -> Response:
    found = releases.list_releases(connection)
    boards_of: dict[str, list[str]] = {}
    for one in found:
        boards_of.setdefault(one.version, []).extend(one.manifest.boards)
    content: dict[str, Any] = {
        "releases": found,
        "boards_of": boards_of,
        "roll_outs": [
            (_said(one), chosen_words(one), bar_of(total(count_states(connection, one.number))))
            for one in roll_outs.list_roll_outs(connection)
        ],
        "versions": count_versions(connection),
        "soak_hours": SOAK_MS // HOUR_MS,
        "longest_soak_h": LONGEST_SOAK_H,
    }
    return page(request, "operator/roll_outs.html", person, **content)


@router.post("", dependencies=[OwnForm])
def start_roll_out(
    request: Request,
    app_state: StateDep,
    connection: Writing,
    person: PersonOf,
    version: Field,
    by: Annotated[ChosenBy, Form()],
    text: Field = "",
    ids: Annotated[str, Form(max_length=40_000)] = "",
    soak_hours: Annotated[int, Form(ge=1, le=LONGEST_SOAK_H)] = SOAK_MS // HOUR_MS,
    required_by: Annotated[str, Form(pattern="^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")] = "",
) -> Response:
    with explained(_("The roll-out was not started"), FORM):
        releases.images_of(connection, version)
        choice = Choice(by, "" if by in (ChosenBy.ALL, ChosenBy.LIST) else text.strip(), ids.split())
        wish = Wish(version, choice, soak_hours * HOUR_MS, _day_ms(required_by))
        number = start(connection, wish, app_state.clock.now_ms())
    note(request, Kind.ROLL_OUT_STARTED, person, f"{number} of {version}")
    return to(f"/roll-outs/{number}")


@router.get("/{number}")
def show_roll_out(
    request: Request, app_state: StateDep, connection: Reading, person: PersonOf, number: Number
) -> Response:
    return page(
        request, "operator/roll_out.html", person, **_content(app_state, connection, _found(connection, number))
    )


@router.post("/{number}/stop", dependencies=[OwnForm])
def stop_roll_out(
    request: Request, app_state: StateDep, connection: Writing, person: PersonOf, number: Number
) -> Response:
    _found(connection, number)
    with explained(_("It was not stopped"), FORM):
        roll_outs.stop(connection, number, f"{person.name} has stopped it", app_state.clock.now_ms())
    note(request, Kind.ROLL_OUT_STOPPED, person, str(number))
    return to(f"/roll-outs/{number}")


def _content(app_state: AppState, connection: Connection, one: RollOut) -> dict[str, Any]:
    now_ms = app_state.clock.now_ms()
    states = count_states(connection, one.number)
    good = reached_by_hour(connection, one.number, UnitState.GOOD)
    axis, bars = hours_of(one, good, now_ms)
    return {
        "one": _said(one),
        "chosen": chosen_words(one),
        "bar": bar_of(total(states)),
        "rings": rings_of(one, states),
        "seen": look(connection, one, now_ms) if one.state is RollOutState.RUNNING else [],
        "sign_names": {sign: _(name) for sign, name in SIGN_NAMES.items()},
        "axis": axis,
        "bars": bars,
        "may_stop": one.state is not RollOutState.STOPPED,
    }


def _said(one: RollOut) -> RollOut:
    """Return the roll-out with the reason why it was stopped in the reader's language."""
    return one._replace(why=stop_words(one.why))


def _found(connection: Connection, number: int) -> RollOut:
    """Return the roll-out. Raises NotTheirs."""
    try:
        return roll_outs.find_roll_out(connection, number)
    except ReleaseError:
        raise NotTheirs("roll-out") from None


def _day_ms(text: str) -> int | None:
    """Return the start of a day in UTC, or None for an empty text. Raises ReleaseError."""
    try:
        return int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp() * 1000) if text else None
    except ValueError as error:
        raise ReleaseError(_("there is no such day")) from error
