"""The interface of promises.Watch that the checks of the separate promises use."""

from collections import Counter
from typing import Protocol

from hil_tests.years.scene import Scene


class Circumstances(Protocol):
    world: Scene
    lasting: Counter[str]  # faults in progress, counted by what they touch
    touched_s: dict[str, float]  # when the last fault that touches this ended
    happened_s: float  # when the last happening began or ended
    plugged_s: float  # when the last car was plugged in

    def break_(self, promise: str, what: str) -> None: ...
    def well_for_s(self, *touches: str) -> float: ...
