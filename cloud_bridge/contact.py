"""The definition of "last contact". Pure: every time is passed in, in UTC milliseconds since 1970.

Contact is a live message that a unit published with its own credentials on one of its own topics, stamped by our
clock at the first process of ours that received it. These are not contact: a will, which the broker sends and not the
unit; a retained message; a redelivery between our own processes. A message with an unreadable payload is contact,
because the unit reached us.

`last_contact` never goes back between believable times. Whether a unit is silent is not stored but derived on demand,
and not from the wall clock. Silence is the time for which we have been listening since the last contact. Listening
time is counted from canary to canary (UptimeLedger), and no clock step and no restart can add to it.

    never    no contact since the unit was added
    online   contact within the last 30 minutes
    silent   we have listened for more than 30 minutes since the last contact
    unknown  more than 30 minutes have passed, but we were not listening for part of them, so the silence may be ours;
             or the time of the last contact is only an estimate, because our clock was wrong

The time of the last contact is a timestamp of our clock, which may have been wrong then or may be wrong now. So the
timestamp is compared with two times that no step can move (`on_clock_of_now`); timekeeping.py explains the rule.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

SILENT_AFTER_MS = 30 * 60 * 1000  # the promise on the dashboard: an error after more than 30 minutes
ALL = 0  # the path number of an outage of every path, or of an unknown one (paths.py)
OUTAGE_AFTER_MS = 15 * 1000  # three missed canaries, one every 5 s
GAP_AFTER_MS = 21 * 60 * 1000  # gaps longer than this are stored: an idle unit sends a heartbeat every 19 minutes
FUTURE_MS = 120 * 1000  # a last contact further in the future than this was stamped by a wrong clock
KEPT_STEPS = 100  # the newest steps of our clock
KEPT_GAPS = 1000  # the newest outages of ours; a unit without contact since before these is silent in any case

UNIT_TOPICS = frozenset({"heartbeat", "event", "session", "result", "ask"})  # the last level of the topic cp/<id>/...


class Contact(StrEnum):
    """The state of a unit's contact, in the words of the HTTP interface."""

    ONLINE = "online"
    SILENT = "silent"
    UNKNOWN = "unknown"
    NEVER = "never"


class Listened(NamedTuple):
    """The listening time of a shard or path, as the process stored it."""

    until_ms: int  # the last canary, by the clock of that process
    total_ms: int  # the total since the shard or path first listened
    latest_ms: int  # the latest time that it may have been then (verified_time.py); 0: no later than the clock


class Gap(NamedTuple):
    """A span of time: an outage of ours, or a gap in a unit's contact."""

    from_ms: int
    to_ms: int


class StoredContact(NamedTuple):
    """The last contact of a unit, as the process that received the message stored it."""

    at_ms: int  # by the clock of that process, corrected by the clock's steps while the process ran
    listened_ms: int  # the total listening time of its shard by then, at most
    latest_ms: int  # the latest time that it may have been then (verified_time.py); 0: no later than the clock
    shard: int = 1


class LastContact(NamedTuple):
    """The last contact of a unit, on the present clock."""

    at_ms: int
    is_estimated: bool  # our clock was or is wrong: the contact was no later than `at_ms`
    silence_ms: int  # our listening time since


class Verdict(NamedTuple):
    """The contact state of one unit at a given time."""

    contact: Contact
    silence_ms: int | None  # time since the last contact, without our own outages; None if there was no contact
    outage_ms: int  # the part of the time since the last contact in which we were not listening


def own_topic(unit_id: str, topic: str) -> str | None:
    """Return the message kind of one of the unit's own topics, or None if the unit may not publish on this topic."""
    head = f"cp/{unit_id}/"
    kind = topic[len(head) :]
    return kind if topic.startswith(head) and kind in UNIT_TOPICS else None


def is_believable(at_ms: int, now_ms: int) -> bool:
    """Return whether a clock that agrees with ours can have written the timestamp: at most FUTURE_MS in the future."""
    return at_ms - now_ms <= FUTURE_MS


def later(seen_ms: int | None, now_ms: int) -> int:
    """Return the new last contact: the later time, so that it does not go back when our clock is set back a little. A
    `seen_ms` that is too far in the future to be believable is replaced."""
    return now_ms if seen_ms is None or now_ms > seen_ms or not is_believable(seen_ms, now_ms) else seen_ms


def estimated_ms(at_ms: int, last_ok_ms: int | None, start_ms: int) -> int:
    """Convert a timestamp of the previous process, whose clock was wrong, to the present clock. The result is an upper
    bound: the event was no later.

    The previous process listened until `last_ok_ms` of its clock at most, which was before `start_ms` of ours.
    """
    return start_ms if last_ok_ms is None or last_ok_ms <= at_ms else start_ms - (last_ok_ms - at_ms)


def outage_ms(gaps: Iterable[Gap], from_ms: int, to_ms: int) -> int:
    """Return how much of the time from `from_ms` to `to_ms` lies in the gaps, in ms. The gaps must not overlap."""
    return sum(max(0, min(gap.to_ms, to_ms) - max(gap.from_ms, from_ms)) for gap in gaps)


def on_clock_of_now(stored: StoredContact, listened_ms: int | None, now_ms: int) -> LastContact:
    """Convert a stored contact to the present clock. `listened_ms` is the total listening time of that shard by now;
    None if it is not known, and then no silence can be claimed.

    The contact was at least `silence_ms` ago, whatever any clock shows. An earlier timestamp is believed, unless the
    clock that wrote it may have been behind. A later timestamp shows that a clock was wrong then or is wrong now. In
    both of these cases the result is an estimate.
    """
    silence_ms = 0 if listened_ms is None else max(0, listened_ms - stored.listened_ms)
    no_later_ms = now_ms - silence_ms
    may_be_behind = stored.at_ms < stored.latest_ms - FUTURE_MS
    if may_be_behind or not is_believable(stored.at_ms, no_later_ms):
        return LastContact(no_later_ms, True, silence_ms)
    return LastContact(min(stored.at_ms, no_later_ms), False, silence_ms)


def judge(last: LastContact | None, now_ms: int, silent_after_ms: int = SILENT_AFTER_MS) -> Verdict:
    """Decide whether the unit is online, silent, unknown or never heard. `last` is None if there was no contact.

    Exactly `silent_after_ms` is not silence yet; one millisecond more is. An estimated last contact is an upper bound,
    so it can prove silence but not that the unit is online.
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
    """Return the times that our clock has skipped. `steps` are (time after the step, size of the step), both in ms. A
    step back removes what lies after it."""
    found: list[Gap] = []
    for at_ms, by_ms in steps:
        if by_ms > 0:
            found.append(Gap(at_ms - by_ms, at_ms))
        else:
            back = (gap if gap.to_ms <= at_ms else Gap(gap.from_ms, gap.to_ms + by_ms) for gap in found)
            found = [gap for gap in back if gap.from_ms < gap.to_ms]
    return found


def gap_between(last_ok_ms: int | None, now_ms: int) -> Gap | None:
    """Return the outage between two canaries, or None if the second came in time or there was no first."""
    if last_ok_ms is None or now_ms - last_ok_ms <= OUTAGE_AFTER_MS:
        return None
    return Gap(last_ok_ms, now_ms)


def proves_listening(received_ms: int, committed_ms: int) -> bool:
    """Return whether a canary proves that units could reach us when it came. A canary that took long to be committed
    does not: during that time no message was acknowledged and no unit could log in."""
    return committed_ms - received_ms <= OUTAGE_AFTER_MS


def merged(gaps: Iterable[Gap]) -> list[Gap]:
    """Return the union of the gaps, without overlaps, oldest first."""
    whole: list[Gap] = []
    for gap in sorted(gaps):
        if whole and gap.from_ms <= whole[-1].to_ms:
            whole[-1] = Gap(whole[-1].from_ms, max(whole[-1].to_ms, gap.to_ms))
        else:
            whole.append(gap)
    return whole


class UptimeLedger:
    """The times in which we were listening. A canary calls `heartbeat_ok` every 5 s; if the next one is late, the time
    between the two is an outage.

    The ledger starts with the outages and the last canary of the previous process. The time from that canary to the
    first one of this process is an outage too. `start_ms` is when this process began. If the previous process has
    stored a later time, its clock was wrong or ours is. It is not known yet which, so those outages are kept unchanged
    and converted to the present clock on each query.

    Beside the outages, which are for people to see, the ledger counts the total listening time: the time between
    canaries that came in time, by the clock without its steps. Contact states are decided by that count alone.
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
        self._listened_ms = listened_ms  # the total by the last canary
        self.others_listened_ms: dict[int, int] = {}  # by shard, as each has stored it last
        self._others_listening = 0  # the number of other shards that were listening at the last `learn`
        self._earlier = list(gaps)[-KEPT_GAPS:]  # outages of earlier processes
        self._earlier_ok_ms = last_ok_ms
        self._earlier_moved_ms = 0  # by which steps forward have moved `_earlier_ok_ms`
        self._start_ms = start_ms
        self._first_ok_ms: int | None = None  # the first canary of this process
        self._gaps: list[Gap] = []  # between canaries of this process
        self._others: list[Gap] = []  # outages of other shards
        self._over: list[Gap] | None = None  # cache: all outages that have ended, oldest first
        self.last_ok_ms = self._earlier_end_ms()  # the last canary

    def learn(self, gaps: Iterable[Gap], others: Mapping[int, Listened], now_ms: int) -> None:
        """Take from the store what other shards have recorded: their outages that have ended, and their listening
        times."""
        self.others_listened_ms = {shard: listened.total_ms for shard, listened in others.items()}
        ends = (listened.until_ms for listened in others.values())
        outage = [Gap(at_ms, now_ms) for at_ms in ends if now_ms - at_ms > OUTAGE_AFTER_MS]
        self._others_listening = len(others) - len(outage)
        over = (gap for gap in gaps if is_believable(gap.to_ms, now_ms))
        self._others = merged([*over, *outage])[-KEPT_GAPS:]
        self._over = None

    def shard_listened_ms(self, shard: int, now_ms: int) -> int | None:
        """Return the total listening time of a shard in ms; of another shard, as it last stored it, or None if that is
        not known yet."""
        return self.listened_ms(now_ms) if shard == self._shard else self.others_listened_ms.get(shard)

    def listened_ms(self, now_ms: int) -> int:
        """Return our total listening time by now, in ms.

        It never grows by more than the time that passes. When a canary is late, the result falls back a little, because
        the time since the last canary does not count any more.
        """
        since_ms = self._since_last_ok_ms(now_ms)
        return self._listened_ms + (since_ms if self.last_ok_ms is None or since_ms <= OUTAGE_AFTER_MS else 0)

    def listened_at_most_ms(self, now_ms: int) -> int:
        """Return an upper bound of `listened_ms` to store with a contact: it includes what a canary that is still being
        committed may add (proves_listening)."""
        since_ms = self._since_last_ok_ms(now_ms)
        return self._listened_ms + (since_ms if self.last_ok_ms is None else min(since_ms, 2 * OUTAGE_AFTER_MS))

    def _since_last_ok_ms(self, now_ms: int) -> int:
        """Return the time since the last canary of this process; 0 before its first. With a new store, which has no
        canary yet, count from the start of the process."""
        from_ms = self._start_ms if self.last_ok_ms is None else self.last_ok_ms
        is_ours = self.last_ok_ms is None or self._first_ok_ms is not None
        return max(0, now_ms - from_ms) if is_ours and from_ms is not None else 0

    def deaf(self, now_ms: int, shard: int | None = None) -> list[str]:
        """Return the names of the cluster nodes on which we are not listening: of the nodes that a unit on this path
        may be connected to, or of all. Always empty without a cluster; PathLedger overrides it."""
        return []

    def open_outage(self, now_ms: int) -> Gap | None:
        """Return the outage that has not ended, or None while canaries come in time."""
        return gap_between(self.last_ok_ms, now_ms)

    def open_gaps(self, now_ms: int) -> dict[int, Gap]:
        """Return the outages that have not ended, by path. Only a cluster has several (path_ledger.py)."""
        gap = self.open_outage(now_ms)
        return {} if gap is None else {ALL: gap}

    def is_listening(self, now_ms: int, shards: int) -> bool:
        """Return whether all of `shards` shards are listening: this one by its own canaries, the others as of the last
        `learn`."""
        is_ours = self.last_ok_ms is not None and self.open_outage(now_ms) is None
        return is_ours and self._others_listening >= shards - 1

    def heartbeat_ok(self, now_ms: int) -> None:
        """Record a canary that came through. It ends the current outage, if there is one."""
        self._listened_ms = self.listened_ms(now_ms)
        if self._first_ok_ms is None:
            self._first_ok_ms = now_ms
            self._over = None
        elif (gap := self.open_outage(now_ms)) is not None:
            self._gaps = [*self._gaps, gap][-KEPT_GAPS:]
            self._over = None
        self.last_ok_ms = later(self.last_ok_ms, now_ms)

    def stepped(self, by_ms: int) -> None:
        """Follow a step of our clock: move the timestamps of this process by it, so that their age does not change."""
        self._gaps = [Gap(gap.from_ms + by_ms, gap.to_ms + by_ms) for gap in self._gaps]
        self._others = []  # until the next `learn`
        self._over = None
        ended_ms, start_ms = self._earlier_ok_ms, self._start_ms
        if by_ms < 0 or (ended_ms is not None and start_ms is not None and is_believable(ended_ms, start_ms)):
            self._earlier_moved_ms = max(0, self._earlier_moved_ms + by_ms)
        self._start_ms = _moved(self._start_ms, by_ms)
        self._first_ok_ms = _moved(self._first_ok_ms, by_ms)
        self.last_ok_ms = self._earlier_end_ms() if self._first_ok_ms is None else _moved(self.last_ok_ms, by_ms)

    def outages(self, now_ms: int) -> list[Gap]:
        """Return all outages, oldest first, including the one that has not ended."""
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
        """Return the last canary of the previous process, on the present clock."""
        ended_ms, start_ms = _moved(self._earlier_ok_ms, self._earlier_moved_ms), self._start_ms
        return ended_ms if ended_ms is None or start_ms is None else min(ended_ms, start_ms)

    def _earlier_gaps(self) -> list[Gap]:
        start_ms, ended_ms = self._start_ms, self._earlier_ok_ms
        if start_ms is None or all(is_believable(gap.to_ms, start_ms) for gap in self._earlier):
            return self._earlier
        if ended_ms is None or is_believable(ended_ms, start_ms):  # the clock that wrote them was corrected long ago
            return [gap for gap in self._earlier if is_believable(gap.to_ms, start_ms)]
        moved = (
            Gap(*(at if is_believable(at, start_ms) else estimated_ms(at, ended_ms, start_ms) for at in gap))
            for gap in self._earlier
        )
        return [gap for gap in moved if gap.from_ms < gap.to_ms]


def _moved(at_ms: int | None, by_ms: int) -> int | None:
    return None if at_ms is None else at_ms + by_ms
