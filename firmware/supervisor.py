"""Feeds the watchdog, in the control thread after each step, so nothing that the main thread waits for can end a charge.

control and light   by being here: the write that ends a step is what shows the light
the main thread     a pause within two minutes
the link            a turn within half an hour. A network that is gone never keeps it from turning; a link that hangs
                    in our own code would

The last two wait for the end of a charge, which they must not touch.
"""

if False:  # for mypy alone
    from firmware.boards.board import Board
    from firmware.charging.exchange import Exchange

FEED_MS = 1000  # the watchdog bites after 8 s
MAIN_MS = 120000  # the longest between two pauses is some seconds: a flash that is formatted
LINK_MS = 1800000  # the longest honest turn, a survey and a switch on a dead network, takes some ten minutes


class Supervisor:
    def __init__(self, board: "Board", exchange: "Exchange") -> None:
        self._board = board
        self._exchange = exchange
        self._fed_ms = 0
        self._pauses = 0
        self._paused_ms = 0
        self._turns = 0
        self._turned_ms = 0

    def step(self, now_ms: int) -> None:
        """Called after each step of the control loop."""
        if now_ms - self._fed_ms < FEED_MS:
            return
        exchange = self._exchange
        if exchange.pauses != self._pauses:
            self._pauses, self._paused_ms = exchange.pauses, now_ms
        if exchange.turns != self._turns:
            self._turns, self._turned_ms = exchange.turns, now_ms
        hangs = now_ms - self._paused_ms >= MAIN_MS or now_ms - self._turned_ms >= LINK_MS
        if hangs and not exchange.report.contactor:
            return
        self._fed_ms = now_ms
        self._board.feed()
