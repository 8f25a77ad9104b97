"""What a unit reports about an attack on itself goes to the security log: wrong installer codes on its console.

It is recorded when the report is committed. A report that is delivered again is recorded once, as long as this process runs.
"""

from collections import OrderedDict
from functools import partial

from cloud_bridge.clock import iso_utc
from cloud_bridge.security_log import SecurityLog
from cloud_bridge.store.recorder import OnCommit
from cloud_bridge.store.security_events import Kind
from cloud_bridge.wire import MAX_COUNT, Event, Message

WRONG_CODE = "wrong installer code"  # `what` of the event, by tests/samples/schema.toml
REMEMBERED_MAX = 2000  # reports, to recognise one that is delivered again

Report = tuple[str, int | None, int | None]  # the unit, boot and sequence


class UnitSecurity:
    """Used on one event loop."""

    def __init__(self, security_log: SecurityLog) -> None:
        self._security_log = security_log
        self._recorded: OrderedDict[Report, None] = OrderedDict()

    def recording(self, unit_id: str, message: Message | None, committed: OnCommit) -> OnCommit:
        """What to call when the message is committed: records it if it is for the security log, and calls `committed`."""
        times = wrong_codes(message)
        if message is None or times is None:
            return committed
        at = "" if message.unit_time_s is None else f", {iso_utc(message.unit_time_s * 1000)} by its clock"
        report = unit_id, message.boot, message.sequence
        return partial(self._record, report, f"{times} since the right one{at}", committed)

    def _record(self, report: Report, about: str, committed: OnCommit) -> None:
        if report not in self._recorded:
            self._recorded[report] = None
            if len(self._recorded) > REMEMBERED_MAX:
                self._recorded.popitem(last=False)
            self._security_log.note(Kind.WRONG_INSTALLER_CODE, f"charger {report[0]}", about=about)
        committed()


def wrong_codes(message: Message | None) -> int | None:
    """The number of wrong installer codes that an event reports; None if it reports none."""
    if not isinstance(message, Event) or message.kind != "security" or not message.details:
        return None
    what, times = message.details.get("what"), message.details.get("times")
    return times if what == WRONG_CODE and type(times) is int and 0 < times <= MAX_COUNT else None
