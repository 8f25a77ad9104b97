"""Detection of two charge points with one identity, as distinct from one that reconnects or lost its memory. Pure.

Two charge points share an identity if a flash image or a settings file was copied to a second board, or if a replaced
board is powered up elsewhere. Both log in with the same id and secret, and each login ends the connection of the other
([MQTT-3.1.4-2]).

Every message carries a boot count and a sequence number. A heartbeat is numbered when it is sent and is never queued,
so the heartbeats of one charge point form a single count that only goes forward. Two charge points have two counts that
both go on. The evidence is therefore a **return**: a heartbeat that continues another count than the heartbeat before
it.

    case                                         boot.sequence of heartbeats     evidence
    -------------------------------------------------------------------------------------------------------------
    two boards                                   17.5  4.9  17.6  4.10  17.7     a return with every turn
    two copies of one flash image                17.500  17.3  17.501  17.4      a return with every turn: the boot counts
                                                                                 are equal, the sequences are not
    two copies that count in step                17.5  17.5  17.6  17.6          two messages with the same number
    restarts, however many                       17.5  18.1  19.1                none: the count continues
    roaming, reconnecting, taking itself over    17.5  17.6  17.7                none: the count continues
    board replaced, flash erased                 17.5  4.1  4.2  5.1             none: the first count never returns
    flash that cannot count (random sequence)    0.871  0.22  0.5013             none: no count is continued
    records of earlier boots from the outbox     -                               none: records have numbers of their own
    a record delivered again, with its time now  -                               none: it is the same record
    retained or redelivered by a broker          -                               none: not live, so not compared
    delivered out of order                       18.1  17.9  18.2                none: see `_is_late`
    two whose sequence stands still              17.1  4.1  17.1  4.1            a return with every turn, with the
                                                                                 embedded broker only
    two boards that send boot counts alone       17  4  17  4                    a return with every turn: heartbeats are
                                                                                 numbered as they arrive
    restart of the bridge                        -                               none: the comparison begins anew, and a
                                                                                 known pair has to be detected again
    several processes                            -                               none: each takes whole units (shard.py)

Two copies of one flash image that are switched on together count in step, so that their alternating heartbeats may look
like one count. But then both use the same numbers. Two messages with one number are a return too: heartbeats with
different times of the unit, and journal records with different contents or times.

A heartbeat continues a count if it has the same boot and a sequence that is higher by NEAR_SEQUENCE at most, or a boot
that is higher by NEAR_BOOTS at most. One connection belongs to one charge point, so only the first heartbeat of a
connection can be a return. A count that passes the last number of a count that has ended looks like a return once, so
one return is not enough.

Two charge points are reported when the returns of the last WITHIN_MS have a total weight of CONCLUSIVE. A return weighs
2 if its connection took over one that had been heard within ALIVE_MS, which the embedded broker can tell, and 1
otherwise. So three returns are enough with the embedded broker, and six with an outside broker, which does not report
take-overs. Take-overs alone are no evidence: a modem that reconnects causes as many.

Not detected: charge points whose heartbeats have no boot count, or equal boot counts and no sequence number; behind an
outside broker, turns shorter than LATE_MS of charge points that do not know the time; and a charge point that is on
only while the other is off.
"""

from collections.abc import Sequence
from typing import NamedTuple

from cloud_bridge.durations import DAY_MS, HOUR_MS

WITHIN_MS = 6 * HOUR_MS  # only returns of this time count. Two boards take turns about every minute
CONCLUSIVE = 6  # total weight of the returns
CLEAR_AFTER_MS = DAY_MS  # the finding ends this long after the last return
ALIVE_MS = 5 * 60 * 1000  # a connection heard within this time was alive when it was taken over
LATE_MS = 10 * 1000  # the longest delay by which a broker lets one message overtake another
SAME_TIME_S = 2  # if a unit computes the time of a record again, the result differs by less
NEAR_SEQUENCE = 10_000  # messages lost or queued in between; a flash that cannot count draws from 2**30 numbers
NEAR_BOOTS = 100  # restarts without a connection; an erased flash draws from 2**29 numbers
MAX_COUNTS = 4  # counts remembered for each unit
MAX_RETURNS = 8


class Connection(NamedTuple):
    """A connection of a unit to the embedded broker."""

    number: int  # a later connection has a higher one
    took_over: bool  # it ended another of the same identity that had been heard within ALIVE_MS


class Numbered(NamedTuple):
    """The fields of a live heartbeat that are compared."""

    boot: int
    sequence: int
    unit_time_s: int | None
    received_ms: int
    connection: Connection | None  # None with an outside broker, which does not tell


class Record(NamedTuple):
    """The fields of a journal record that are compared."""

    boot: int
    sequence: int
    content: int  # a checksum of the record without its times
    unit_time_s: int | None
    connection: Connection | None


class Return(NamedTuple):
    """A heartbeat that continued another count than the one before it, or a message with the number of another
    message."""

    at_ms: int
    weight: int


class Counts(NamedTuple):
    """The counts of one identity's heartbeats, and the returns so far."""

    newest: tuple[Numbered, ...]  # the newest heartbeat of each count; the one that was received last comes first
    returns: tuple[Return, ...] = ()

    def stepped(self, by_ms: int) -> "Counts":
        """Follow a step of our clock: move all timestamps by it, so that their age does not change."""
        return Counts(
            tuple(one._replace(received_ms=one.received_ms + by_ms) for one in self.newest),
            tuple(one._replace(at_ms=one.at_ms + by_ms) for one in self.returns),
        )


class Compared(NamedTuple):
    """The result of comparing a message: the new counts, and whether the message is a return."""

    counts: Counts
    is_return: bool = False


class Evidence(NamedTuple):
    """The evidence that two charge points have one identity."""

    returns: tuple[Return, ...]  # oldest first
    boot: int  # the boot count of the charge point that was heard last
    other_boot: int  # that of the other; it may be equal


def compare(counts: Counts, heartbeat: Numbered) -> Compared:
    """Return the counts after this heartbeat, which must be live and not a redelivery."""
    current, *others = counts.newest
    now_ms = heartbeat.received_ms
    others = [one for one in others if now_ms - one.received_ms <= WITHIN_MS]
    returns = tuple(one for one in counts.returns if now_ms - one.at_ms <= WITHIN_MS)
    unchanged, goes_on = Compared(Counts((current, *others), returns)), Compared(Counts((heartbeat, *others), returns))
    if heartbeat.connection is not None and heartbeat.connection == current.connection:
        return goes_on if _numbers(heartbeat) > _numbers(current) else unchanged
    known = unchanged.counts.newest
    same = [one for one in known if _numbers(one) == _numbers(heartbeat)]
    if same:
        is_return = _is_another(same[0], heartbeat) or _is_of_another_boot(current, heartbeat)
        return _returned(unchanged.counts, same[0], heartbeat) if is_return else unchanged
    continued = [one for one in known if _continues(heartbeat, one)]
    count = max(continued, key=_numbers, default=None)
    if count is current:
        return goes_on
    if _is_late(heartbeat, current):
        return unchanged
    if count is None:
        return Compared(Counts((heartbeat, *known[: MAX_COUNTS - 1]), returns))
    return _returned(unchanged.counts, count, heartbeat)


def compare_record(counts: Counts, newest: Record, record: Record, received_ms: int) -> Compared:
    """Return the counts after this journal record, which was received after `newest`. Only equal numbers are compared,
    since an outbox may deliver records in any order."""
    has_same_number = (record.boot, record.sequence) == (newest.boot, newest.sequence)
    is_same_connection = record.connection is not None and record.connection == newest.connection
    if not has_same_number or is_same_connection or is_same_record(record, newest):
        return Compared(counts)
    made = Return(received_ms, _weight(record.connection))
    return Compared(counts._replace(returns=(*counts.returns, made)[-MAX_RETURNS:]), True)


def is_same_record(one: Record, other: Record) -> bool:
    """Return whether two deliveries with one number are the same record. A unit that has learned the time in between
    adds it to the record."""
    if one.content != other.content:
        return False
    return is_same_time(one.unit_time_s, other.unit_time_s)


def is_same_time(one_s: int | None, other_s: int | None) -> bool:
    """Return whether two times of the unit can belong to one record. An unknown time matches any."""
    return one_s is None or other_s is None or abs(one_s - other_s) <= SAME_TIME_S


def is_conclusive(returns: Sequence[Return]) -> bool:
    """Return whether these returns of one identity, all within WITHIN_MS, prove two charge points."""
    return sum(one.weight for one in returns) >= CONCLUSIVE


def evidence(counts: Counts, now_ms: int) -> Evidence | None:
    """Return the evidence at `now_ms` that there are two charge points, or None if there is not enough."""
    returns = tuple(one for one in counts.returns if now_ms - one.at_ms <= WITHIN_MS)
    if not is_conclusive(returns):
        return None
    boots = [one.boot for one in counts.newest]
    return Evidence(returns, boots[0], boots[1] if len(boots) > 1 else boots[0])


def _continues(heartbeat: Numbered, newest: Numbered) -> bool:
    """Return whether the heartbeat continues the count whose newest heartbeat is `newest`."""
    if heartbeat.boot == newest.boot:
        return 0 < heartbeat.sequence - newest.sequence <= NEAR_SEQUENCE
    return 0 < heartbeat.boot - newest.boot <= NEAR_BOOTS


def _numbers(one: Numbered) -> tuple[int, int]:
    return one.boot, one.sequence


def _is_another(one: Numbered, heartbeat: Numbered) -> bool:
    """Return whether two heartbeats with the same numbers were written at different times. One charge point never uses
    a number twice."""
    return None not in (one.unit_time_s, heartbeat.unit_time_s) and one.unit_time_s != heartbeat.unit_time_s


def _is_of_another_boot(current: Numbered, heartbeat: Numbered) -> bool:
    """Return whether the heartbeat has another boot than the last one, both over connections to the embedded broker,
    where nothing is redelivered after the next boot."""
    return heartbeat.boot != current.boot and None not in (heartbeat.connection, current.connection)


def _is_late(heartbeat: Numbered, current: Numbered) -> bool:
    """Return whether the heartbeat was written before the one that was received last and was overtaken by it: its
    number is lower, it came within LATE_MS, and it does not carry a later time. With the embedded broker nothing is
    overtaken, since it closes the older connection before it accepts the newer one."""
    if _numbers(heartbeat) > _numbers(current) or None not in (heartbeat.connection, current.connection):
        return False
    if heartbeat.received_ms - current.received_ms > LATE_MS:
        return False
    written_s, overtaken_by_s = heartbeat.unit_time_s, current.unit_time_s
    return written_s is None or overtaken_by_s is None or written_s <= overtaken_by_s


def _returned(counts: Counts, count: Numbered, heartbeat: Numbered) -> Compared:
    others = [one for one in counts.newest if one is not count]
    made = Return(heartbeat.received_ms, _weight(heartbeat.connection))
    return Compared(Counts((heartbeat, *others), (*counts.returns, made)[-MAX_RETURNS:]), True)


def _weight(connection: Connection | None) -> int:
    return 2 if connection is not None and connection.took_over else 1
