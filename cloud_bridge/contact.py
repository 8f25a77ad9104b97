"""What "last contact" means. Pure: every time is handed in, in UTC milliseconds since 1970.

Contact is a live message that a unit published with its own credentials on one of its own topics, stamped by our
clock where it reached us first. A will (the broker speaks, not the unit), a retained replay and a redelivery inside
our own processes are not contact. A payload we cannot read is: the unit reached us.

`last_contact` never goes back. Whether a unit is silent is never stored, only derived when somebody asks, from
`last_contact`, the present and the ledger of the times in which we ourselves were not listening:

    never    not heard since it was added
    online   heard within the last 30 minutes
    silent   we listened for more than 30 minutes since, and heard nothing
    unknown  more than 30 minutes have passed, but we were deaf for part of them: we cannot blame the unit yet;
             or last contact lies in the future, because our clock was wrong then
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

SILENT_AFTER_MS = 30 * 60 * 1000  # the promise on the dashboard: an error after more than 30 minutes
OUTAGE_AFTER_MS = 15 * 1000  # three missed canaries of 5 s each
GAP_AFTER_MS = 10 * 60 * 1000  # a gap worth remembering: two heartbeats of an idle unit were missed
FUTURE_MS = 120 * 1000  # a last contact further ahead than this was stamped by a clock that was wrong
KEPT_GAPS = 1000  # of our own; a unit older than these is silent whatever they said

UNIT_TOPICS = frozenset({"heartbeat", "event", "session", "result"})  # the last level of cp/<id>/...


class Contact(StrEnum):
    """The words of the HTTP interface."""

    ONLINE = "online"
    SILENT = "silent"
    UNKNOWN = "unknown"
    NEVER = "never"


class Gap(NamedTuple):
    """A time in which we were not listening."""

    from_ms: int
    to_ms: int


class Verdict(NamedTuple):
    """What can be said of one unit now."""

    contact: Contact
    silence_ms: int | None  # since last contact, without our own gaps; None when never heard
    outage_ms: int  # of the time since last contact, how long we were not listening


def own_topic(unit_id: str, topic: str) -> str | None:
    """Which of the unit's own message kinds the topic is; None when it may not publish there."""
    head = f"cp/{unit_id}/"
    kind = topic[len(head) :]
    return kind if topic.startswith(head) and kind in UNIT_TOPICS else None


def later(seen_ms: int | None, now_ms: int) -> int:
    """The new last contact: our clock may be set back, last contact may not."""
    return now_ms if seen_ms is None or now_ms > seen_ms else seen_ms


def outage_ms(gaps: Iterable[Gap], from_ms: int, to_ms: int) -> int:
    """How much of the time from `from_ms` to `to_ms` lies in the gaps, which must not overlap each other."""
    return sum(max(0, min(gap.to_ms, to_ms) - max(gap.from_ms, from_ms)) for gap in gaps)


def judge(
    last_contact_ms: int | None, now_ms: int, gaps: Iterable[Gap] = (), silent_after_ms: int = SILENT_AFTER_MS
) -> Verdict:
    """Online, silent, unknown or never. Exactly `silent_after_ms` is not yet silence; one millisecond more is."""
    if last_contact_ms is None:
        return Verdict(Contact.NEVER, None, 0)
    if last_contact_ms - now_ms > FUTURE_MS:  # all we know is that it was heard at some time
        return Verdict(Contact.UNKNOWN, 0, 0)
    elapsed_ms = max(0, now_ms - last_contact_ms)
    outage = outage_ms(gaps, last_contact_ms, now_ms)
    silence_ms = elapsed_ms - outage
    if silence_ms > silent_after_ms:
        contact = Contact.SILENT
    elif elapsed_ms > silent_after_ms:
        contact = Contact.UNKNOWN
    else:
        contact = Contact.ONLINE
    return Verdict(contact, silence_ms, outage)


def gap_between(last_ok_ms: int | None, now_ms: int) -> Gap | None:
    """The gap from one sign of listening to the next; None while they follow in time, and before the first."""
    if last_ok_ms is None or now_ms - last_ok_ms <= OUTAGE_AFTER_MS:
        return None
    return Gap(last_ok_ms, now_ms)


def proves_listening(received_ms: int, committed_ms: int) -> bool:
    """Whether a canary shows that units could reach us when it came. One that waited long to be stored does not: in
    that time nobody was acknowledged, and no unit could log in."""
    return committed_ms - received_ms <= OUTAGE_AFTER_MS


def merged(gaps: Iterable[Gap]) -> list[Gap]:
    """The same time without overlaps, oldest first."""
    whole: list[Gap] = []
    for gap in sorted(gaps):
        if whole and gap.from_ms <= whole[-1].to_ms:
            whole[-1] = Gap(whole[-1].from_ms, max(whole[-1].to_ms, gap.to_ms))
        else:
            whole.append(gap)
    return whole


class UptimeLedger:
    """When we were listening: a canary calls `heartbeat_ok` every 5 s, and what lies between two late ones is a gap.

    Starts with the gaps and the last sign of listening of the process before this one; the time in between is
    then a gap too, because nobody was there to hear.
    """

    def __init__(self, gaps: Iterable[Gap] = (), last_ok_ms: int | None = None) -> None:
        self._gaps = list(gaps)[-KEPT_GAPS:]
        self.last_ok_ms = last_ok_ms
        self._others: list[Gap] = []

    def learn(self, gaps: Iterable[Gap], others_ok_ms: Iterable[int], now_ms: int) -> None:
        """What the store knows of processes that share the units with this one: their gaps that are over, and when
        each of them last listened. Whose unit a unit is does not matter here: nobody is blamed while one has an outage."""
        outage = (Gap(at_ms, now_ms) for at_ms in others_ok_ms if now_ms - at_ms > OUTAGE_AFTER_MS)
        self._others = merged([*gaps, *outage])[-KEPT_GAPS:]

    def open_outage(self, now_ms: int) -> Gap | None:
        """The gap we are in, or None while the canaries come in time."""
        return gap_between(self.last_ok_ms, now_ms)

    def heartbeat_ok(self, now_ms: int) -> None:
        """A canary came through; the open gap, if any, ends with it."""
        gap = self.open_outage(now_ms)
        if gap is not None:
            self._gaps = [*self._gaps, gap][-KEPT_GAPS:]
        self.last_ok_ms = later(self.last_ok_ms, now_ms)

    def outages(self, now_ms: int) -> list[Gap]:
        """All gaps, oldest first, with the one that is still open."""
        gap = self.open_outage(now_ms)
        own = self._gaps if gap is None else [*self._gaps, gap]
        return merged([*own, *self._others]) if self._others else own
