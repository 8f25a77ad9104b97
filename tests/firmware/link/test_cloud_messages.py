"""Does the next heartbeat report what has failed, and nothing otherwise?"""

import json
import sys

from firmware.charging.contactor_rest import WORN_CLOSINGS
from firmware.charging.control_state import Setup
from firmware.health import Health
from firmware.link.cloud_messages import CloudMessages
from tests.firmware.link.stand_ins import Report


class Outbox:
    flash_failed = False


class Journal:
    boot, outbox, log = 4, Outbox(), None

    def next_sequence(self):
        return 1

    def dropped(self):
        return 0


class Boot:
    number = 4


class Other:
    """Replaces Exchange, WallClock and RadioMonitor."""

    csq, operator = 18, "23415"
    closings = 0
    claims, delay_s, setup = (), 0, Setup(32, True, False, 0, True)

    def now_ms(self):
        return 0

    def now(self):
        return None

    def take_worst_ms(self):
        return 20


def heartbeat(health, closings=0):
    health.journal, health.boot, exchange = Journal(), Boot(), Other()
    exchange.closings = closings
    return json.loads(
        CloudMessages(exchange, health.journal, health, Other(), None).heartbeat(Report(), Other(), False, 300)
    )


def test_parts_that_failed_are_counted_each_once():
    """Only MicroPython prints the traceback."""
    printed, had = [], getattr(sys, "print_exception", None)
    if had is None:
        sys.print_exception = printed.append
    try:
        health = Health("power_on")
        assert "p" not in heartbeat(health)
        for part in ("console", "link", "link"):
            health.crashed(part, ImportError("no module"))
    finally:
        if had is None:
            del sys.print_exception
    assert heartbeat(health)["p"] == 2 and health.crashes == 3


def test_wrong_installer_codes_are_counted_in_each_heartbeat():
    class Lock:
        wrong = 0

    health = Health("power_on")
    assert "c" not in heartbeat(health)
    health.installer_lock = Lock()
    assert "c" not in heartbeat(health)
    health.installer_lock.wrong = 4
    assert heartbeat(health)["c"] == 4


class Settings(dict):
    lost_writes = 0


def test_a_contactor_is_worn_before_its_life_is_over_and_not_once_another_is_fitted():
    health = Health("power_on")
    assert "h" not in heartbeat(health, WORN_CLOSINGS), "without settings there is no link"
    health.settings = Settings({"contactor_fitted_at": 0})
    assert "h" not in heartbeat(health, WORN_CLOSINGS - 1)
    assert heartbeat(health, WORN_CLOSINGS)["h"] == ["contactor_worn"]
    health.settings = Settings({"contactor_fitted_at": WORN_CLOSINGS})
    assert "h" not in heartbeat(health, 2 * WORN_CLOSINGS - 1)
    assert heartbeat(health, 2 * WORN_CLOSINGS)["h"] == ["contactor_worn"]
    health.settings = Settings({"contactor_fitted_at": -60000})  # it was in another unit before
    assert heartbeat(health, WORN_CLOSINGS - 60000)["h"] == ["contactor_worn"]


def test_a_unit_that_is_not_commissioned_says_so_in_each_heartbeat():
    class NotCommissioned(Other):
        setup = Setup(6, True, False, 0, False)

    health = Health("power_on")
    health.journal, health.boot = Journal(), Boot()
    exchange = NotCommissioned()
    said = CloudMessages(exchange, health.journal, health, Other(), None).heartbeat(Report(), Other(), False, 300)
    assert json.loads(said)["h"] == ["uncommissioned"] and "h" not in heartbeat(Health("power_on"))
