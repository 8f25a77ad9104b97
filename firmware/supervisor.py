"""Feeds the watchdog, in the control thread after each step, so that no wait of the main thread can end a charge.

What the watchdog supervises, and the sign of life that it requires:

control and light   the call after each step; the write that ends a step also drives the light
the main thread     a pause within two minutes
the link            a turn of its loop within half an hour. Loss of the network never delays a turn; only a hang in the
                    firmware does

If the main thread or the link hangs while the contactor is closed, the watchdog is fed until the charge ends.
"""

if False:  # for mypy alone
    from firmware.boards.board import Board
    from firmware.charging.exchange import Exchange

FEED_MS = 1000  # the watchdog resets the processor after 8 s
MAIN_FEEDS = 120  # in units of FEED_MS; the longest regular time between two pauses is some seconds: a flash format
LINK_FEEDS = 1800  # the longest regular turn, a survey and a switch without a network, takes about ten minutes


class Supervisor:
    def __init__(self, board: "Board", exchange: "Exchange") -> None:
        self._board = board
        self._exchange = exchange
        self._looked_ms = 0
        self._pauses = 0
        self._since_pause = 0  # in units of FEED_MS
        self._turns = 0
        self._since_turn = 0

    def step(self, now_ms: int) -> None:
        """Feed the watchdog if all parts are alive. Call after each step of the control loop."""
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
