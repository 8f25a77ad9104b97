"""A plain OAuth 2 provider with a small JSON API: for the demo, the tests, and makers that support it."""

from typing import Any
from urllib.parse import quote

import httpx2

from cloud_bridge.vehicles.providers import fields, registry
from cloud_bridge.vehicles.providers.answers import words_of
from cloud_bridge.vehicles.providers.calls import ask
from cloud_bridge.vehicles.providers.oauth import OAuthProvider
from cloud_bridge.vehicles.providers.provider import Car, Reading
from cloud_bridge.vehicles.providers.provider_errors import Row, Trouble, look_up
from cloud_bridge.vehicles.providers.section import Section

ERRORS = (
    Row(401, None, Trouble.STALE_TOKEN),
    Row(None, "invalid_token", Trouble.STALE_TOKEN),
    Row(None, "expired_token", Trouble.STALE_TOKEN),
    Row(None, "token_expired", Trouble.STALE_TOKEN),
    Row(None, "login_required", Trouble.STALE_TOKEN),
    Row(403, "insufficient_scope", Trouble.SCOPE_MISSING),
    Row(403, "remote_access_disabled", Trouble.REMOTE_OFF),
    Row(403, "subscription_required", Trouble.SUBSCRIPTION),
    Row(404, None, Trouble.VEHICLE_GONE),
    Row(408, None, Trouble.ASLEEP),
    Row(423, None, Trouble.ACCOUNT_LOCKED),
    Row(429, None, Trouble.RATE_LIMITED),
)


class Generic(OAuthProvider):
    """A provider whose name, title and addresses are settings, so there may be several."""

    def __init__(self, section: Section, transport: httpx2.BaseTransport) -> None:
        super().__init__(section, transport)
        self._api_url = section.url("api_url").rstrip("/")

    def cars(self, access_token: str) -> list[Car]:
        answer = fields.listed(self._get("/vehicles", access_token), "vehicles")
        found = (fields.car(item, "id", "vin", "name") for item in fields.items(answer))
        return [car for car in found if car is not None]

    def read(self, access_token: str, car_id: str, now_ms: int) -> Reading:
        answer = self._get(f"/vehicles/{quote(car_id, safe='')}", access_token)
        return Reading(
            seen_ms=fields.moment_ms(answer.get("seen_ms"), now_ms),
            battery_percent=fields.percent(answer.get("battery_percent")),
            plugged_in=fields.yes_no(answer.get("plugged_in")),
            charging=fields.yes_no(answer.get("charging")),
            range_km=fields.number(answer.get("range_km")),
        )

    def _authorise_extra(self, again: bool) -> dict[str, str]:
        return {"prompt": "consent"}

    def _get(self, path: str, access_token: str) -> dict[str, Any]:
        return ask(self._transport, "GET", self._api_url + path, access_token, explain).body


def explain(status: int, body: dict[str, Any]) -> tuple[Trouble, str]:
    """Interpret an error by its status and by the texts of the response, whatever their structure."""
    return look_up(ERRORS, status, words_of(body)), ""


registry.add("generic", Generic, {})
