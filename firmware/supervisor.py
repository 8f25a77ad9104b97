"""Feeds the watchdog, and only while everything that must live shows that it does, each by a fresh mark of its own.

control and light   a step since the last feed: the write that ends a step is what shows the light
the main thread     by being here
the link            a turn within half an hour. A network that is gone never keeps it from turning; a link that hangs
                    in our own code would. It waits for the end of a charge, which it must not touch
"""

if False:  # for mypy alone
    from firmware.boards.board import Board
    from firmware.charging.exchange import Exchange
    from firmware.clock import Clock
    from firmware.link.uplink import Uplink

FEED_MS = 1000  # the watchdog bites after 8 s
LINK_MS = 1800000  # the longest honest turn, a survey and a switch on a dead network, takes some ten minutes


class Supervisor:
    def __init__(self, board: "Board", exchange: "Exchange", uplink: "Uplink", clock: "Clock") -> None:
        self._board = board
        self._exchange = exchange
        self._uplink = uplink
        self._clock = clock
        self._fed_ms = 0
        self._steps = 0
        self._turns = 0
        self._turned_ms = 0

    def poll(self) -> None:
        now_ms = self._clock.now_ms()
        if now_ms - self._fed_ms < FEED_MS:
            return
        if self._uplink.turns != self._turns:
            self._turns, self._turned_ms = self._uplink.turns, now_ms
        link_hangs = now_ms - self._turned_ms >= LINK_MS and not self._exchange.report.contactor
        if self._exchange.steps == self._steps or link_hangs:
            return
        self._fed_ms, self._steps = now_ms, self._exchange.steps
        self._board.feed()
