"""Limits on how much a person may have the service send or store. They are high enough that nobody who works by hand reaches
them.

A used allowance is restored evenly: after a fifth of the window, a fifth of it. Refused requests use nothing.
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
NOBODY = 0  # shared by all tokens that belong to no person; no person has this id
MAX_KEYS = 20_000  # beyond this, the least recently used are dropped, which also clears them


class Rate(NamedTuple):
    """At most `allowed` at once, and as many again within the window."""

    what: str
    allowed: int
    window_ms: int = QUARTER_MS


ORDERS = [Rate("orders", 30)]  # fewer than the web threads, because each may wait seconds for a broker
REGISTRATIONS = [Rate("registrations", 200)]  # by a station: one unit every 5 s; bounds the harm of a stolen token
MESSAGES = [Rate("messages", 20)]
ANSWERS = [Rate("answers", 200)]  # by support
REPORTS = [Rate("reports", 20)]  # by an installer; each replaces the previous one
PHOTOS = [Rate("photos", 40)]  # each has up to 10 MB and is re-encoded
MOVES = [Rate("job moves", 60)]  # each may send an alert
EXPORTS = [Rate("exports", 5)]  # each reads all stored data of the person
INVITATIONS = [Rate("invitations", 20)]  # five of a charge point are open at once
LETTERS = [Rate("letters", 5), Rate("letters of a day", 20, DAY_MS)]  # they may go to strangers
# Rates of unauthenticated clients, by their network:
ASKED_LETTERS = [Rate("letters of a network", 10), Rate("letters of a network in a day", 60, DAY_MS)]
SIGN_UPS = [Rate("sign-ups", 20)]  # each hashes a password and reveals whether a name is taken
# By recipient, whoever asked. Beyond these, no letter is sent, and nobody is told:
TO_ONE = [Rate("letters to one", 3, HOUR_MS), Rate("letters to one in a day", 10, DAY_MS)]
TO_STRANGERS = [Rate("letters to strangers", 300, HOUR_MS)]  # of the whole service, to addresses that are not confirmed
WITH_ONE_LABEL = [Rate("sign-ups with one label", 20, DAY_MS)]


class Rates:
    """The used allowances, in memory: a restart clears them, and each process counts its own. Thread-safe. The time is a
    parameter."""

    def __init__(self) -> None:
        self._used: OrderedDict[tuple[str, int | str], tuple[float, int]] = OrderedDict()  # -> (used, time)
        self._lock = Lock()

    def use(self, who: int | str, rates: Sequence[Rate], now_ms: int) -> int:
        """Use one of every rate if each has one left, and return 0. Otherwise use nothing and return the milliseconds until
        one is available. `who` is a person's id, or a text: a network or an address."""
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
        """Return the used amount. A clock that was set back neither restores nor uses any."""
        used, then_ms = self._used.get((rate.what, who), (0.0, now_ms))
        return max(0.0, used - max(0, now_ms - then_ms) * rate.allowed / rate.window_ms)


def use(
    request: Request, person: Person, rates: Sequence[Rate], title: str, meaning: str, field: str | None = None
) -> None:
    """Use one of the person's rates. Raises Refused (429) with the title, the meaning, the field, and when to try again."""
    _use(request, person.id, rates, title, meaning, field)


def use_of_network(request: Request, rates: Sequence[Rate], title: str, meaning: str, field: str | None = None) -> None:
    """Use one of the rates of an unauthenticated client's network. Raises Refused like `use`."""
    _use(request, network_of(address_of_client(request)), rates, title, meaning, field)


def is_within(request: Request, who: int | str, rates: Sequence[Rate]) -> bool:
    """Use one of the rates. Return False if they are used up."""
    return _wait_ms(request, who, rates) == 0


def wait_s(request: Request, asker: Asker, rates: Sequence[Rate]) -> int:
    """Use one of the caller's rates, and return 0. Otherwise return the seconds until one is available. For the HTTP
    interface."""
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
