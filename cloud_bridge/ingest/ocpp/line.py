"""When to ping a charger, to ask it for a message, and to give its connection up. Pure; times are seconds, monotonic.

A pong proves the line and not the charger: there are some whose pings go on for hours while they answer no CALL
(mobilityhouse/ocpp#626). And some die of pings (lbbrhzn/ocpp#211): one that does not answer a ping while its frames come is
never pinged again on this connection. Over GPRS a ping costs some 200 bytes, and a network forgets an idle connection after
5 minutes at the earliest: none is sent while frames come.
"""

from enum import Enum, auto

from cloud_bridge.ingest.ocpp.charger import PROBE_AFTER_S

PING_AFTER_S = 240.0  # without a frame or a sign of the line
PONG_WITHIN_S = 60.0
FRAME_WITHIN_S = 120.0  # of the probe, over GPRS and behind whatever the charger does
FRESH_S = 60.0
BOOT_WITHIN_S = 30.0  # of the connection; else it is asked for a BootNotification, once
INTERVAL_AFTER_S = 660.0  # without a frame: twice the heartbeat that was asked for at boot, and a little more
SETTLED_AFTER_S = 2.0  # its boot is answered and it listens (evcc#27203)


class Do(Enum):
    """What is due."""

    PING = auto()
    PROBE = auto()  # a CALL that every charger answers, if only with a refusal
    ASK_BOOT = auto()
    ASK_INTERVAL = auto()  # for a heartbeat as often as it was asked for at its boot, once: some keep their own
    CLOSE = auto()  # nobody is there, or nobody who answers


class Line:
    """Of one connection."""

    def __init__(self, now_s: float) -> None:
        self._opened_s = self._frame_s = self._sign_s = now_s
        self._pinged_s: float | None = None  # the ping that has not been answered
        self._probed_s: float | None = None
        self._may_ping = True
        self._has_ponged = False
        self._has_booted = False
        self._has_interval = False  # was asked for one
        self._may_call_s = now_s + BOOT_WITHIN_S
        self._is_mute = False  # it has not answered the probe, and is waited for
        self.has_asked_in_vain = False  # and so its connection is over
        self.waits = False  # its last connection has ended so, which did not help: only what it says by itself is heard

    def frame(self, now_s: float) -> float | None:
        """Returns how long it was quiet, where it was asked meanwhile and has not answered: so rarely it speaks by itself."""
        quiet_s, self._frame_s = now_s - self._frame_s, now_s
        self._probed_s = None
        is_own, self._is_mute = self._is_mute, False
        return quiet_s if is_own else None

    def is_fresh(self, now_s: float) -> bool:
        """Whether somebody spoke on it a moment ago, and so it is no half-open connection that its charger has given up."""
        return now_s - self._frame_s <= FRESH_S

    def sign(self, now_s: float, is_pong: bool) -> None:
        """A ping of the charger, or its pong."""
        self._sign_s = now_s
        if is_pong:
            self._pinged_s = None
            self._has_ponged = True

    def booted(self, now_s: float) -> None:
        """It has sent its BootNotification."""
        self._has_booted = True
        self._may_call_s = min(self._may_call_s, now_s + SETTLED_AFTER_S)

    def may_call(self, now_s: float) -> bool:
        """Whether it may be sent a CALL: before its boot is answered some drop the connection, again and again."""
        return now_s >= self._may_call_s

    def look(self, now_s: float) -> Do | None:
        """What to do now. All but CLOSE are taken as done."""
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
