"""Write units' reports of attacks to the security log: wrong installer codes on their consoles.

A report is logged when it is committed. A redelivered report is logged only once by the same process.
"""

from collections import OrderedDict
from functools import partial

from cloud_bridge.clock import iso_utc
from cloud_bridge.security_log import SecurityLog
from cloud_bridge.store.recorder import OnCommit
from cloud_bridge.store.security_events import Kind
from cloud_bridge.wire import MAX_COUNT, Event, Message

WRONG_CODE = "wrong installer code"  # `what` of the event, by tests/samples/schema.toml
REMEMBERED_MAX = 2000  # reports, to detect redeliveries

Report = tuple[str, int | None, int | None]  # the unit, boot and sequence


class UnitSecurity:
    """Detects and logs such reports. Used on one event loop."""

    def __init__(self, security_log: SecurityLog) -> None:
        self._security_log = security_log
        self._recorded: OrderedDict[Report, None] = OrderedDict()

    def recording(self, unit_id: str, message: Message | None, committed: OnCommit) -> OnCommit:
        """Return the function to call when the message is committed. It logs the message if it is such a report, and
        calls `committed`."""
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
    """Return the number of wrong installer codes that an event reports, or None if it reports none."""
    if not isinstance(message, Event) or message.kind != "security" or not message.details:
        return None
    what, times = message.details.get("what"), message.details.get("times")
    return times if what == WRONG_CODE and type(times) is int and 0 < times <= MAX_COUNT else None
