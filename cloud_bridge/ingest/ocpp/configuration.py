"""Configure a charger after its boot, so that it works without a connection as far as it can, and read its answers.
Pure.

The CALLs depend on the version of OCPP (v16.py, v201.py). Each setting is set in a CALL of its own, one after the
other, because some chargers accept only one at a time. Then the settings that explain a charger's behaviour are read.
The others are not read, because they may include passwords (lbbrhzn/ocpp#899).

Some chargers send a BootNotification with every connection. They are configured once a day at most, once they have
answered. A charger that does not support the CALL is not sent the remaining ones.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from cloud_bridge.durations import DAY_MS
from cloud_bridge.ingest.ocpp.fields import text
from cloud_bridge.ingest.ocpp.frames import Reply
from cloud_bridge.ingest.ocpp.orders import CANNOT, Step
from cloud_bridge.ocpp_settings import Answered, Told, Tried

AGAIN_AFTER_S = DAY_MS // 1000
MAX_NAME, MAX_VALUE = 60, 100  # characters
SAMPLE_S = 60  # between two meter values of a transaction, the interval of our own units

# The statuses of the answers, in lower case.
_ANSWERS = {
    "accepted": Answered.ACCEPTED,
    "rebootrequired": Answered.REBOOT,
    "notsupported": Answered.UNKNOWN,
    "unknowncomponent": Answered.UNKNOWN,
    "unknownvariable": Answered.UNKNOWN,
    "notsupportedattributetype": Answered.UNKNOWN,
}


class Wish(NamedTuple):
    """A setting, its wanted value, and the CALL that sets it."""

    name: str
    value: str
    step: Step


class SetUp(NamedTuple):
    """The configuration for a version of OCPP."""

    wishes: tuple[Wish, ...]  # settings to set
    asks: tuple[Step, ...]  # CALLs that read settings
    status: Callable[[dict[str, Any]], Any]  # extracts the status from the answer to a wish
    told: Callable[[dict[str, Any]], list[Told]]  # extracts the settings from the answer to an ask


class SettingUp:
    """The configuration of one charger in progress. The next CALL is sent when the previous one is answered."""

    def __init__(self, set_up: SetUp) -> None:
        self._set_up = set_up
        self._wishes, self._asks = deque(set_up.wishes), deque(set_up.asks)
        self._wish: Wish | None = None

    def next(self) -> Step | None:
        """Return the next CALL, or None if all have been answered."""
        self._wish = self._wishes.popleft() if self._wishes else None
        if self._wish is not None:
            return self._wish.step
        return self._asks.popleft() if self._asks else None

    def answered(self, reply: Reply) -> list[Tried | Told]:
        """Process the answer to the last CALL. Return what it tells about settings."""
        is_unknown = reply.error in CANNOT
        if self._wish is None:
            if is_unknown:
                self._asks.clear()
            return [] if reply.error else list(self._set_up.told(reply.payload))
        found = [self._wish]
        if is_unknown:
            found += self._wishes
            self._wishes.clear()
        said = Answered.UNKNOWN if is_unknown else Answered.REJECTED if reply.error else self._said(reply)
        return [Tried(one.name, one.value, said) for one in found]

    def _said(self, reply: Reply) -> Answered:
        """Read the status of an answer. A missing or unknown status counts as a refusal."""
        return _ANSWERS.get((text(self._set_up.status(reply.payload)) or "").lower(), Answered.REJECTED)


def is_due(last_s: int, now_s: int) -> bool:
    """Return whether a charger that boots now is to be configured. `last_s` is when it last was; 0 for never."""
    return not 0 <= now_s - last_s < AGAIN_AFTER_S


def told(found: Iterable[tuple[Any, Any]], asked: Sequence[str]) -> list[Told]:
    """Return those of the names and values that a charger sent which are in `asked`."""
    names = {name.lower(): name for name in asked}
    settings = []
    for said, value in found:
        name = names.get((text(said, MAX_NAME) or "").lower())
        if name is not None:
            shown = str(value).lower() if isinstance(value, bool) else text(value, MAX_VALUE)
            settings.append(Told(name, shown))
    return settings
