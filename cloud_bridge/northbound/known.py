"""What the bridge knows of a unit, for the back-end that it is shown to. Pure.

    contact                      the back-end
    ------------------------------------------------------------------------------------------------------------
    online, message not overdue  has a connection, and a heartbeat as often as it wants one
    online, message overdue      has a connection and no heartbeats: nobody knows whether the unit is there
    unknown: we were deaf        likewise; what it was told last stays
    silent, never heard          is told Unavailable, and the connection ends until the unit is heard again

A back-end takes a heartbeat for a sign of life of the charger, so none is sent that has no message of the unit behind it.
"""

from typing import NamedTuple

from cloud_bridge.contact import Contact
from cloud_bridge.wire import Heartbeat, is_plugged

USUAL_INTERVAL_S = 300  # of heartbeats that do not say it (firmware/link/messages.py)
OVERDUE_MS = 60_000  # beyond two intervals: one message may be lost, and a connection be made anew


class Names(NamedTuple):
    """Of the unit, which do not change while it is connected. None: not known."""

    serial: str
    model: str | None
    firmware: str | None
    is_ocpp: bool  # of another maker, connected to us by OCPP itself


class Known(NamedTuple):
    """At one moment. Times are UTC in milliseconds since 1970."""

    names: Names
    contact: Contact
    last_contact_ms: int | None
    heartbeat: Heartbeat  # the newest of the present owner's time; all unknown where there is none
    heartbeat_ms: int | None

    @property
    def is_away(self) -> bool:
        """Nobody may say that it is there."""
        return self.contact in (Contact.SILENT, Contact.NEVER)

    @property
    def is_plugged(self) -> bool:
        return is_plugged(self.heartbeat)

    @property
    def unit_time_ms(self) -> int | None:
        """When it said what its heartbeat says: by its own clock, or else by ours."""
        said_s = self.heartbeat.unit_time_s
        return self.heartbeat_ms if said_s is None else said_s * 1000

    def is_heard(self, now_ms: int) -> bool:
        """Whether a message of it has come when one was due."""
        if self.contact is not Contact.ONLINE or self.last_contact_ms is None:
            return False
        interval_s = self.heartbeat.interval_s or USUAL_INTERVAL_S
        return now_ms - self.last_contact_ms <= 2000 * interval_s + OVERDUE_MS
