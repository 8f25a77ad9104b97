"""What "last contact" means. Pure: every time is handed in, in UTC milliseconds since 1970.

Contact is a live message that a unit published with its own credentials on one of its own topics, stamped by our
clock where it reached us first. A will (the broker speaks, not the unit), a retained replay and a redelivery inside
our own processes are not contact. A payload we cannot read is: the unit reached us.

`last_contact` never goes back between believable times. Whether a unit is silent is never stored, only derived when
somebody asks, and never from the wall clock: silence is the time for which we have listened since the last contact,
and listening is counted from canary to canary (UptimeLedger), which no step of a clock and no restart can add to.

    never    not heard since it was added
    online   heard within the last 30 minutes
    silent   we listened for more than 30 minutes since, and heard nothing
    unknown  more than 30 minutes have passed, but we were not listening for part of them: we cannot blame the unit
             yet; or the time of the last contact is only estimated, because our clock was wrong

When the last contact was is told by a stamp of our clock, which may have been wrong then or may be wrong now. So what
the stamp says is compared with two times that no step can move (`on_clock_of_now`); timekeeping.py argues the rule.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

SILENT_AFTER_MS = 30 * 60 * 1000  # the promise on the dashboard: an error after more than 30 minutes
ALL = 0  # the number with a gap in which every path was deaf, or nobody knows which (paths.py)
OUTAGE_AFTER_MS = 15 * 1000  # three missed canaries of 5 s each
GAP_AFTER_MS = 21 * 60 * 1000  # a gap worth remembering: a heartbeat of an idle unit, one in 19 minutes, was missed
FUTURE_MS = 120 * 1000  # a last contact further ahead than this was stamped by a clock that was wrong
KEPT_STEPS = 100  # of our clock, the newest
KEPT_GAPS = 1000  # of our own; a unit older than these is silent whatever they said

UNIT_TOPICS = frozenset({"heartbeat", "event", "session", "result", "ask"})  # the last level of cp/<id>/...


class Contact(StrEnum):
    """The words of the HTTP interface."""

    ONLINE = "online"
    SILENT = "silent"
    UNKNOWN = "unknown"
    NEVER = "never"


class Listened(NamedTuple):
    """What a process has stored of its listening."""

    until_ms: int  # the last sign of it, by its clock
    total_ms: int  # in all, since its shard began
    latest_ms: int  # how late it may have been at that sign (verified_time.py); 0: no later than the clock said


class Gap(NamedTuple):
    """A time in which we were not listening."""

    from_ms: int
    to_ms: int


class StoredContact(NamedTuple):
    """The last contact of a unit, as the process that heard it has stored it."""

    at_ms: int  # by its clock, moved by the steps of that clock while the process ran
    listened_ms: int  # how long its shard had listened in all by then, at most
    latest_ms: int  # how late it may have been then (verified_time.py); 0: no later than the clock said
    shard: int = 1


class LastContact(NamedTuple):
    """When a unit was heard last, on the clock of now."""

    at_ms: int
    is_estimated: bool  # our clock was wrong or was set: it was no later than this
    silence_ms: int  # for how long we have listened since


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


def is_believable(at_ms: int, now_ms: int) -> bool:
    """Whether a stamp can have been written by a clock that agrees with ours."""
    return at_ms - now_ms <= FUTURE_MS


def later(seen_ms: int | None, now_ms: int) -> int:
    """The new last contact. Our clock may be set back a little, last contact may not; an impossible one gives way."""
    return now_ms if seen_ms is None or now_ms > seen_ms or not is_believable(seen_ms, now_ms) else seen_ms


def estimated_ms(at_ms: int, last_ok_ms: int | None, start_ms: int) -> int:
    """A stamp of the process before this one, whose clock was wrong, on the clock of now: no earlier than it was.

    That process may have listened until `last_ok_ms` of the same clock, and did so before `start_ms`, where we began.
    """
    return start_ms if last_ok_ms is None or last_ok_ms <= at_ms else start_ms - (last_ok_ms - at_ms)


def outage_ms(gaps: Iterable[Gap], from_ms: int, to_ms: int) -> int:
    """How much of the time from `from_ms` to `to_ms` lies in the gaps, which must not overlap each other."""
    return sum(max(0, min(gap.to_ms, to_ms) - max(gap.from_ms, from_ms)) for gap in gaps)


def on_clock_of_now(stored: StoredContact, listened_ms: int | None, now_ms: int) -> LastContact:
    """What another process has stored. `listened_ms` is how long that shard has listened in all by now; None: that is not
    known, and no silence can be claimed.

    The unit was heard no later than `silence_ms` ago, whatever any clock said. The stamp may say earlier: it is taken at
    its word, unless that clock may have been behind, or says later than that, when a clock was wrong then or is now.
    """
    silence_ms = 0 if listened_ms is None else max(0, listened_ms - stored.listened_ms)
    no_later_ms = now_ms - silence_ms
    may_be_behind = stored.at_ms < stored.latest_ms - FUTURE_MS
    if may_be_behind or not is_believable(stored.at_ms, no_later_ms):
        return LastContact(no_later_ms, True, silence_ms)
    return LastContact(min(stored.at_ms, no_later_ms), False, silence_ms)


def judge(last: LastContact | None, now_ms: int, silent_after_ms: int = SILENT_AFTER_MS) -> Verdict:
    """Online, silent, unknown or never. Exactly `silent_after_ms` is not yet silence; one millisecond more is.

    An estimated last contact was no later than that, so it shows a silence and no contact.
    """
    if last is None:
        return Verdict(Contact.NEVER, None, 0)
    elapsed_ms = max(0, now_ms - last.at_ms)
    if last.silence_ms > silent_after_ms:
        contact = Contact.SILENT
    elif elapsed_ms > silent_after_ms or last.is_estimated:
        contact = Contact.UNKNOWN
    else:
        contact = Contact.ONLINE
    return Verdict(contact, last.silence_ms, max(0, elapsed_ms - last.silence_ms))


def skipped(steps: Iterable[tuple[int, int]]) -> list[Gap]:
    """The time that our clock has skipped; `steps` are the time after each and by how much, in ms. A step back takes back
    what lies after it."""
    found: list[Gap] = []
    for at_ms, by_ms in steps:
        if by_ms > 0:
            found.append(Gap(at_ms - by_ms, at_ms))
        else:
            back = (gap if gap.to_ms <= at_ms else Gap(gap.from_ms, gap.to_ms + by_ms) for gap in found)
            found = [gap for gap in back if gap.from_ms < gap.to_ms]
    return found


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

    Starts with the gaps and the last sign of listening of the process before this one; the time in between is then a gap
    too, because nobody was there to hear. `start_ms` is when this process began: what the one before has stamped later
    was stamped by a clock that was wrong, or ours is. Which of them will show, so those gaps are kept as they are and
    put on the clock of now whenever somebody asks.

    Beside the gaps, which are for people to see, it counts how long we have listened in all: what lies between two
    canaries in time, measured by the clock with its steps taken out. Verdicts go by that count alone.
    """

    def __init__(
        self,
        gaps: Iterable[Gap] = (),
        last_ok_ms: int | None = None,
        start_ms: int | None = None,
        listened_ms: int = 0,
        shard: int = 1,
    ) -> None:
        self._shard = shard
        self._listened_ms = listened_ms  # in all, by the last sign of it
        self.others_listened_ms: dict[int, int] = {}  # by shard, as each has stored it last
        self._others_listening = 0  # how many of them did when we learned of them last
        self._earlier = list(gaps)[-KEPT_GAPS:]  # of the processes before
        self._earlier_ok_ms = last_ok_ms
        self._earlier_moved_ms = 0  # by steps forward since
        self._start_ms = start_ms
        self._first_ok_ms: int | None = None  # of this process
        self._gaps: list[Gap] = []  # between canaries of this process
        self._others: list[Gap] = []
        self._over: list[Gap] | None = None  # all that are over, oldest first, once somebody has asked
        self.last_ok_ms = self._earlier_end_ms()  # the last sign of listening

    def learn(self, gaps: Iterable[Gap], others: Mapping[int, Listened], now_ms: int) -> None:
        """What the store knows of shards that share the units with this one: their gaps that are over, and when and
        for how long each of them has listened."""
        self.others_listened_ms = {shard: listened.total_ms for shard, listened in others.items()}
        ends = (listened.until_ms for listened in others.values())
        outage = [Gap(at_ms, now_ms) for at_ms in ends if now_ms - at_ms > OUTAGE_AFTER_MS]
        self._others_listening = len(others) - len(outage)
        over = (gap for gap in gaps if is_believable(gap.to_ms, now_ms))
        self._others = merged([*over, *outage])[-KEPT_GAPS:]
        self._over = None

    def shard_listened_ms(self, shard: int, now_ms: int) -> int | None:
        """For how long a shard has listened in all; another one, when it last stored it. None: it is another one, and we
        have not learned it yet."""
        return self.listened_ms(now_ms) if shard == self._shard else self.others_listened_ms.get(shard)

    def listened_ms(self, now_ms: int) -> int:
        """For how long we have listened in all by now.

        From one moment to a later one it grows by no more than the time that passes. It falls back a little when a
        canary is late, since what came after the last one does not count then.
        """
        since_ms = self._since_last_ok_ms(now_ms)
        return self._listened_ms + (since_ms if self.last_ok_ms is None or since_ms <= OUTAGE_AFTER_MS else 0)

    def listened_at_most_ms(self, now_ms: int) -> int:
        """The same for a contact of now: with what a canary may add that is on its way into the store (proves_listening)."""
        since_ms = self._since_last_ok_ms(now_ms)
        return self._listened_ms + (since_ms if self.last_ok_ms is None else min(since_ms, 2 * OUTAGE_AFTER_MS))

    def _since_last_ok_ms(self, now_ms: int) -> int:
        """Of this process. Before the first sign of a new store we take it that we have listened from the start."""
        from_ms = self._start_ms if self.last_ok_ms is None else self.last_ok_ms
        is_ours = self.last_ok_ms is None or self._first_ok_ms is not None
        return max(0, now_ms - from_ms) if is_ours and from_ms is not None else 0

    def deaf(self, now_ms: int, shard: int | None = None) -> list[str]:
        """The nodes of a cluster on which we are not listening, by name; of those that a unit of this path may be on, or all.
        Without a cluster there are none (path_ledger.py)."""
        return []

    def open_outage(self, now_ms: int) -> Gap | None:
        """The gap we are in, or None while the canaries come in time."""
        return gap_between(self.last_ok_ms, now_ms)

    def open_gaps(self, now_ms: int) -> dict[int, Gap]:
        """The gaps that last, by the path that is deaf. Only a cluster has several (path_ledger.py)."""
        gap = self.open_outage(now_ms)
        return {} if gap is None else {ALL: gap}

    def is_listening(self, now_ms: int, shards: int) -> bool:
        """Whether all of so many shards are: this one by its own canary, the others as we have learned it."""
        is_ours = self.last_ok_ms is not None and self.open_outage(now_ms) is None
        return is_ours and self._others_listening >= shards - 1

    def heartbeat_ok(self, now_ms: int) -> None:
        """A canary came through; the open gap, if any, ends with it."""
        self._listened_ms = self.listened_ms(now_ms)
        if self._first_ok_ms is None:
            self._first_ok_ms = now_ms
            self._over = None
        elif (gap := self.open_outage(now_ms)) is not None:
            self._gaps = [*self._gaps, gap][-KEPT_GAPS:]
            self._over = None
        self.last_ok_ms = later(self.last_ok_ms, now_ms)

    def stepped(self, by_ms: int) -> None:
        """Our clock was set. What this process has stamped moves with it, and so stays as long ago as it is."""
        self._gaps = [Gap(gap.from_ms + by_ms, gap.to_ms + by_ms) for gap in self._gaps]
        self._others = []  # until they are read again
        self._over = None
        ended_ms, start_ms = self._earlier_ok_ms, self._start_ms
        if by_ms < 0 or (ended_ms is not None and start_ms is not None and is_believable(ended_ms, start_ms)):
            self._earlier_moved_ms = max(0, self._earlier_moved_ms + by_ms)
        self._start_ms = _moved(self._start_ms, by_ms)
        self._first_ok_ms = _moved(self._first_ok_ms, by_ms)
        self.last_ok_ms = self._earlier_end_ms() if self._first_ok_ms is None else _moved(self.last_ok_ms, by_ms)

    def outages(self, now_ms: int) -> list[Gap]:
        """All gaps, oldest first, with the one that is still open."""
        over = self._over
        if over is None:
            over = self._over = merged([*self._earlier_gaps(), *self._between_processes(), *self._gaps, *self._others])
        gap = self.open_outage(now_ms)
        if gap is None:
            return over
        return merged([*over, gap]) if over and over[-1].to_ms > gap.from_ms else [*over, gap]

    def _between_processes(self) -> list[Gap]:
        if self._first_ok_ms is None:
            return []
        gap = gap_between(self._earlier_end_ms(), self._first_ok_ms)
        return [] if gap is None else [gap]

    def _earlier_end_ms(self) -> int | None:
        """When the process before this one last listened, on the clock of now."""
        ended_ms, start_ms = _moved(self._earlier_ok_ms, self._earlier_moved_ms), self._start_ms
        return ended_ms if ended_ms is None or start_ms is None else min(ended_ms, start_ms)

    def _earlier_gaps(self) -> list[Gap]:
        start_ms, ended_ms = self._start_ms, self._earlier_ok_ms
        if start_ms is None or all(is_believable(gap.to_ms, start_ms) for gap in self._earlier):
            return self._earlier
        if ended_ms is None or is_believable(ended_ms, start_ms):  # stamped by a clock that was put right long ago
            return [gap for gap in self._earlier if is_believable(gap.to_ms, start_ms)]
        moved = (
            Gap(*(at if is_believable(at, start_ms) else estimated_ms(at, ended_ms, start_ms) for at in gap))
            for gap in self._earlier
        )
        return [gap for gap in moved if gap.from_ms < gap.to_ms]


def _moved(at_ms: int | None, by_ms: int) -> int | None:
    return None if at_ms is None else at_ms + by_ms
