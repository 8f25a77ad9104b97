"""Derives the claims of limits.py from owner, schedule, cloud and load manager. Pure; runs in the main thread.

A later request ends an earlier one that it contradicts: a pause from the cloud ends "charge now", and "charge now" ends such a
pause. A limit contradicts neither.

Changes by schedule and cloud take effect after the random delay (delay.py) if a schedule is set and a vehicle is connected,
as SI 2021/1467, regulation 11, requires. There is no delay without a schedule; when a person plugs in, sets the hours or
presses the button; or for a pause that ends "charge now". A claim is valid for one minute and is renewed, so that the charge
point charges if the main thread stops.
"""

from firmware.charging.delay import Delay
from firmware.charging.limits import PAUSE_A, Claim, live
from firmware.charging.pilot import OFFER_MAX_A, OFFER_MIN_A
from firmware.charging.schedule import allowed_again_s, avoided_until

if False:  # for mypy alone
    from collections.abc import Callable

LEASE_MS = 60000
RECALCULATE_S = 900  # the end of the hours to avoid is calculated once per interval of this length
MAINS_BACK = Claim("schedule", PAUSE_A, None, "the mains came back", None)


class Claims:
    """The state of all claims. The inputs are fields:

    `hours`: the result of schedule.read(); `load_manager`: a limits.Claim or None; `cloud`, set by `order`: a limits.Claim or
    None; `override`, set by `charge_now`: the number of the session that the owner released from the schedule, or None.

    `delays` counts the random delays since the start.
    """

    def __init__(self, draw_s: "Callable[[], int]", carried_s: int = 0, override: int | None = None) -> None:
        """`draw_s()` returns a new random delay, seconds; `carried_s`: remainder of the delay that a power cut interrupted."""
        self.hours: tuple[tuple[int, int, int, int], ...] = ()
        self.cloud: Claim | None = None
        self.load_manager: Claim | None = None
        self.override = override
        self.delay = Delay()
        self._draw_s = draw_s
        self._carried_s = carried_s
        self._in_force: tuple[Claim, ...] = ()  # of schedule and cloud
        self._stepped = False
        self._at_once = False  # the next change is not delayed
        self._last_hours: tuple[tuple[int, int, int, int], ...] = ()  # of the last step
        self._end_inputs: tuple[object, ...] = ()  # of the calculation of `_end_s`
        self._end_s: int | None = None  # of the hours to avoid, UTC
        self.delays = 0

    def order(self, claim: Claim | None) -> None:
        """Set the claim of the cloud, or withdraw it. A pause ends "charge now", without a random delay."""
        self.cloud = claim
        if _is_pause(claim) and self.override is not None:
            self.override, self._at_once = None, True

    def charge_now(self, session: int | None) -> None:
        """Release a session from the schedule and from a pause of the cloud; None withdraws this."""
        self.override = session
        if session is not None and _is_pause(self.cloud):
            self.cloud = None

    def step(self, now_ms: int, epoch_s: int | None, session: int | None, resumed: bool) -> tuple[Claim, ...]:
        """Return the claims for now. `epoch_s`: UTC or None; `session`: number of the session, or None; `resumed`: it began
        before a power cut.
        """
        if self.override != session:
            self.override = None
        wanted = self._wanted(now_ms, epoch_s)
        self._follow(now_ms, wanted, session, resumed)
        claims = tuple(self._renewed(claim, now_ms, epoch_s, wanted) for claim in self._in_force)
        if self.override is not None:
            claims += (Claim("override", OFFER_MAX_A, now_ms + LEASE_MS, "the owner wants it now", None),)
        if self.load_manager:
            claims += (self.load_manager,)
        return claims

    def _wanted(self, now_ms: int, epoch_s: int | None) -> tuple[Claim, ...]:
        wanted: tuple[Claim, ...] = ()
        until_s = avoided_until(self.hours, epoch_s)
        if until_s is not None and epoch_s is not None:
            why = "the owner's hours, until %02d:%02d" % (until_s // 3600, until_s // 60 % 60)
            wanted += (Claim("schedule", PAUSE_A, None, why, self._avoided_end_s(epoch_s, until_s)),)
        if self.cloud and live((self.cloud,), "cloud", now_ms):
            wanted += (self.cloud,)
        return wanted

    def _avoided_end_s(self, epoch_s: int, until_s: int) -> int | None:
        """Return the end of the hours to avoid, UTC. Cached, since the calculation takes time."""
        inputs = self.hours, until_s, epoch_s // RECALCULATE_S
        if self._end_inputs != inputs:
            self._end_inputs, self._end_s = inputs, allowed_again_s(self.hours, epoch_s)
        return self._end_s

    def _follow(self, now_ms: int, wanted: tuple[Claim, ...], session: int | None, resumed: bool) -> None:
        """Put the wanted claims in force, after the random delay if there is one."""
        first, self._stepped = not self._stepped, True
        hours_changed, self._last_hours = self.hours != self._last_hours and not first, self.hours
        at_once, self._at_once = self._at_once, False
        if session is None or not self.hours or self.override is not None or hours_changed or at_once:
            self.delay.cancel()
            self._in_force = wanted
            return
        if first:
            self._in_force = (MAINS_BACK,) if resumed else wanted
        if _effect(wanted) == _effect(self._in_force):
            self.delay.cancel()
            self._in_force = wanted
        elif not self.delay.running():
            self.delay.begin(now_ms, self._carried_s or self._draw_s())
            self._carried_s = 0
            self.delays += 1
        if self.delay.running() and not self.delay.left_s(now_ms):
            self.delay.cancel()
            self._in_force = wanted

    def _renewed(self, claim: Claim, now_ms: int, epoch_s: int | None, wanted: tuple[Claim, ...]) -> Claim:
        until_ms, why, ends_s = now_ms + LEASE_MS, claim.why, claim.ends_s
        if self.delay.running():
            left_s = self.delay.left_s(now_ms)
            why = "%s; random delay, %d s left" % (why, left_s)
            if not any(one[:2] == claim[:2] for one in wanted):  # valid only until the delay is over
                ends_s = None if epoch_s is None else epoch_s + left_s
        elif claim.until_ms is not None:
            until_ms = min(until_ms, claim.until_ms)
        return Claim(claim.source, claim.amps, until_ms, why, ends_s)

    def clock_set(self, now_ms: int, epoch_s: int) -> None:
        """Recalculate the expiry of claims that end at a time of day, after the clock was set to `epoch_s` (UTC)."""
        self.cloud = _ending(self.cloud, now_ms, epoch_s)
        self.load_manager = _ending(self.load_manager, now_ms, epoch_s)

    def skip_delay(self, now_ms: int) -> None:
        """End the present random delay, at the owner's request."""
        if self.delay.running():
            self.delay.begin(now_ms, 0)


def _is_pause(claim: Claim | None) -> bool:
    return claim is not None and claim.amps < OFFER_MIN_A


def _ending(claim: Claim | None, now_ms: int, epoch_s: int) -> Claim | None:
    if claim is None or claim.ends_s is None:
        return claim
    until_ms = now_ms + (claim.ends_s - epoch_s) * 1000
    return Claim(claim.source, claim.amps, until_ms, claim.why, claim.ends_s)


def _effect(claims: tuple[Claim, ...]) -> tuple[tuple[str, float], ...]:
    return tuple((claim.source, claim.amps) for claim in claims)
