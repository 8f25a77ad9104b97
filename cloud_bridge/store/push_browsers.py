"""The browsers in which a person receives Web Push notifications.

A browser is a known device (known_devices.py), of which an account has a limited number. If that is removed, because
its session is ended from another browser, the password is changed or there are too many, the row here is deleted too.
It is also deleted when the person logs out there or somebody else logs in. A session that just expires changes nothing:
a phone continues to receive notifications until its owner removes it on the page, or does not log in for as long as the
device is known.
"""

from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update

from cloud_bridge.alerts.services import Via
from cloud_bridge.store.access import Person
from cloud_bridge.store.secrets import hash_of
from cloud_bridge.store.tables import push_browsers, web_sessions
from cloud_bridge.store.usual_alerts import subscribe_unless_chosen


class PushTarget(NamedTuple):
    """A PushSubscription of the Push API, as created by the browser and checked by alerts/web_push.py."""

    host: str
    endpoint: str
    p256dh: str
    auth: str


class PushBrowser(NamedTuple):
    """A browser, as shown to its owner."""

    id: int
    host: str
    since_ms: int
    is_this: bool  # the browser of the request


def add_browser(connection: Connection, person: Person, session: str, target: PushTarget, now_ms: int) -> bool:
    """Add a browser, replacing its earlier subscription. `session` is its session cookie. Return False if its session
    is from an older version, without a known device. With the person's first browser, the usual alerts are
    subscribed."""
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
    """Return the person's browsers, newest first. `session` is the session cookie of the request."""
    here = _device_of(connection, person, session)
    columns = push_browsers.c
    query = select(columns.id, columns.host, columns.since_ms, columns.device_hash)
    rows = connection.execute(query.where(columns.person_id == person.id).order_by(columns.id.desc()))
    return [PushBrowser(row.id, row.host, row.since_ms, row.device_hash == here) for row in rows]


def browser_ids(connection: Connection) -> dict[int, list[int]]:
    """Return the ids of all browsers by person id."""
    found: dict[int, list[int]] = {}
    query = select(push_browsers.c.person_id, push_browsers.c.id).order_by(push_browsers.c.id)
    for person_id, browser_id in connection.execute(query):
        found.setdefault(person_id, []).append(browser_id)
    return found


def remove_browser(connection: Connection, person: Person, browser_id: int) -> bool:
    """Remove a browser. Return False if the person has no such browser."""
    theirs = (push_browsers.c.id == browser_id) & (push_browsers.c.person_id == person.id)
    return connection.execute(delete(push_browsers).where(theirs)).rowcount == 1


def remove_gone_browser(connection: Connection, browser_id: int) -> None:
    """Remove a browser that its push service does not know any more."""
    connection.execute(delete(push_browsers).where(push_browsers.c.id == browser_id))


def leave_session(connection: Connection, token_hash: str) -> None:
    """Remove the browser in which somebody logs out."""
    device = select(web_sessions.c.device_hash).where(
        web_sessions.c.token_hash == token_hash, web_sessions.c.device_hash.is_not(None)
    )
    connection.execute(delete(push_browsers).where(push_browsers.c.device_hash.in_(device)))


def follow_device(connection: Connection, person_id: int, before_hash: str, device_hash: str) -> None:
    """Update the device hash of a browser after a login there. If another person had subscribed there, that is
    deleted."""
    same = push_browsers.c.device_hash == before_hash
    connection.execute(
        update(push_browsers).where(same, push_browsers.c.person_id == person_id).values(device_hash=device_hash)
    )
    connection.execute(delete(push_browsers).where(same))


def _device_of(connection: Connection, person: Person, session: str) -> str | None:
    theirs = (web_sessions.c.token_hash == hash_of(session)) & (web_sessions.c.person_id == person.id)
    found: str | None = connection.execute(select(web_sessions.c.device_hash).where(theirs)).scalar()
    return found
