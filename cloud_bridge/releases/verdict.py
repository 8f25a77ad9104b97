"""Is a release worse than what ran before, by what its units show? Pure.

Four signs are counted, each as a number of units: among those that run the release, since it was installed, and among the rest
of the roll-out, in the same time.

    sign            a unit that
    -------------------------------------------------------------------------------------------------
    watchdog        was reset by its watchdog
    silent          fell silent
    records lost    has given up records
    went back       runs its former version again, or found that what it runs is not what was signed

The rule:

1. In the first ring, which is one unit, one sign is enough. That is cheap: nobody else has the release yet, and the operator
   can start again.
2. Later, the first three signs stop it when as many among the updated ones are improbable if both were alike: less than
   CHANCE, by Fisher's exact test, one-sided. The rest shows what is usual in this fleet, at this hour.
3. When few are left without the release, that says nothing any more. Then updated units are compared with themselves: each is
   looked at for OWN_MS at most since it was installed, and for as long before. It stops when so many more were reset only
   since than only before are improbable if both were alike: less than CHANCE_OWN, by the sign test (McNemar's, exact). Silence
   is not compared so: a mast that fails would stop every release. Nor are lost records, of which the past is not known.
4. Units do not go back without a release, so there is no rest to compare with. It stops when so many are improbable if
   TOLERATED were the rate: less than CHANCE_BACK, by the binomial distribution.

The counts are looked at again and again, so CHANCE is smaller than what one would take for a single look.
`tests/cloud_bridge/releases/test_verdict.py` holds how often a roll-out of a good release is stopped, in whole simulated
roll-outs, and that a release which hurts 1 % of the units does not get to all.
"""

from enum import StrEnum
from math import comb, exp, lgamma, log, log1p
from typing import NamedTuple

CHANCE = 0.0005
TOLERATED = 0.001  # of units that go back for reasons of their own: worn flash, a power cut at the wrong moment
CHANCE_BACK = 0.02
CHANCE_OWN = 0.0002
FEW = 10  # fewer than one without it for so many with it are few
OWN_MS = 86_400_000  # a day


class Sign(StrEnum):
    """What speaks against a release."""

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
    """Of some units."""

    units: int
    bad: int


class Own(NamedTuple):
    """Updated units, each beside itself."""

    only_since: int  # that show the sign since it was installed, and not in as long before
    only_before: int


class Seen(NamedTuple):
    """One sign, counted. `own` is None where it is not known."""

    sign: Sign
    updated: Count
    rest: Count
    own: Own | None = None

    @property
    def is_by_own(self) -> bool:
        """Whether the updated units are compared with themselves."""
        return self.own is not None and self.rest.units * FEW < self.updated.units


def is_worse(seen: Seen, is_first_ring: bool) -> bool:
    """Whether this sign stops the roll-out."""
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
    """Why it was stopped, for people."""
    if seen.own is not None and seen.is_by_own:
        since, before = seen.own
        return f"{since} updated units {IN_WORDS[seen.sign]} that were not before, against {before}"
    words = f"{seen.updated.bad} of {seen.updated.units} updated units {IN_WORDS[seen.sign]}"
    return f"{words}, of the rest {seen.rest.bad} of {seen.rest.units}" if seen.rest.units else words


def chance_if_alike(updated: Count, rest: Count) -> float:
    """That at least so many bad ones are among the updated, if those of both are spread by lot (Fisher's exact test)."""
    bad = updated.bad + rest.bad
    most = min(bad, updated.units)
    everybody = _log_comb(updated.units + rest.units, bad)
    return sum(
        exp(_log_comb(updated.units, hit) + _log_comb(rest.units, bad - hit) - everybody)
        for hit in range(updated.bad, most + 1)
        if bad - hit <= rest.units
    )


def chance_of_rate(updated: Count, rate: float) -> float:
    """That at least so many are bad if each is with this probability."""
    fewer = sum(
        exp(_log_comb(updated.units, hit) + hit * log(rate) + (updated.units - hit) * log1p(-rate))
        for hit in range(updated.bad)
    )
    return max(0.0, 1.0 - fewer)


def chance_of_own(own: Own) -> float:
    """That at least so many show it only since, if each of them is as likely to show it only before."""
    both = own.only_since + own.only_before
    return min(1.0, sum(exp(_log_comb(both, hit) - both * log(2)) for hit in range(own.only_since, both + 1)))


def _log_comb(of: int, taken: int) -> float:
    if of < 100:
        return log(comb(of, taken)) if taken <= of else float("-inf")
    return lgamma(of + 1) - lgamma(taken + 1) - lgamma(of - taken + 1)
