"""The contract of a car account's provider. One file of this folder implements it; no other file knows one by name.

Every method that talks to the provider blocks for at most `calls.TOTAL_S` and raises ProviderError, whose `trouble`
is the provider's answer in our own vocabulary. Tokens go in and out as values; a provider keeps none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from cloud_bridge.errors import BridgeError
from cloud_bridge.vehicles.providers.provider_errors import Trouble


@dataclass(frozen=True, slots=True)
class Grant:
    """The result of an authorisation. The tokens are left out of its repr, so that no log can hold them."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)  # single use: each refresh gives the next one
    issued_ms: int
    expires_ms: int  # of the access token, by our own clock
    scopes: tuple[str, ...]


class Car(NamedTuple):
    """A car in the account."""

    id: str  # the provider's own
    vin: str
    name: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The state of a car as it reported it. None is unknown."""

    seen_ms: int  # when the car reported it, as far as the provider tells; else when we asked. UTC since 1970
    battery_percent: float | None = None
    plugged_in: bool | None = None
    charging: bool | None = None
    range_km: float | None = None


class ProviderError(BridgeError):
    """The provider refused, or could not be reached."""

    def __init__(self, trouble: Trouble, words: str = "", advice: str = "", retry_after_ms: int | None = None) -> None:
        super().__init__(f"{trouble}: {words}" if words else str(trouble))
        self.trouble = trouble
        self.advice = advice  # the provider's own words for the driver, where it has some
        self.retry_after_ms = retry_after_ms


class BadSignature(Exception):
    """A webhook delivery is not signed by the provider, or there is no secret to check the signature with."""


class MalformedDelivery(Exception):
    """A webhook delivery is signed, but is not what the provider's documentation describes."""


class Delivery(NamedTuple):
    """The content of one webhook delivery."""

    answer: dict[str, str]  # the JSON body of our 200
    car_id: str | None = None  # the car that it is about, by the provider's id; None: none of ours
    reading: Reading | None = None  # None with a car_id: something has changed, and the car is polled at once


class Webhook(Protocol):
    """Where the provider calls us, at /api/webhooks/{name of the provider}."""

    def read(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Delivery:
        """Check and decode one delivery. Pure. `headers` ignore case. Raises BadSignature and MalformedDelivery."""
        ...


class Provider(Protocol):
    """One car maker, or a service that serves many."""

    @property
    def name(self) -> str:
        """The name in the settings and in addresses: a-z, 0-9, hyphen."""
        ...

    @property
    def title(self) -> str:
        """The name as people know it."""
        ...

    @property
    def issuer(self) -> str | None:
        """What the return must carry as `iss` (RFC 9207), or None where the provider sends none."""
        ...

    @property
    def webhook(self) -> Webhook | None:
        """None where the provider calls nobody, or the settings have no secret to check its calls with."""
        ...

    def authorise_url(self, state: str, verifier: str, redirect_uri: str, again: bool) -> str:
        """Where the driver gives consent. `again`: ask also for what was given once."""
        ...

    def exchange(self, code: str, verifier: str, redirect_uri: str, now_ms: int) -> Grant:
        """The code of the return for a grant. SCOPE_MISSING when less was granted than we need."""
        ...

    def refresh(self, refresh_token: str, now_ms: int) -> Grant:
        """The next grant. The refresh token is used up from the moment this is called."""
        ...

    def cars(self, access_token: str) -> list[Car]:
        """The cars in the account. Cheap, and wakes none."""
        ...

    def read(self, access_token: str, car_id: str, now_ms: int) -> Reading:
        """The state of the car now, or ASLEEP: never wakes it."""
        ...

    def release(self, grant: Grant, car_id: str) -> None:
        """We no longer read this car. Nothing where consent is for the whole account."""
        ...

    def revoke(self, grant: Grant) -> None:
        """Give the consent back. Nothing where it is given back car by car."""
        ...
