"""Personal data: export and erase everything that is stored about one person.

RULES has an entry for every table. A row belongs to a person if it names them, if it depends on a row that does, or if
it is about a charge point in the time in which they owned it (ownership.py); membership does not count. Hashes,
encrypted values and the identifiers of passkeys are never exported.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, delete, or_, select, update

from cloud_bridge.store.access import Person
from cloud_bridge.store.ownership import Owned, end_ownerships, owned_in, periods_of
from cloud_bridge.store.release_tables import release_boards, releases, roll_out_units, roll_outs, update_bytes
from cloud_bridge.store.row_order import lock_in_order
from cloud_bridge.store.tables import (
    alert_choices,
    alert_cursors,
    alert_wishes,
    alerts,
    authorities,
    clock_steps,
    commands,
    commissionings,
    contact_details,
    contact_gaps,
    contacts,
    conversations,
    duplicate_identities,
    email_changes,
    events,
    firmware_counts,
    heartbeats,
    invitations,
    job_customers,
    job_events,
    job_photos,
    jobs,
    known_devices,
    listening,
    listening_gaps,
    member_invitations,
    members,
    messages,
    metadata,
    northbound,
    ocpp_doors,
    ocpp_frames,
    ocpp_lines,
    ocpp_settings,
    over_quota,
    ownerships,
    passkeys,
    password_resets,
    pending_logins,
    people,
    power,
    presence,
    push_browsers,
    recovery_codes,
    rejected_messages,
    results,
    retention,
    rolled_up,
    second_factors,
    security_events,
    sessions,
    signal,
    signal_5min,
    signal_hourly,
    tariffs,
    tokens,
    totals,
    transitions,
    unit_installers,
    units,
    unknown_clients,
    user_handles,
    verified_time,
    web_sessions,
)
from cloud_bridge.store.vehicle_tables import account_grants, ready_plans, vehicle_attempts, vehicles

SECRET = (
    "_hash",
    "sealed",
    "secret",
    "nonce",
    "verifier",
    "credential",
    "public_key",
    "handle",
)  # parts of column names
EVIDENCE = (
    signal,
    signal_5min,
    signal_hourly,
    contact_gaps,
    transitions,
    duplicate_identities,
)  # tables that an open job needs and that name nobody

WORDLESS = dict.fromkeys(("report_name", "report", "report_before_name", "report_before"), None) | {"reason": ""}

OF_ALL_TIMES = frozenset(  # columns about the whole life of a charge point, not only about the person's time
    {units.c.first_contact_ms, units.c.authorities, contacts.c.messages, contacts.c.bad_payloads, contacts.c.operator}
)

Rule = Callable[[int, Sequence[Owned]], ColumnElement[bool]]  # of person id and their periods


def _names(column: Column[Any]) -> Rule:
    """Return the rule that the row names the person."""
    return lambda person_id, _: column == person_id


def _of_their_time(table: Table) -> Rule:
    """Return the rule that the row is about a unit in a period in which it was theirs."""
    return lambda _, periods: owned_in(table, periods)


def _of_their_unit(table: Table) -> Rule:
    """Return the rule that the row belongs to a unit that is theirs now."""
    return lambda person_id, _: table.c.unit_id.in_(select(units.c.id).where(units.c.owner_id == person_id))


def _commanded(person_id: int, _: Sequence[Owned]) -> ColumnElement[bool]:
    """Return the condition that they gave the command, and not to a unit that belonged to somebody else then. A
    member's command belongs to the owner; if the member is erased, it stays and names nobody."""
    others = (
        select(ownerships.c.id)
        .where(
            ownerships.c.unit_id == commands.c.unit_id,
            ownerships.c.person_id != person_id,
            ownerships.c.from_ms <= commands.c.given_ms,
            or_(ownerships.c.until_ms.is_(None), ownerships.c.until_ms > commands.c.given_ms),
        )
        .exists()
    )
    return and_(commands.c.person_id == person_id, ~others)


def _of(column: Column[Any], parent: Table, owner: Column[Any]) -> Rule:
    """Return the rule that the row depends on a row of `parent` that names the person."""
    return lambda person_id, _: column.in_(select(parent.c.id).where(owner == person_id))


RULES: dict[Table, tuple[Rule, ...]] = {  # a row is theirs if any rule applies; without rules it is nobody's
    people: (_names(people.c.id),),
    units: (_names(units.c.owner_id),),
    ownerships: (_names(ownerships.c.person_id),),
    email_changes: (_names(email_changes.c.person_id),),
    invitations: (_names(invitations.c.made_by),),
    password_resets: (_names(password_resets.c.person_id),),
    web_sessions: (_names(web_sessions.c.person_id),),
    known_devices: (_names(known_devices.c.person_id),),
    second_factors: (_names(second_factors.c.person_id),),
    recovery_codes: (_names(recovery_codes.c.person_id),),
    pending_logins: (_names(pending_logins.c.person_id),),
    user_handles: (_names(user_handles.c.person_id),),
    passkeys: (_names(passkeys.c.person_id),),
    tokens: (_names(tokens.c.person_id),),
    contact_details: (_names(contact_details.c.person_id),),
    unit_installers: (_names(unit_installers.c.person_id),),  # as the installer
    tariffs: (_of_their_unit(tariffs),),
    northbound: (_of_their_unit(northbound),),
    members: (_names(members.c.person_id), _of_their_unit(members)),
    member_invitations: (_of_their_unit(member_invitations),),
    conversations: (_names(conversations.c.person_id),),
    messages: (
        _names(messages.c.author_id),
        _of(messages.c.conversation_id, conversations, conversations.c.person_id),
    ),
    alert_wishes: (_names(alert_wishes.c.person_id),),
    alert_choices: (_names(alert_choices.c.person_id),),
    push_browsers: (_names(push_browsers.c.person_id),),
    alerts: (_of(alerts.c.wish_id, alert_wishes, alert_wishes.c.person_id), _of_their_time(alerts)),
    commands: (_commanded, _of_their_time(commands)),
    account_grants: (_names(account_grants.c.person_id),),
    vehicles: (_names(vehicles.c.person_id),),
    ready_plans: (_names(ready_plans.c.person_id), _of_their_unit(ready_plans)),
    vehicle_attempts: (_names(vehicle_attempts.c.person_id),),
    jobs: (_of_their_time(jobs),),
    job_events: (lambda _, periods: job_events.c.job_id.in_(select(jobs.c.id).where(owned_in(jobs, periods))),),
    job_photos: (lambda _, periods: job_photos.c.job_id.in_(select(jobs.c.id).where(owned_in(jobs, periods))),),
    job_customers: (_names(job_customers.c.person_id),),
    contacts: (_of_their_time(contacts),),
    contact_gaps: (_of_their_time(contact_gaps),),
    transitions: (_of_their_time(transitions),),
    duplicate_identities: (_of_their_time(duplicate_identities),),
    signal: (_of_their_time(signal),),
    signal_5min: (_of_their_time(signal_5min),),
    signal_hourly: (_of_their_time(signal_hourly),),
    power: (_of_their_time(power),),
    heartbeats: (_of_their_time(heartbeats),),
    events: (_of_their_time(events),),
    sessions: (_of_their_time(sessions),),
    results: (_of_their_time(results),),
    rejected_messages: (_of_their_time(rejected_messages),),
    ocpp_frames: (_of_their_time(ocpp_frames),),
    security_events: (_names(security_events.c.person_id),),
    presence: (),  # the present state of the charge point, whoever owns it
    over_quota: (),
    commissionings: (),  # about the circuit: a record that stays with the installation
    ocpp_lines: (),
    ocpp_settings: (),
    unknown_clients: (),  # not charge points
    authorities: (),  # the service's certificates
    releases: (),  # firmware and its roll-outs
    release_boards: (),
    roll_outs: (),
    roll_out_units: (),
    update_bytes: (),
    listening: (),  # the listening time of the service itself
    listening_gaps: (),
    ocpp_doors: (),
    clock_steps: (),  # the clock, and how far each table was cleared
    retention: (),
    rolled_up: (),
    verified_time: (),
    alert_cursors: (),  # which hold-downs of alerts have ended
    totals: (),  # numbers
    firmware_counts: (),
}

# Alerts about their unit that went to others, such as a member or support, are data of these people too: erased, not
# exported.
HANDED_OUT = RULES | {alerts: (_of(alerts.c.wish_id, alert_wishes, alert_wishes.c.person_id),)}


def export(connection: Connection, person: Person) -> dict[str, list[dict[str, Any]]]:
    """Return the person's rows by table, without secrets. Includes units that they owned before."""
    found: dict[str, list[dict[str, Any]]] = {}
    periods = periods_of(connection, person.id)
    for table in metadata.sorted_tables:
        condition = _any_of(HANDED_OUT[table], person.id, periods)
        if condition is None:
            continue
        handed_out = [column for column in table.columns if column not in OF_ALL_TIMES]
        columns = [column for column in handed_out if not any(part in column.name for part in SECRET)]
        rows = connection.execute(select(*columns).where(condition)).all()
        found[table.name] = [{name: _plain(value) for name, value in row._mapping.items()} for row in rows]
    return found


def erase(connection: Connection, person: Person) -> dict[str, int]:
    """Delete a person, and all data of their units in their time. Return the number of deleted rows by table.

    The units stay, without owner and name. An open job at one of them stays, without its texts and photos, and so does
    the evidence that it needs: signal and silences, which name nobody. The security log stays, with a person id that is
    not used any more.
    """
    gone: dict[str, int] = {}
    needed = select(jobs.c.unit_id).where(jobs.c.closed_ms.is_(None))
    periods = periods_of(connection, person.id)
    lock_in_order(connection, contacts.c.unit_id, {one.unit_id for one in periods})  # in the order of all writers
    left = select(jobs.c.id).where(owned_in(jobs, periods), jobs.c.closed_ms.is_(None))
    connection.execute(update(job_events).where(job_events.c.job_id.in_(left)).values(words=""))
    connection.execute(update(jobs).where(jobs.c.id.in_(left)).values(WORDLESS))
    for table in reversed(metadata.sorted_tables):
        condition = _any_of(RULES[table], person.id, periods)
        if condition is None or table in (units, people, ownerships, security_events):
            continue
        if table is jobs:
            condition = and_(condition, jobs.c.closed_ms.is_not(None))
        elif table is job_events:
            condition = and_(condition, job_events.c.job_id.not_in(left))
        elif table in EVIDENCE:
            condition = and_(condition, table.c.unit_id.not_in(needed))
        gone[table.name] = connection.execute(delete(table).where(condition)).rowcount
    end_ownerships(connection, person.id)
    gone[ownerships.name] = connection.execute(delete(ownerships).where(ownerships.c.person_id == person.id)).rowcount
    gone[people.name] = connection.execute(delete(people).where(people.c.id == person.id)).rowcount
    return gone


def _any_of(rules: tuple[Rule, ...], person_id: int, periods: Sequence[Owned]) -> ColumnElement[bool] | None:
    """Return the condition that a row is theirs, or None for a table without personal data."""
    return or_(*(rule(person_id, periods) for rule in rules)) if rules else None


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
