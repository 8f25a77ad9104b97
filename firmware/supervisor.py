"""Feeds the watchdog, and only when both threads show that they are alive: the control loop by a fresh step since the last
feed, the main thread by being here. A network that is gone never keeps it from feeding.
"""

FEED_MS = 1000  # the watchdog bites after 8 s


class Supervisor:
    def __init__(self, board, control_loop, clock):
        self._board = board
        self._control_loop = control_loop
        self._clock = clock
        self._fed_ms = 0
        self._steps = 0

    def poll(self):
        now_ms = self._clock.now_ms()
        if now_ms - self._fed_ms < FEED_MS or self._control_loop.steps == self._steps:
            return
        self._fed_ms, self._steps = now_ms, self._control_loop.steps
        self._board.feed()
