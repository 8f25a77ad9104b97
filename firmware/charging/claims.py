"""What owner, schedule, cloud and house want, turned into the claims of limits.py. Pure; the communication thread steps it.

Schedule and cloud are carried out after the random delay (delay.py) while a schedule is in force and a vehicle is there,
because that is when the rules ask for it; without a schedule, and when a person plugs in, chooses hours or presses the button,
nothing is delayed. A claim is lent for a minute and renewed: if nobody renews it, the charge point charges.
"""

from firmware.charging.delay import Delay
from firmware.charging.limits import PAUSE_A, Claim, live
from firmware.charging.pilot import OFFER_MAX_A
from firmware.charging.schedule import allowed_again_s, avoided_until

LEASE_MS = 60000
LOOK_AGAIN_S = 900  # the end of the hours is worked out so often; within such a time it stays the same
MAINS_BACK = Claim("schedule", PAUSE_A, None, "the mains came back", None)


class Claims:
    """`hours` is schedule.read(); `cloud` and `load_manager` a limits.Claim or None; `override` the number of the session
    that the owner wants charged now, or None.
    """

    def __init__(self, draw_s, carried_s=0, override=None):
        """`draw_s()` gives the seconds of a new delay; `carried_s` was left of one at the power cut."""
        self.hours: tuple = ()
        self.cloud = None
        self.load_manager = None
        self.override = override
        self.delay = Delay()
        self._draw_s = draw_s
        self._carried_s = carried_s
        self._in_force: tuple = ()  # claims of schedule and cloud
        self._stepped = False
        self._chosen: tuple = ()  # the hours of the last step
        self._ends: tuple = ((), None)  # of the hours: what it was worked out from, and the end
        self.delays = 0  # begun since boot

    def step(self, now_ms, epoch_s, session, resumed):
        """The claims now. `session` is the number of the one that runs, or None; `resumed` since before a power cut."""
        if self.override != session:
            self.override = None
        wanted = self._wanted(now_ms, epoch_s)
        self._follow(now_ms, wanted, session, resumed)
        claims = tuple(self._lent(claim, now_ms, epoch_s, wanted) for claim in self._in_force)
        if self.override is not None:
            claims += (Claim("override", OFFER_MAX_A, now_ms + LEASE_MS, "the owner wants it now", None),)
        if self.load_manager:
            claims += (self.load_manager,)
        return claims

    def _wanted(self, now_ms, epoch_s):
        wanted: tuple = ()
        until_s = avoided_until(self.hours, epoch_s)
        if until_s is not None:
            why = "the owner's hours, until %02d:%02d" % (until_s // 3600, until_s // 60 % 60)
            wanted += (Claim("schedule", PAUSE_A, None, why, self._ends_s(epoch_s, until_s)),)
        if self.cloud and live((self.cloud,), "cloud", now_ms):
            wanted += (self.cloud,)
        return wanted

    def _ends_s(self, epoch_s, until_s):
        """When the hours to avoid end, UTC; it takes some calculation."""
        of = self.hours, until_s, epoch_s // LOOK_AGAIN_S
        if self._ends[0] != of:
            self._ends = of, allowed_again_s(self.hours, epoch_s)
        return self._ends[1]

    def _follow(self, now_ms, wanted, session, resumed):
        """Carry out what is wanted, after the delay where there is one."""
        first, self._stepped = not self._stepped, True
        chosen, self._chosen = self.hours != self._chosen and not first, self.hours
        if session is None or not self.hours or self.override is not None or chosen:
            self.delay.cancel()
            self._in_force = wanted
            return
        if first:
            self._in_force = (MAINS_BACK,) if resumed else wanted
        if _essence(wanted) == _essence(self._in_force):
            self.delay.cancel()
            self._in_force = wanted
        elif not self.delay.running():
            self.delay.begin(now_ms, self._carried_s or self._draw_s())
            self._carried_s = 0
            self.delays += 1
        if self.delay.running() and not self.delay.left_s(now_ms):
            self.delay.cancel()
            self._in_force = wanted

    def _lent(self, claim, now_ms, epoch_s, wanted):
        until_ms, why, ends_s = now_ms + LEASE_MS, claim.why, claim.ends_s
        if self.delay.running():
            left_s = self.delay.left_s(now_ms)
            why = "%s; random delay, %d s left" % (why, left_s)
            if not any(one[:2] == claim[:2] for one in wanted):  # it holds only until the delay is over
                ends_s = None if epoch_s is None else epoch_s + left_s
        elif claim.until_ms is not None:
            until_ms = min(until_ms, claim.until_ms)
        return Claim(claim.source, claim.amps, until_ms, why, ends_s)

    def skip_delay(self, now_ms):
        """The owner does not want to wait for the present delay."""
        if self.delay.running():
            self.delay.begin(now_ms, 0)


def _essence(claims):
    return tuple((claim.source, claim.amps) for claim in claims)
