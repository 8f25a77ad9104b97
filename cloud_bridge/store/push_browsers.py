"""The browsers in which a person wants to be notified by Web Push.

A browser is one of known_devices.py, which bounds how many an account has. When that forgets it (its session is ended from
another browser, the password is changed, it is the eleventh), its row here goes with it; logging out there ends it too, and so
does the login of somebody else. A login that is merely over after its month ends nothing: a phone in a pocket goes on being
notified, until its owner removes it on the page or logs in there no more for as long as the device is known.
"""

from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update

from cloud_bridge.alerts.services import Via
from cloud_bridge.store.access import Person
from cloud_bridge.store.secrets import hash_of
from cloud_bridge.store.tables import push_browsers, web_sessions
from cloud_bridge.store.usual_alerts import subscribe_unless_chosen


class PushTarget(NamedTuple):
    """As the browser has made it (PushSubscription of the Push API); alerts/web_push.py has checked it."""

    host: str
    endpoint: str
    p256dh: str
    auth: str


class PushBrowser(NamedTuple):
    """For its owner's eyes."""

    id: int
    host: str
    since_ms: int
    is_this: bool  # the browser that asks


def add_browser(connection: Connection, person: Person, session: str, target: PushTarget, now_ms: int) -> bool:
    """In place of what the browser had before. `session` is its cookie. False: its login is of an older version and knows no
    device. With the person's first browser come the usual alerts."""
    device_hash = _device_of(connection, person, session)
    if device_hash is None:
        return False
    endpoint_hash = hash_of(target.endpoint)
    same = (push_browsers.c.device_hash == device_hash) | (push_browsers.c.endpoint_hash == endpoint_hash)
    connection.execute(delete(push_browsers).where(same))
    row = {
        "person_id": person.id,
        "device_hash": device_hash,
        "since_ms": now_ms,
        "host": target.host,
        "endpoint_secret": target.endpoint,
        "endpoint_hash": endpoint_hash,
        "p256dh_secret": target.p256dh,
        "auth_secret": target.auth,
    }
    connection.execute(push_browsers.insert(), row)
    subscribe_unless_chosen(connection, person, Via.BROWSER)
    return True


def browsers_of(connection: Connection, person: Person, session: str) -> list[PushBrowser]:
    """The newest first. `session` is the cookie of the browser that asks."""
    here = _device_of(connection, person, session)
    columns = push_browsers.c
    query = select(columns.id, columns.host, columns.since_ms, columns.device_hash)
    rows = connection.execute(query.where(columns.person_id == person.id).order_by(columns.id.desc()))
    return [PushBrowser(row.id, row.host, row.since_ms, row.device_hash == here) for row in rows]


def browser_ids(connection: Connection) -> dict[int, list[int]]:
    """By person."""
    found: dict[int, list[int]] = {}
    query = select(push_browsers.c.person_id, push_browsers.c.id).order_by(push_browsers.c.id)
    for person_id, browser_id in connection.execute(query):
        found.setdefault(person_id, []).append(browser_id)
    return found


def remove_browser(connection: Connection, person: Person, browser_id: int) -> bool:
    """False: it is not theirs, or was not there."""
    theirs = (push_browsers.c.id == browser_id) & (push_browsers.c.person_id == person.id)
    return connection.execute(delete(push_browsers).where(theirs)).rowcount == 1


def remove_gone_browser(connection: Connection, browser_id: int) -> None:
    """Its push service knows it no more."""
    connection.execute(delete(push_browsers).where(push_browsers.c.id == browser_id))


def leave_session(connection: Connection, token_hash: str) -> None:
    """Somebody logs out in that browser."""
    device = select(web_sessions.c.device_hash).where(
        web_sessions.c.token_hash == token_hash, web_sessions.c.device_hash.is_not(None)
    )
    connection.execute(delete(push_browsers).where(push_browsers.c.device_hash.in_(device)))


def follow_device(connection: Connection, person_id: int, before_hash: str, device_hash: str) -> None:
    """Somebody has logged in: the browser has another mark from now on. What another person had there ends."""
    same = push_browsers.c.device_hash == before_hash
    connection.execute(
        update(push_browsers).where(same, push_browsers.c.person_id == person_id).values(device_hash=device_hash)
    )
    connection.execute(delete(push_browsers).where(same))


def _device_of(connection: Connection, person: Person, session: str) -> str | None:
    theirs = (web_sessions.c.token_hash == hash_of(session)) & (web_sessions.c.person_id == person.id)
    found: str | None = connection.execute(select(web_sessions.c.device_hash).where(theirs)).scalar()
    return found
