"""Supervision of a charger's connection: when to ping, to ask for a message, and to close. Pure; times are seconds of a
monotonic clock.

A pong proves that the connection works, not that the charger does: some chargers send pongs for hours and answer no
CALL (mobilityhouse/ocpp#626). Some crash on a ping (lbbrhzn/ocpp#211), so a charger that sends frames but no pong is
not pinged again on this connection. A ping costs about 200 bytes over GPRS, and networks drop an idle connection after
5 minutes at the earliest, so no ping is sent while frames arrive.
"""

from enum import Enum, auto

from cloud_bridge.ingest.ocpp.charger import PROBE_AFTER_S

PING_AFTER_S = 240.0  # without a frame, a ping or a pong
PONG_WITHIN_S = 60.0
FRAME_WITHIN_S = 120.0  # after the probe: over GPRS, and while the charger is busy
FRESH_S = 60.0
BOOT_WITHIN_S = 30.0  # after the connection was made; then the charger is asked once for a BootNotification
INTERVAL_AFTER_S = 660.0  # without a frame: a little more than twice the heartbeat interval that was set at boot
SETTLED_AFTER_S = 2.0  # after the answer to its BootNotification a charger accepts CALLs (evcc#27203)


class Do(Enum):
    """The action that is due."""

    PING = auto()
    PROBE = auto()  # a CALL that every charger answers, even if with a refusal
    ASK_BOOT = auto()
    ASK_INTERVAL = auto()  # set the heartbeat interval, once: some chargers ignore the interval in the boot's answer
    CLOSE = auto()  # the charger is not reachable, or does not answer


class Line:
    """The supervision of one connection."""

    def __init__(self, now_s: float) -> None:
        self._opened_s = self._frame_s = self._sign_s = now_s
        self._pinged_s: float | None = None  # the ping that has not been answered
        self._probed_s: float | None = None
        self._may_ping = True
        self._has_ponged = False
        self._has_booted = False
        self._has_interval = False  # ASK_INTERVAL was returned
        self._may_call_s = now_s + BOOT_WITHIN_S
        self._is_mute = False  # the probe was not answered, and the connection stays open
        self.has_asked_in_vain = False  # the probe was not answered, and the connection is to be closed
        # The previous connection was closed for that reason, without success. So do not close this one: wait for
        # messages that the charger sends by itself.
        self.waits = False

    def frame(self, now_s: float) -> float | None:
        """Record a frame. If the charger has not answered a probe since the last one, return the time since then in
        seconds: the interval at which it sends messages by itself. Otherwise return None."""
        quiet_s, self._frame_s = now_s - self._frame_s, now_s
        self._probed_s = None
        is_own, self._is_mute = self._is_mute, False
        return quiet_s if is_own else None

    def is_fresh(self, now_s: float) -> bool:
        """Return whether a frame has come within FRESH_S, so that this is not a half-open connection that the charger
        has abandoned."""
        return now_s - self._frame_s <= FRESH_S

    def sign(self, now_s: float, is_pong: bool) -> None:
        """Record a ping or a pong from the charger."""
        self._sign_s = now_s
        if is_pong:
            self._pinged_s = None
            self._has_ponged = True

    def booted(self, now_s: float) -> None:
        """Record the charger's BootNotification."""
        self._has_booted = True
        self._may_call_s = min(self._may_call_s, now_s + SETTLED_AFTER_S)

    def may_call(self, now_s: float) -> bool:
        """Return whether the charger may be sent a CALL. Before the answer to their BootNotification, some chargers
        close the connection when they receive one."""
        return now_s >= self._may_call_s

    def look(self, now_s: float) -> Do | None:
        """Return the action that is due, or None. Every action except CLOSE counts as done."""
        if self._probed_s is not None and not self._is_mute and now_s - self._probed_s > FRAME_WITHIN_S:
            if not self.waits:
                self.has_asked_in_vain = True
                return Do.CLOSE
            self._is_mute = True
        if self._pinged_s is not None and now_s - self._pinged_s > PONG_WITHIN_S:
            is_deaf = self._frame_s < self._pinged_s and self._has_ponged
            self._pinged_s = None
            if is_deaf:
                return Do.CLOSE
            self._may_ping = False
        if not self._has_booted and now_s - self._opened_s > BOOT_WITHIN_S:
            self._has_booted = True
            return Do.ASK_BOOT
        if self._probed_s is None and now_s - self._frame_s > PROBE_AFTER_S:
            self._probed_s = now_s
            return Do.PROBE
        if not self._has_interval and now_s - self._frame_s > INTERVAL_AFTER_S:
            self._has_interval = True
            return Do.ASK_INTERVAL
        quiet_s = now_s - max(self._frame_s, self._sign_s)
        if self._may_ping and self._pinged_s is None and quiet_s > PING_AFTER_S:
            self._pinged_s = now_s
            return Do.PING
        return None
