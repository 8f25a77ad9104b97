"""What the bridge knows of a unit, for the back-end that it is shown to. Pure.

    contact                      the back-end
    ------------------------------------------------------------------------------------------------------------
    online, message not overdue  has a connection, and a heartbeat as often as it wants one
    online, message overdue      has a connection and no heartbeats: it is not known whether the unit is there
    unknown: we did not listen   likewise; the status that it was told last stays
    silent, never heard          is told Unavailable, and the connection ends until the unit is heard again

A back-end takes a heartbeat as a sign of life of the charger, so one is sent only if a message of the unit supports it.
"""

from typing import NamedTuple

from cloud_bridge.contact import Contact
from cloud_bridge.wire import Heartbeat, is_plugged

USUAL_INTERVAL_S = 300  # of heartbeats that do not say it (firmware/link/messages.py)
OVERDUE_MS = 60_000  # beyond two intervals: one message may be lost, and the unit may have to reconnect


class Names(NamedTuple):
    """The names of a unit, which do not change while it is connected. None: not known."""

    serial: str
    model: str | None
    firmware: str | None
    is_ocpp: bool  # of another maker, connected to us by OCPP itself


class Known(NamedTuple):
    """What is known at one moment. Times are UTC in milliseconds since 1970."""

    names: Names
    contact: Contact
    last_contact_ms: int | None
    heartbeat: Heartbeat  # the newest since the present owner has the unit; all fields unknown if there is none
    heartbeat_ms: int | None

    @property
    def is_away(self) -> bool:
        """Whether the unit is silent or was never heard, so that it must not be reported as present."""
        return self.contact in (Contact.SILENT, Contact.NEVER)

    @property
    def is_plugged(self) -> bool:
        return is_plugged(self.heartbeat)

    @property
    def unit_time_ms(self) -> int | None:
        """The time of its heartbeat by the unit's clock, or by ours if the unit does not say."""
        said_s = self.heartbeat.unit_time_s
        return self.heartbeat_ms if said_s is None else said_s * 1000

    def is_heard(self, now_ms: int) -> bool:
        """Whether its latest message is not overdue."""
        if self.contact is not Contact.ONLINE or self.last_contact_ms is None:
            return False
        interval_s = self.heartbeat.interval_s or USUAL_INTERVAL_S
        return now_ms - self.last_contact_ms <= 2000 * interval_s + OVERDUE_MS
