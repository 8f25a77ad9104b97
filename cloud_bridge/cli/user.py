"""`python -m cloud_bridge user ...`: people who log in. Passwords are generated here and printed once."""

import argparse
from contextlib import closing

from cloud_bridge.alerts import account_letters
from cloud_bridge.alerts.errors import NotDelivered
from cloud_bridge.alerts.mail import send_mail
from cloud_bridge.cli.area import Answer, Area
from cloud_bridge.cli.consents import give_back
from cloud_bridge.cli.security_log import record
from cloud_bridge.clock import SystemClock, iso_utc
from cloud_bridge.errors import BridgeError
from cloud_bridge.passwords import Passwords
from cloud_bridge.settings import Settings, SignUp
from cloud_bridge.store import invitations, people
from cloud_bridge.store.access import Role
from cloud_bridge.store.database import open_database
from cloud_bridge.store.email import checked_email
from cloud_bridge.store.passkeys import remove_all_passkeys
from cloud_bridge.store.second_factors import remove_second_factor
from cloud_bridge.store.secrets import new_secret
from cloud_bridge.store.security_events import Kind

PASSWORD_LENGTH = 16  # of 64 symbols: 96 bits, and still short enough to type on a phone
ROLES = [role.value for role in Role]


def declare(area: Area) -> None:
    new = area.command("add", "add a person, and print the password once", add, "name")
    new.add_argument("--role", choices=ROLES, default=Role.DRIVER.value)
    new.add_argument("--email", help="address for alerts and confirmations")
    inviting = area.command(
        "invite", "invite somebody to sign up, by letter or with a link that is printed once", invite
    )
    inviting.add_argument("--role", choices=ROLES, default=Role.DRIVER.value)
    inviting.add_argument("--email", help="address for the letter; without it, the link is printed")
    area.command("list", "list the people", show)
    about = "set a new password, and print it once; logs the person out and ends their tokens"
    area.command("password", about, password, "name")
    area.command("role", "change a person's role", role, "name").add_argument("role", choices=ROLES)
    about = "remove second factor and passkeys of a person who has lost app and recovery codes, and log them out"
    area.command("reset-second-factor", about, reset_second_factor, "name")
    area.command("remove", "remove a person; their units then have no owner", remove, "name")


def add(settings: Settings, options: argparse.Namespace) -> Answer:
    made, password_hash = _new_password()
    email = None if options.email is None else checked_email(options.email)
    with closing(open_database(settings.store)) as database, database.writing() as connection:
        people.add_person(connection, options.name, password_hash, Role(options.role), SystemClock().now_ms(), email)
        record(connection, Kind.PERSON_ADDED, options.role, people.find_person(connection, options.name).id)
    return {"user": options.name, "password": made}


def invite(settings: Settings, options: argparse.Namespace) -> Answer:
    """Invite somebody. The bridge has to allow sign-up with an invitation, and --email needs a mail server."""
    if settings.sign_up is SignUp.CLOSED:
        raise BridgeError(
            "CHARGEKEEPER_SIGN_UP is closed, so invitations are not accepted: use `user add`, or set it to invitation"
        )
    if options.email is not None and settings.mail is None:
        raise BridgeError("there is no mail server (CHARGEKEEPER_MAIL): leave --email out, and hand over the link")
    email, now_ms = None if options.email is None else checked_email(options.email), SystemClock().now_ms()
    with closing(open_database(settings.store)) as database:
        with database.writing() as connection:
            code = invitations.invite(connection, Role(options.role), now_ms, email)
            record(connection, Kind.INVITED, options.role)
        link = invitations.link_of(settings.public_address, code)
        ends = {"role": options.role, "ends": iso_utc(now_ms + invitations.INVITATION_MS)}
        if email is None:
            return {"link": link} | ends
        try:
            send_mail(settings.mail, email, account_letters.invitation(Role(options.role), link))
        except NotDelivered as error:
            with database.writing() as connection:
                invitations.forget_invitation(connection, code)
            raise BridgeError(f"nobody was invited: {error}") from error
    return {"sent_to": email} | ends


def show(settings: Settings, _options: argparse.Namespace) -> Answer:
    with closing(open_database(settings.store)) as database, database.reading() as connection:
        return people.list_people(connection)


def password(settings: Settings, options: argparse.Namespace) -> Answer:
    made, password_hash = _new_password()
    with closing(open_database(settings.store)) as database, database.writing() as connection:
        person = people.find_person(connection, options.name)
        people.set_password(connection, person, password_hash)
        record(connection, Kind.PASSWORD_CHANGED, person_id=person.id)
    return {"user": options.name, "password": made}


def role(settings: Settings, options: argparse.Namespace) -> Answer:
    with closing(open_database(settings.store)) as database, database.writing() as connection:
        person = people.find_person(connection, options.name)
        people.change_role(connection, person, Role(options.role))
        record(connection, Kind.ROLE_CHANGED, options.role, person.id)
    return {"user": options.name, "role": options.role}


def reset_second_factor(settings: Settings, options: argparse.Namespace) -> Answer:
    """Reset a person's second factor. Their next login needs only the password; operators then have to set up a new second
    factor. What was lost may be in other hands, so all browsers are logged out and all passkeys are removed."""
    with closing(open_database(settings.store)) as database, database.writing() as connection:
        person = people.find_person(connection, options.name)
        had_factor, passkeys = remove_second_factor(connection, person.id), remove_all_passkeys(connection, person.id)
        if not had_factor and not passkeys:
            raise BridgeError(f"{person.name} has no second factor and no passkey")
        people.log_out(connection, person)
        record(connection, Kind.SECOND_FACTOR_RESET, person_id=person.id)
    return {"user": person.name, "second_factor": "reset", "passkeys_removed": passkeys}


def remove(settings: Settings, options: argparse.Namespace) -> Answer:
    """Remove a person. The answer lists the car makers that could not be told, if any."""
    untold = give_back(settings, options.name)
    with closing(open_database(settings.store)) as database:
        with database.writing() as connection:
            person = people.find_person(connection, options.name)
            people.remove_person(connection, person)
            record(connection, Kind.PERSON_REMOVED, person_id=person.id)
        database.scrub(
            ["people", "tokens", "web_sessions", "second_factors", "user_handles", "passkeys", "invitations"]
        )
        return {"user": options.name, "removed": True} | ({"car_makers_not_told": untold} if untold else {})


def _new_password() -> tuple[str, str]:
    """Return a new password and its hash. Hashing takes long, so do it before the database is locked."""
    made = new_secret()[:PASSWORD_LENGTH]
    passwords = Passwords()
    try:
        return made, passwords.hash(made)
    finally:
        passwords.close()
