"""Is every acknowledged message in the database, exactly once, with a true stamp? Pure: compares what was sent and stored.

- A journal record is identified by unit, boot and sequence.
- A heartbeat leaves a row in `power`, which is only identified by its stamp: it belongs to the heartbeat that was outstanding
  then. A row without one is a **false contact**. The numbers of the newest heartbeat are compared too.
- The last contact is not earlier than the PUBLISH of the last acknowledged message.
- A stamp is true if it is between the PUBLISH and its PUBACK; the distance from this interval is its error.
- A **false silence** was noticed within the unit's limit after an acknowledged message.

An external broker acknowledges before the bridge has received the message, so a stamp may be later than the PUBACK. What it
acknowledged while the bridge was down is stored, but is not contact. `Terms` has both.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hil_tests.fleet.log import Delivery
from hil_tests.fleet.rows import JOURNALS, Stored

DEFAULT_SILENT_AFTER_MS = 30 * 60 * 1000
SHOWN = 20  # of each kind of fault


class Terms(NamedTuple):
    """Tolerances of a run."""

    clock_error_ms: float = 5.0  # between this machine's clock and the clock that stamps
    later_ms: float = 0.0  # how much later than the PUBACK a stamp may be
    unread_ms: float = 5000.0  # how long a broker may still read what was sent before the end of a connection
    away_ms: tuple[tuple[float, float], ...] = ()  # when the bridge did not receive from its broker


class Message(NamedTuple):
    """All deliveries of one message."""

    kind: str
    key: tuple[str, int, int]
    has_csq: bool
    sent_ms: float  # the first PUBLISH
    last_sent_ms: float
    ended_ms: float
    is_acknowledged: bool


class Verdict(NamedTuple):
    """Numbers of messages, and times in ms. `faults` are texts, at most SHOWN of each kind."""

    acknowledged: Counter[str]  # by kind
    found: Counter[str]
    not_contact: int  # heartbeats that an external broker acknowledged while the bridge was down
    lost: int
    doubled: int
    unsent: int  # stored records that were not sent
    contact_behind: int  # units whose last contact or newest heartbeat is older than what was acknowledged
    signal_lost: int  # stored heartbeats without their signal
    false_contact: int
    false_silence: int
    stamp_after_ms: list[float]  # of heartbeats: from the last PUBLISH to the stamp
    stamp_error_ms: list[float]
    faults: list[str]

    @property
    def is_good(self) -> bool:
        """Whether nothing is lost, doubled or invented, and every stamp is true."""
        return not self.faults


def judge(deliveries: Iterable[Delivery], stored: Stored, terms: Terms) -> Verdict:
    """Judge one run."""
    return _Judge(deliveries, stored, terms).verdict()


def messages_of(deliveries: Iterable[Delivery]) -> dict[str, list[Message]]:
    """Return the messages by unit, in the order of their first PUBLISH."""
    found: dict[tuple[str, int, int], Message] = {}
    for one in deliveries:
        seen = found.get(one.key)
        times = (one.sent_ms, one.last_sent_ms, one.ended_ms, one.is_acknowledged)
        if seen is not None:
            sent_ms, last_sent_ms = min(seen.sent_ms, one.sent_ms), max(seen.last_sent_ms, one.last_sent_ms)
            times = (
                sent_ms,
                last_sent_ms,
                max(seen.ended_ms, one.ended_ms),
                seen.is_acknowledged or one.is_acknowledged,
            )
        found[one.key] = Message(one.kind, one.key, one.has_csq, *times)
    by_unit: dict[str, list[Message]] = defaultdict(list)
    for message in sorted(found.values(), key=lambda each: each.sent_ms):
        by_unit[message.key[0]].append(message)
    return by_unit


class _Judge:
    def __init__(self, deliveries: Iterable[Delivery], stored: Stored, terms: Terms) -> None:
        self._stored, self._terms = stored, terms
        self._messages = messages_of(deliveries)
        self._acknowledged, self._found, self._faults = Counter[str](), Counter[str](), Counter[str]()
        self._not_contact = 0
        self._after_ms: list[float] = []
        self._error_ms: list[float] = []
        self._words: list[str] = []

    def verdict(self) -> Verdict:
        for unit_id in self._messages.keys() | self._stored.power_ms.keys():
            messages = self._messages.get(unit_id, [])
            self._acknowledged.update(one.kind for one in messages if one.is_acknowledged)
            for kind in JOURNALS:
                self._journal(unit_id, kind, [one for one in messages if one.kind == kind])
            self._heartbeats(unit_id, [one for one in messages if one.kind == "heartbeat"])
            self._last_contact(unit_id, messages)
        self._silences()
        faults = self._faults
        return Verdict(
            self._acknowledged,
            self._found,
            self._not_contact,
            faults["lost"],
            faults["doubled"],
            faults["unsent"],
            faults["contact behind"],
            faults["signal lost"],
            faults["false contact"],
            faults["false silence"],
            self._after_ms,
            self._error_ms,
            self._words,
        )

    def _journal(self, unit_id: str, kind: str, messages: Sequence[Message]) -> None:
        boots = {one.key[1] for one in messages}
        rows = Counter((unit_id, *numbers) for numbers in self._stored.journal[kind].get(unit_id, []))
        for message in messages:
            count = rows.pop(message.key, 0)
            if count > 1:
                self._fault("doubled", f"{kind} {message.key} is stored {count} times")
            if message.is_acknowledged and count:
                self._found[kind] += 1
            elif message.is_acknowledged:
                self._fault("lost", f"{kind} {message.key}, acknowledged at {message.ended_ms:.0f}, is not stored")
        for key in rows:
            if key[1] in boots:  # otherwise from an earlier run
                self._fault("unsent", f"{kind} {key} is stored, but was not sent")

    def _heartbeats(self, unit_id: str, messages: Sequence[Message]) -> None:
        """Assign each stamp to the first outstanding heartbeat without a row.

        Of several, prefer one that agrees with the stamp on having a signal, then an acknowledged one.
        """
        signal_ms = set(self._stored.signal_ms.get(unit_id, []))
        has_row: set[tuple[str, int, int]] = set()
        begin = 0
        for stamp_ms in self._stored.power_ms.get(unit_id, []):
            while begin < len(messages) and self._latest_ms(messages[begin]) < stamp_ms:
                begin += 1
            under_way = [one for one in messages[begin:] if self._is_under_way(one, stamp_ms)]
            free = [one for one in under_way if one.key not in has_row]
            if not under_way:
                self._fault("false contact", f"{unit_id} has a heartbeat of {stamp_ms}, but sent none then")
            elif not free:
                self._fault("doubled", f"heartbeat {under_way[0].key} is stored twice, at {stamp_ms} too")
            else:
                has_signal = stamp_ms in signal_ms
                heard = min(free, key=lambda each: (each.has_csq is not has_signal, not each.is_acknowledged))
                has_row.add(heard.key)
                self._stamp(heard, stamp_ms, signal_ms)
        for message in messages:
            if message.is_acknowledged and message.key in has_row:
                self._found["heartbeat"] += 1
            elif message.is_acknowledged and self._was_away(message):
                self._not_contact += 1
            elif message.is_acknowledged:
                self._fault("lost", f"heartbeat {message.key}, acknowledged at {message.ended_ms:.0f}, is not stored")

    def _stamp(self, message: Message, stamp_ms: int, signal_ms: set[int]) -> None:
        if message.has_csq and stamp_ms not in signal_ms:
            self._fault("signal lost", f"the signal of heartbeat {message.key}, at {stamp_ms}, is not stored")
        if message.is_acknowledged:
            self._after_ms.append(stamp_ms - message.last_sent_ms)
            self._error_ms.append(max(0.0, message.sent_ms - stamp_ms - 1, stamp_ms - message.ended_ms))

    def _last_contact(self, unit_id: str, messages: Sequence[Message]) -> None:
        counted = [one for one in messages if one.is_acknowledged and not self._was_away(one)]
        last_ms = self._stored.contacts.get(unit_id)
        begin_ms = (
            messages[0].sent_ms - self._terms.clock_error_ms if messages else float("inf")
        )  # otherwise from an earlier run
        if (last_ms or 0) >= begin_ms and not any(self._is_under_way(one, last_ms or 0) for one in messages):
            self._fault("false contact", f"{unit_id} has a last contact at {last_ms}, but sent nothing then")
        if not counted:
            return
        newest = max(counted, key=lambda each: each.sent_ms)
        if last_ms is None or last_ms < newest.sent_ms - 1 - self._terms.clock_error_ms:
            self._fault("contact behind", f"{unit_id} was last heard at {last_ms}, and {newest.key} is acknowledged")
            return
        numbers = [one.key[1:] for one in counted if one.kind == "heartbeat"]
        boot, sequence = self._stored.heartbeats.get(unit_id, (None, None))
        is_one_board = len({one.key[1] for one in messages}) == 1
        if is_one_board and numbers and (boot or 0, sequence or 0) < max(numbers):
            self._fault(
                "contact behind", f"{unit_id}: heartbeat {max(numbers)} is acknowledged, and an older one stored"
            )

    def _silences(self) -> None:
        for unit_id, at_ms in self._stored.silences:
            limit_ms = self._stored.silent_after_ms.get(unit_id, DEFAULT_SILENT_AFTER_MS)
            if any(
                at_ms - limit_ms < one.ended_ms <= at_ms
                for one in self._messages.get(unit_id, [])
                if one.is_acknowledged
            ):
                self._fault("false silence", f"{unit_id} was noticed silent at {at_ms}, {limit_ms} ms after a message")

    def _is_under_way(self, message: Message, stamp_ms: float) -> bool:
        return message.sent_ms - 1 - self._terms.clock_error_ms <= stamp_ms <= self._latest_ms(message)

    def _latest_ms(self, message: Message) -> float:
        """Return the latest stamp that the message can have."""
        later_ms = self._terms.later_ms if message.is_acknowledged else self._terms.later_ms + self._terms.unread_ms
        return message.ended_ms + self._terms.clock_error_ms + later_ms

    def _was_away(self, message: Message) -> bool:
        return any(message.sent_ms <= to_ms and message.ended_ms >= from_ms for from_ms, to_ms in self._terms.away_ms)

    def _fault(self, kind: str, words: str) -> None:
        self._faults[kind] += 1
        if self._faults[kind] <= SHOWN:
            self._words.append(f"{kind}: {words}")
