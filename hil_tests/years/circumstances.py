"""What those who watch one kind of promise see of the one who asks them: promises.Watch."""

from collections import Counter
from typing import Protocol

from hil_tests.years.scene import Scene


class Circumstances(Protocol):
    world: Scene
    lasting: Counter[str]  # what is wrong now
    touched_s: dict[str, float]  # the last moment at which something of this kind was wrong
    happened_s: float  # the last moment at which something began or ended
    plugged_s: float  # when a car came last

    def break_(self, promise: str, what: str) -> None: ...
    def well_for_s(self, *touches: str) -> float: ...
