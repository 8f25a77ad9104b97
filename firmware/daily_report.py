"""Reports the unit's health once a day as an event, and marks settings as good once the unit has run with them for a while."""

from firmware import memory

if False:  # for mypy alone
    from collections.abc import Callable

    from firmware.charging.exchange import Exchange
    from firmware.clock import Clock
    from firmware.health import Health
    from firmware.storage.settings import Settings

DAY_MS = 86400000
ENDLESS = 1 << 30  # bytes; more than any board's heap
HEAP_MS = 3600000  # interval of the heap figure: each needs a collection, which delays the control loop by milliseconds
LIVED_MS = 600000  # after this uptime the settings count as good: twice the time of three rounds of a boot loop


class DailyReport:
    """The daily report. `note(kind, details)` records an event in the journal."""

    def __init__(
        self,
        clock: "Clock",
        exchange: "Exchange",
        settings: "Settings",
        health: "Health",
        note: "Callable[[str, dict[str, object]], None]",
    ) -> None:
        self._clock = clock
        self._exchange = exchange
        self._settings = settings
        self._health = health
        self._note = note
        self._told_ms = 0
        self._looked_ms = -HEAP_MS
        self._lived = False
        self._loop_worst_ms = 0
        self._heap_floor = ENDLESS
        self._told_air_bytes = 0

    def poll(self) -> None:
        """Update the figures, and report them once a day. Call in every pause of the main thread."""
        now_ms = self._clock.now_ms()
        self._loop_worst_ms = max(self._loop_worst_ms, self._exchange.worst_ms)
        if now_ms - self._looked_ms >= HEAP_MS:
            self._looked_ms = now_ms
            self._heap_floor = min(self._heap_floor, memory.free())
        if not self._lived and now_ms >= LIVED_MS:
            self._lived = True
            self._settings.keep_as_good()
        if now_ms - self._told_ms >= DAY_MS:
            self._told_ms = now_ms
            self._tell(now_ms)

    def _tell(self, now_ms: int) -> None:
        health = self._health
        outbox = health.journal.outbox if health.journal else None
        air_bytes = health.traffic.air_bytes if health.traffic else 0
        self._note(
            "day",
            {
                "cause": health.cause,  # of the last reset
                "up_h": now_ms // 3600000,
                "loop_worst_ms": self._loop_worst_ms,
                "heap_floor": self._heap_floor,  # bytes, after a collection
                "heap_block": memory.largest_block(),
                "dropped": outbox.dropped if outbox else 0,
                "damaged": outbox.damaged if outbox else 0,
                "crashes": health.crashes,
                "guard": self._exchange.guard_openings(),
                "closings": self._exchange.closings,
                "air": air_bytes - self._told_air_bytes,
            },
        )
        self._loop_worst_ms, self._heap_floor, self._told_air_bytes = 0, ENDLESS, air_bytes
