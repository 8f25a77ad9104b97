"""The messages between the unit and its cloud, independent of their transport: heartbeats, records, commands."""

from firmware.charging import limits
from firmware.charging.contactor_rest import WORN_CLOSINGS
from firmware.link import messages
from firmware.version import VERSION

if False:  # for mypy alone
    from collections.abc import Callable

    from firmware.charging.exchange import Exchange, Report
    from firmware.health import Health
    from firmware.link.journal import Journal
    from firmware.link.radio_monitor import RadioMonitor
    from firmware.wall_clock import WallClock


class CloudMessages:
    def __init__(
        self,
        exchange: "Exchange",
        journal: "Journal",
        health: "Health",
        wall_clock: "WallClock",
        take_command: "Callable[[bytes], None]",
    ) -> None:
        """`take_command(payload)` carries out or refuses a command, and does not raise."""
        self.journal = journal
        self.health = health
        self.take_command = take_command
        self.version_told: Callable[[], None] | None = None  # called when a heartbeat with the version is acknowledged
        self._exchange = exchange
        self._wall_clock = wall_clock

    def in_force(self, report: "Report") -> "limits.InForce":
        exchange = self._exchange
        return limits.in_force(report.ruling, exchange.claims, exchange.delay_s, self._wall_clock.now_ms())

    def heartbeat(self, report: "Report", radio: "RadioMonitor", plain_mqtt: bool, interval_s: int) -> bytes:
        journal = self.journal
        troubles: tuple[str, ...] = ()
        if plain_mqtt:
            troubles += ("plain_mqtt",)
        if self.health.flash_fails():
            troubles += ("flash",)
        settings = self.health.settings
        if not self._exchange.setup.commissioned:
            troubles += ("uncommissioned",)
        if settings and self._exchange.closings - settings["contactor_fitted_at"] >= WORN_CLOSINGS:
            troubles += ("contactor_worn",)
        return messages.heartbeat(
            journal.next_sequence(),
            journal.boot,
            self._wall_clock.now(),
            report,
            radio.csq,
            radio.operator,
            self._exchange.take_worst_ms(),
            troubles,
            journal.dropped(),
            len(self.health.failed_parts),
            self.health.installer_lock.wrong if self.health.installer_lock else 0,
            self.in_force(report),
            interval_s,
            VERSION if self.version_told else None,
        )
