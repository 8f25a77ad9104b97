"""How much a person may have us send or store in a time. Nobody who does it by hand meets these rates.

An allowance that is used up comes back evenly: after a fifth of the window, a fifth of it. What is refused uses nothing.
"""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import NamedTuple

from fastapi import Request

from cloud_bridge.client_address import network_of
from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.store.access import Asker, Person
from cloud_bridge.web.errors import Refused
from cloud_bridge.web.presentation.words import lasting
from cloud_bridge.web.security.log import address_of_client
from cloud_bridge.words import gettext as _

QUARTER_MS = 15 * MINUTE_MS
NOBODY = 0  # all tokens that are nobody's share their rates; no person has this number
MAX_KEYS = 20_000  # the longest unused are forgotten, and with that forgiven


class Rate(NamedTuple):
    """At most `allowed` at once, and as many again within the window."""

    what: str
    allowed: int
    window_ms: int = QUARTER_MS


ORDERS = [Rate("orders", 30)]  # fewer than the threads of the pages: each may wait seconds for a broker
REGISTRATIONS = [Rate("registrations", 200)]  # of a station: a unit every 5 s; a stolen token fills nothing
MESSAGES = [Rate("messages", 20)]
ANSWERS = [Rate("answers", 200)]  # of support
REPORTS = [Rate("reports", 20)]  # of an installer, who replaces the one before
PHOTOS = [Rate("photos", 40)]  # each is up to 10 MB, and made anew
MOVES = [Rate("job moves", 60)]  # each may alert somebody
EXPORTS = [Rate("exports", 5)]  # each reads all that is kept of the person
INVITATIONS = [Rate("invitations", 20)]  # five of a charger are open at once
LETTERS = [Rate("letters", 5), Rate("letters of a day", 20, DAY_MS)]  # they may go to strangers
# Of strangers, by their network:
ASKED_LETTERS = [Rate("letters of a network", 10), Rate("letters of a network in a day", 60, DAY_MS)]
SIGN_UPS = [Rate("sign-ups", 20)]  # each hashes a password and tells whether a name is taken
# By whom the letter goes to, whoever asked; beyond it none is sent, and nobody is told:
TO_ONE = [Rate("letters to one", 3, HOUR_MS), Rate("letters to one in a day", 10, DAY_MS)]
TO_STRANGERS = [
    Rate("letters to strangers", 300, HOUR_MS)
]  # of the whole service, to addresses that nobody has confirmed
WITH_ONE_LABEL = [Rate("sign-ups with one label", 20, DAY_MS)]


class Rates:
    """What people have used, in memory: a restart forgives, and other processes count for themselves. Thread-safe. The clock
    is handed in."""

    def __init__(self) -> None:
        self._used: OrderedDict[tuple[str, int | str], tuple[float, int]] = OrderedDict()  # -> how much, as of when
        self._lock = Lock()

    def use(self, who: int | str, rates: Sequence[Rate], now_ms: int) -> int:
        """Use one of every rate, if each has one left; then 0. Otherwise the milliseconds until there is one. `who` is the
        number of a person, or a text: a network, an address."""
        with self._lock:
            used = [self._used_of(who, rate, now_ms) for rate in rates]
            wait_ms = max(
                int((before + 1 - rate.allowed) * rate.window_ms / rate.allowed)
                for rate, before in zip(rates, used, strict=True)
            )
            if wait_ms > 0:
                return wait_ms
            for rate, before in zip(rates, used, strict=True):
                self._used[rate.what, who] = (before + 1, now_ms)
                self._used.move_to_end((rate.what, who))
            while len(self._used) > MAX_KEYS:
                self._used.popitem(last=False)
            return 0

    def _used_of(self, who: int | str, rate: Rate, now_ms: int) -> float:
        """A clock that was set back gives nothing and takes nothing."""
        used, then_ms = self._used.get((rate.what, who), (0.0, now_ms))
        return max(0.0, used - max(0, now_ms - then_ms) * rate.allowed / rate.window_ms)


def use(
    request: Request, person: Person, rates: Sequence[Rate], title: str, meaning: str, field: str | None = None
) -> None:
    """Use one of the person's rates. Raises Refused (429) with the title, the meaning and the field, and when to try again."""
    _use(request, person.id, rates, title, meaning, field)


def use_of_network(request: Request, rates: Sequence[Rate], title: str, meaning: str, field: str | None = None) -> None:
    """As `use`, of a stranger."""
    _use(request, network_of(address_of_client(request)), rates, title, meaning, field)


def is_within(request: Request, who: int | str, rates: Sequence[Rate]) -> bool:
    """Use one of the rates; False: they are used up."""
    return _wait_ms(request, who, rates) == 0


def wait_s(request: Request, asker: Asker, rates: Sequence[Rate]) -> int:
    """For programs: use one of the asker's rates; then 0. Otherwise the seconds until there is one."""
    return -(-_wait_ms(request, NOBODY if asker.id is None else asker.id, rates) // 1000)


def _use(request: Request, who: int | str, rates: Sequence[Rate], title: str, meaning: str, field: str | None) -> None:
    wait_ms = _wait_ms(request, who, rates)
    if wait_ms:
        minutes = -(-wait_ms // MINUTE_MS)
        again = _("Try again in {wait}.").format(wait=lasting(minutes * MINUTE_MS))
        raise Refused(title, f"{meaning} {again}", 429, field)


def _wait_ms(request: Request, who: int | str, rates: Sequence[Rate]) -> int:
    all_rates: Rates = request.app.state.rates
    return all_rates.use(who, rates, request.app.state.bridge.verified.now_ms())
