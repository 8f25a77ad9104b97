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
MAIN_FEEDS = 120  # the longest between two pauses is some seconds: a flash that is formatted
LINK_FEEDS = 1800  # the longest honest turn, a survey and a switch on a dead network, takes some ten minutes


class Supervisor:
    def __init__(self, board: "Board", exchange: "Exchange") -> None:
        self._board = board
        self._exchange = exchange
        self._looked_ms = 0
        self._pauses = 0
        self._since_pause = 0  # times FEED_MS
        self._turns = 0
        self._since_turn = 0

    def step(self, now_ms: int) -> None:
        """Called after each step of the control loop."""
        if 0 <= now_ms - self._looked_ms < FEED_MS:  # the clock may have been set back
            return
        self._looked_ms = now_ms
        exchange = self._exchange
        self._since_pause += 1
        if exchange.pauses != self._pauses:
            self._pauses, self._since_pause = exchange.pauses, 0
        self._since_turn += 1
        if exchange.turns != self._turns:
            self._turns, self._since_turn = exchange.turns, 0
        hangs = self._since_pause >= MAIN_FEEDS or self._since_turn >= LINK_FEEDS
        if exchange.report.contactor or not hangs:
            self._board.feed()
