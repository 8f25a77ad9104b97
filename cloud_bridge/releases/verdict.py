"""Decides whether a release is worse than the version before it, by the behaviour of its units. Pure.

Four signs are counted, each as a number of units: among those that run the release, since it was installed, and among the rest
of the roll-out, over the same time.

    sign            a unit that
    -------------------------------------------------------------------------------------------------
    watchdog        was reset by its watchdog
    silent          fell silent
    records lost    has dropped records
    went back       runs its former version again, or found that its firmware is not what was signed

The rule:

1. In the first ring, which is one unit, one sign stops the roll-out. That is cheap: no other unit has the release yet, and the
   operator can start again.
2. Later, each of the first three signs stops it if so many bad units among the updated ones would be improbable with equal
   rates: less than CHANCE, by Fisher's one-sided exact test. The rest shows what is usual in this fleet at this time.
3. When few units are left without the release, that comparison is meaningless. Updated units are then compared with
   themselves: each is observed for at most OWN_MS since the release was installed, and for an equally long time before. The
   roll-out stops if the excess of units that were reset only since over those reset only before would be improbable with equal
   rates: less than CHANCE_OWN, by the sign test (McNemar's exact test). Silence is not compared in this way, because a failed
   mast would stop every release; nor are lost records, whose past is unknown.
4. Units do not roll back without a release, so there is no rest to compare with. The roll-out stops if so many would be
   improbable at the rate TOLERATED: less than CHANCE_BACK, by the binomial distribution.

The counts are evaluated repeatedly, so CHANCE is smaller than for a single test. `tests/cloud_bridge/releases/test_verdict.py`
simulates whole roll-outs: how often a good release is stopped, and that a release which harms 1 % of the units does not reach
all of them.
"""

from enum import StrEnum
from math import comb, exp, lgamma, log, log1p
from typing import NamedTuple

CHANCE = 0.0005
TOLERATED = 0.001  # share of units that roll back for other reasons: worn flash, a power cut at the wrong moment
CHANCE_BACK = 0.02
CHANCE_OWN = 0.0002
FEW = 10  # the rest is too small if it has fewer than one unit for so many updated ones
OWN_MS = 86_400_000  # one day


class Sign(StrEnum):
    """The signs that speak against a release."""

    WATCHDOG = "watchdog"
    SILENT = "silent"
    RECORDS_LOST = "records lost"
    WENT_BACK = "went back"


IN_WORDS = {
    Sign.WATCHDOG: "were reset by their watchdog",
    Sign.SILENT: "fell silent",
    Sign.RECORDS_LOST: "have lost records",
    Sign.WENT_BACK: "went back to their former version",
}


class Count(NamedTuple):
    """A number of units."""

    units: int
    bad: int


class Own(NamedTuple):
    """Updated units, each compared with itself."""

    only_since: int  # units that show the sign since the release was installed, but not in an equally long time before
    only_before: int


class Seen(NamedTuple):
    """The counts for one sign. `own` is None if unknown."""

    sign: Sign
    updated: Count
    rest: Count
    own: Own | None = None

    @property
    def is_by_own(self) -> bool:
        """True if the updated units are compared with themselves."""
        return self.own is not None and self.rest.units * FEW < self.updated.units


def is_worse(seen: Seen, is_first_ring: bool) -> bool:
    """Return True if this sign stops the roll-out."""
    if seen.updated.bad == 0:
        return False
    if is_first_ring:
        return True
    if seen.sign is Sign.WENT_BACK:
        return chance_of_rate(seen.updated, TOLERATED) < CHANCE_BACK
    if seen.own is not None and seen.is_by_own:
        return chance_of_own(seen.own) < CHANCE_OWN
    return chance_if_alike(seen.updated, seen.rest) < CHANCE


def reason(seen: Seen) -> str:
    """Return the reason of the stop, in English."""
    if seen.own is not None and seen.is_by_own:
        since, before = seen.own
        return f"{since} updated units {IN_WORDS[seen.sign]} that were not before, against {before}"
    words = f"{seen.updated.bad} of {seen.updated.units} updated units {IN_WORDS[seen.sign]}"
    return f"{words}, of the rest {seen.rest.bad} of {seen.rest.units}" if seen.rest.units else words


def chance_if_alike(updated: Count, rest: Count) -> float:
    """Return the probability that at least so many of the bad units are updated ones, if the bad units are distributed at
    random (Fisher's exact test)."""
    bad = updated.bad + rest.bad
    most = min(bad, updated.units)
    everybody = _log_comb(updated.units + rest.units, bad)
    return sum(
        exp(_log_comb(updated.units, hit) + _log_comb(rest.units, bad - hit) - everybody)
        for hit in range(updated.bad, most + 1)
        if bad - hit <= rest.units
    )


def chance_of_rate(updated: Count, rate: float) -> float:
    """Return the probability that at least so many units are bad, if each is bad with probability `rate`."""
    fewer = sum(
        exp(_log_comb(updated.units, hit) + hit * log(rate) + (updated.units - hit) * log1p(-rate))
        for hit in range(updated.bad)
    )
    return max(0.0, 1.0 - fewer)


def chance_of_own(own: Own) -> float:
    """Return the probability that at least so many units show the sign only since, if "only since" and "only before" are
    equally likely."""
    both = own.only_since + own.only_before
    return min(1.0, sum(exp(_log_comb(both, hit) - both * log(2)) for hit in range(own.only_since, both + 1)))


def _log_comb(of: int, taken: int) -> float:
    if of < 100:
        return log(comb(of, taken)) if taken <= of else float("-inf")
    return lgamma(of + 1) - lgamma(taken + 1) - lgamma(of - taken + 1)
