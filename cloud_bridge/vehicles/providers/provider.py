"""The contract of a provider of car accounts. One file of this folder implements it; no other file refers to a provider by
name.

Every method that calls the provider blocks for at most `calls.TOTAL_S` and raises ProviderError, whose `trouble` is the
provider's answer in our own vocabulary. Tokens are passed as values; a provider stores none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from cloud_bridge.errors import BridgeError
from cloud_bridge.vehicles.providers.provider_errors import Trouble


@dataclass(frozen=True, slots=True)
class Grant:
    """The result of an authorisation. Its repr leaves out the tokens, so that they cannot get into a log."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)  # single use: each refresh returns the next one
    issued_ms: int
    expires_ms: int  # of the access token, by our own clock
    scopes: tuple[str, ...]


class Car(NamedTuple):
    """A car in the account."""

    id: str  # the provider's id
    vin: str
    name: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The state of a car as it reported it. Values that are None are unknown."""

    seen_ms: int  # when the car reported it, or when we asked if the provider does not say; UTC since 1970
    battery_percent: float | None = None
    plugged_in: bool | None = None
    charging: bool | None = None
    range_km: float | None = None


class ProviderError(BridgeError):
    """The provider refused a request, or could not be reached."""

    def __init__(self, trouble: Trouble, words: str = "", advice: str = "", retry_after_ms: int | None = None) -> None:
        super().__init__(f"{trouble}: {words}" if words else str(trouble))
        self.trouble = trouble
        self.advice = advice  # the provider's own text for the driver; empty if there is none
        self.retry_after_ms = retry_after_ms


class BadSignature(Exception):
    """A webhook delivery is not signed by the provider, or there is no secret to check the signature with."""


class MalformedDelivery(Exception):
    """A webhook delivery is signed, but is not what the provider's documentation describes."""


class Delivery(NamedTuple):
    """The content of one webhook delivery."""

    answer: dict[str, str]  # the JSON body of our 200 response
    car_id: str | None = None  # the car, by the provider's id; None if it is not about a car
    reading: Reading | None = None  # None with a car_id: something has changed, so the car is polled at once


class Webhook(Protocol):
    """A provider's webhook, called at /api/webhooks/{name of the provider}."""

    def read(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Delivery:
        """Verify and decode one delivery. Pure. `headers` is case-insensitive. Raises BadSignature and MalformedDelivery."""
        ...


class Provider(Protocol):
    """One car maker, or a service that serves many."""

    @property
    def name(self) -> str:
        """The name in the settings and in addresses: a-z, 0-9, hyphen."""
        ...

    @property
    def title(self) -> str:
        """The name that people know."""
        ...

    @property
    def issuer(self) -> str | None:
        """The `iss` that the redirect back must have (RFC 9207); None if the provider sends none."""
        ...

    @property
    def webhook(self) -> Webhook | None:
        """None if the provider has no webhook, or if the settings have no secret to verify it."""
        ...

    def authorise_url(self, state: str, verifier: str, redirect_uri: str, again: bool) -> str:
        """Return the address where the driver gives consent. `again`: ask for consent even if it was given before."""
        ...

    def exchange(self, code: str, verifier: str, redirect_uri: str, now_ms: int) -> Grant:
        """Exchange the code of the redirect for a grant. Raises ProviderError: SCOPE_MISSING if less was granted than
        needed."""
        ...

    def refresh(self, refresh_token: str, now_ms: int) -> Grant:
        """Return the next grant. The refresh token is used up from the moment of this call."""
        ...

    def cars(self, access_token: str) -> list[Car]:
        """Return the cars in the account. Cheap, and wakes none of them."""
        ...

    def read(self, access_token: str, car_id: str, now_ms: int) -> Reading:
        """Return the present state of the car. Raises ProviderError: ASLEEP rather than waking it."""
        ...

    def release(self, grant: Grant, car_id: str) -> None:
        """Stop reading this car. Does nothing if consent covers the whole account."""
        ...

    def revoke(self, grant: Grant) -> None:
        """Withdraw the consent. Does nothing if it is withdrawn car by car."""
        ...
