"""Tesla Fleet API (https://developer.tesla.com/docs/fleet-api).

Refresh tokens are single use and valid for three months; the one that was used last stays valid for 24 hours ("Third-Party
Tokens", "Refresh Tokens"). A sleeping car is never woken: its state is read first, which is free and does not wake it, and its
data only while it is online. An account belongs to one region. The wrong region's host responds with 421; the right host is
then requested, and has to be one of the settings: `api_url` is a list.
"""

from typing import Any
from urllib.parse import quote

import httpx2

from cloud_bridge.distances import KM_PER_MILE
from cloud_bridge.vehicles.providers import fields, registry
from cloud_bridge.vehicles.providers.answers import words_of
from cloud_bridge.vehicles.providers.calls import ask
from cloud_bridge.vehicles.providers.oauth import OAuthProvider
from cloud_bridge.vehicles.providers.provider import Car, ProviderError, Reading
from cloud_bridge.vehicles.providers.provider_errors import Row, Trouble, look_up
from cloud_bridge.vehicles.providers.section import Section

DEFAULTS = {
    "title": "Tesla",
    "authorise_url": "https://auth.tesla.com/oauth2/v3/authorize",
    "token_url": "https://fleet-auth.prd.vn.cloud.tesla.com/oauth2/v3/token",
    "api_url": ["https://fleet-api.prd.eu.vn.cloud.tesla.com", "https://fleet-api.prd.na.vn.cloud.tesla.com"],
    "scopes": ["openid", "offline_access", "vehicle_device_data"],
    "token_auth": "client_secret_post",
}

# "Response codes" of the Fleet API's conventions. Every status for which PyPI's tesla-fleet-api 1.5.0 has a class has a row,
# or is an outage of Tesla's (5xx). That package is not a dependency, because it requires a Bluetooth stack of 30 packages.
ERRORS = (
    Row(None, "mobile_access_disabled", Trouble.REMOTE_OFF),
    Row(None, "login_required", Trouble.CONSENT_GONE),
    Row(400, None, Trouble.MISUSED),
    Row(401, None, Trouble.STALE_TOKEN),  # "invalid bearer token", "token expired (401)"
    Row(402, None, Trouble.BILLING),
    Row(403, "missing scopes", Trouble.SCOPE_MISSING),
    Row(403, "invalid_scope", Trouble.SCOPE_MISSING),
    Row(403, "unsupported vehicle", Trouble.PRECONDITION),
    Row(404, None, Trouble.VEHICLE_GONE),
    Row(405, None, Trouble.MISUSED),
    Row(406, None, Trouble.MISUSED),
    Row(408, None, Trouble.ASLEEP),
    Row(412, None, Trouble.PRECONDITION),
    Row(421, None, Trouble.REGION),
    Row(422, None, Trouble.MISUSED),
    Row(423, None, Trouble.ACCOUNT_LOCKED),
    Row(424, None, Trouble.OUTAGE),
    Row(429, None, Trouble.RATE_LIMITED),
    Row(451, None, Trouble.ACCOUNT_ISSUE),  # the owner's privacy settings
    Row(499, None, Trouble.OUTAGE),
)

PLUGGED_IN = frozenset({"Charging", "Complete", "Stopped", "Starting", "NoPower", "Calibrating"})


class Tesla(OAuthProvider):
    """The Fleet API in the account's region."""

    def __init__(self, section: Section, transport: httpx2.BaseTransport) -> None:
        super().__init__(section, transport)
        self._api_urls = tuple(url.rstrip("/") for url in section.urls("api_url"))

    def cars(self, access_token: str) -> list[Car]:
        answer = self._get("/api/1/vehicles", access_token)
        found = (
            fields.car(item, "vin", "vin", "display_name") for item in fields.items(fields.listed(answer, "response"))
        )
        return [car for car in found if car is not None]

    def read(self, access_token: str, car_id: str, now_ms: int) -> Reading:
        path = f"/api/1/vehicles/{quote(car_id, safe='')}"
        if _object(self._get(path, access_token)).get("state") != "online":
            raise ProviderError(Trouble.ASLEEP)
        answer = _object(self._get(f"{path}/vehicle_data?endpoints=charge_state", access_token))
        charge = answer.get("charge_state")
        if not isinstance(charge, dict):
            return Reading(now_ms)
        state = charge.get("charging_state")
        miles = fields.number(charge.get("battery_range"))
        return Reading(
            seen_ms=fields.moment_ms(charge.get("timestamp"), now_ms),
            battery_percent=fields.percent(charge.get("battery_level")),
            plugged_in=state in PLUGGED_IN if isinstance(state, str) else None,
            charging=state == "Charging" if isinstance(state, str) else None,
            range_km=None if miles is None else miles * KM_PER_MILE,
        )

    def _authorise_extra(self, again: bool) -> dict[str, str]:
        return {"require_requested_scopes": "true"} | ({"prompt_missing_scopes": "true"} if again else {})

    def _exchange_extra(self) -> dict[str, str]:
        return {"audience": self._api_urls[0]}

    def _get(self, path: str, access_token: str) -> dict[str, Any]:
        first = self._api_urls[0]
        try:
            return self._ask(first + path, access_token)
        except ProviderError as error:
            if error.trouble is not Trouble.REGION:
                raise
            home = _object(self._ask(f"{first}/api/1/users/region", access_token)).get("fleet_api_base_url")
            if not isinstance(home, str) or home.rstrip("/") not in self._api_urls[1:]:
                raise
            return self._ask(home.rstrip("/") + path, access_token)

    def _ask(self, url: str, access_token: str) -> dict[str, Any]:
        return ask(self._transport, "GET", url, access_token, explain).body


def explain(status: int, body: dict[str, Any]) -> tuple[Trouble, str]:
    """Interpret an error by its status and by the texts of the response, whatever their structure."""
    return look_up(ERRORS, status, words_of(body)), ""


def _object(body: dict[str, Any]) -> dict[str, Any]:
    """Return the content of the response, which Fleet API wraps in `response`."""
    answer = body.get("response")
    return answer if isinstance(answer, dict) else {}


registry.add("tesla", Tesla, DEFAULTS)
