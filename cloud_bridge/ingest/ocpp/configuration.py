"""What is set at a charger once it has booted, so that it goes on without us as far as it can, and its answers. Pure.

How a setting is written is a version's own (v16.py, v201.py). One is set after the other, each in a CALL of its own: some
chargers take one at a time alone. Then those settings are asked for that explain how a charger behaves, and none of the
others, among which there may be passwords (lbbrhzn/ocpp#899).

A charger that boots with each of its connections is not set up each time: once a day is enough, once it has answered. One that
knows no such CALL is not sent it again.
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
SAMPLE_S = 60  # between two readings of a transaction: as often as our own units tell

# What it says of a setting, in small letters.
_ANSWERS = {
    "accepted": Answered.ACCEPTED,
    "rebootrequired": Answered.REBOOT,
    "notsupported": Answered.UNKNOWN,
    "unknowncomponent": Answered.UNKNOWN,
    "unknownvariable": Answered.UNKNOWN,
    "notsupportedattributetype": Answered.UNKNOWN,
}


class Wish(NamedTuple):
    """A setting as we want it, and the CALL for it."""

    name: str
    value: str
    step: Step


class SetUp(NamedTuple):
    """Of a version of OCPP."""

    wishes: tuple[Wish, ...]
    asks: tuple[Step, ...]
    status: Callable[[dict[str, Any]], Any]  # in the answer to a wish
    told: Callable[[dict[str, Any]], list[Told]]  # in the answer to an ask


class SettingUp:
    """One charger, on the way. A CALL is given once the one before it is answered."""

    def __init__(self, set_up: SetUp) -> None:
        self._set_up = set_up
        self._wishes, self._asks = deque(set_up.wishes), deque(set_up.asks)
        self._wish: Wish | None = None

    def next(self) -> Step | None:
        """None: it has answered all."""
        self._wish = self._wishes.popleft() if self._wishes else None
        if self._wish is not None:
            return self._wish.step
        return self._asks.popleft() if self._asks else None

    def answered(self, reply: Reply) -> list[Tried | Told]:
        """What the charger makes of the last one."""
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
        """A status that is missing, or that we do not know, is a refusal: nothing is promised on its word."""
        return _ANSWERS.get((text(self._set_up.status(reply.payload)) or "").lower(), Answered.REJECTED)


def is_due(last_s: int, now_s: int) -> bool:
    """Whether a charger that boots now is to be set up, which it was last at `last_s`; 0: never."""
    return not 0 <= now_s - last_s < AGAIN_AFTER_S


def told(found: Iterable[tuple[Any, Any]], asked: Sequence[str]) -> list[Told]:
    """Of names and values as a charger sends them, those that were asked for."""
    names = {name.lower(): name for name in asked}
    settings = []
    for said, value in found:
        name = names.get((text(said, MAX_NAME) or "").lower())
        if name is not None:
            shown = str(value).lower() if isinstance(value, bool) else text(value, MAX_VALUE)
            settings.append(Told(name, shown))
    return settings
