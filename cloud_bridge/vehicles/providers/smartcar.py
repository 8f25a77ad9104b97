"""Smartcar, which speaks for many makers (https://smartcar.com/docs), version 2.0 of its interface.

Errors carry a type, a code and often a sentence for the driver. Reading goes to Smartcar's copy of what the maker last
knew (header SC-Data-Age says when), so it wakes no car.
"""

from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx2

from cloud_bridge.vehicles.providers import fields
from cloud_bridge.vehicles.providers.calls import Answer, ask
from cloud_bridge.vehicles.providers.oauth import OAuth, OAuthSettings
from cloud_bridge.vehicles.providers.provider import Car, Grant, Reading
from cloud_bridge.vehicles.providers.provider_errors import Row, Trouble, look_up

AUTHORISE_URL = "https://connect.smartcar.com/oauth/authorize"
TOKEN_URL = "https://auth.smartcar.com/oauth/token"
API_URL = "https://api.smartcar.com/v2.0"
SCOPES = ("required:read_vehicle_info", "required:read_vin", "required:read_battery", "required:read_charge")

# "API errors" of the documentation; the word is type:code.
ERRORS = (
    Row(None, "CONNECTED_SERVICES_ACCOUNT:AUTHENTICATION_FAILED", Trouble.CONSENT_GONE),
    Row(None, "CONNECTED_SERVICES_ACCOUNT:ACCOUNT_ISSUE", Trouble.ACCOUNT_ISSUE),
    Row(None, "CONNECTED_SERVICES_ACCOUNT:PERMISSION", Trouble.ACCOUNT_ISSUE),
    Row(None, "CONNECTED_SERVICES_ACCOUNT:SUBSCRIPTION", Trouble.SUBSCRIPTION),
    Row(None, "CONNECTED_SERVICES_ACCOUNT:VIRTUAL_KEY_REQUIRED", Trouble.VIRTUAL_KEY),
    Row(None, "CONNECTED_SERVICES_ACCOUNT:VEHICLE_MISSING", Trouble.VEHICLE_GONE),
    Row(None, "CONNECTED_SERVICES_ACCOUNT:NO_VEHICLES", Trouble.VEHICLE_GONE),
    Row(None, "AUTHENTICATION:", Trouble.STALE_TOKEN),
    Row(403, "PERMISSION:", Trouble.SCOPE_MISSING),
    Row(None, "VEHICLE_STATE:REMOTE_ACCESS_DISABLED", Trouble.REMOTE_OFF),
    Row(None, "VEHICLE_STATE:", Trouble.ASLEEP),  # asleep, unreachable, busy: the account works
    Row(None, "RATE_LIMIT:", Trouble.RATE_LIMITED),
    Row(None, "BILLING:", Trouble.BILLING),
    Row(401, None, Trouble.STALE_TOKEN),
    Row(429, None, Trouble.RATE_LIMITED),
)


class Smartcar:
    name = "smartcar"
    title = "Smartcar"

    def __init__(self, oauth: OAuthSettings, api_url: str, mode: str, transport: httpx2.BaseTransport) -> None:
        self.issuer = oauth.issuer
        self._oauth = OAuth(oauth, transport)
        self._api_url = api_url.rstrip("/")
        self._mode = mode  # "live", or "simulated" for Smartcar's own test cars
        self._transport = transport

    def authorise_url(self, state: str, verifier: str, redirect_uri: str, again: bool) -> str:
        prompt = "force" if again else "auto"
        return self._oauth.authorise_url(state, verifier, redirect_uri, mode=self._mode, approval_prompt=prompt)

    def exchange(self, code: str, verifier: str, redirect_uri: str, now_ms: int) -> Grant:
        return self._oauth.exchange(code, verifier, redirect_uri, now_ms)

    def refresh(self, refresh_token: str, now_ms: int) -> Grant:
        return self._oauth.refresh(refresh_token, now_ms)

    def cars(self, access_token: str) -> list[Car]:
        ids = self._get("/vehicles", access_token).body.get("vehicles")
        found: list[Car] = []
        for car_id in ids[: fields.KEPT_CARS] if isinstance(ids, list) else []:
            path = f"/vehicles/{quote(str(car_id), safe='')}"
            told = self._get(path, access_token).body | self._get(f"{path}/vin", access_token).body
            car = fields.car(told | {"id": car_id}, "id", "vin", ("make", "model"))
            if car is not None:
                found.append(car)
        return found

    def read(self, access_token: str, car_id: str, now_ms: int) -> Reading:
        path = f"/vehicles/{quote(car_id, safe='')}"
        battery = self._get(f"{path}/battery", access_token)
        charge = self._get(f"{path}/charge", access_token).body
        share = fields.number(battery.body.get("percentRemaining"))  # 0 to 1, whatever its name says
        state = charge.get("state")
        return Reading(
            seen_ms=fields.moment_ms(_data_age_ms(battery), now_ms),
            battery_percent=None if share is None else fields.percent(round(share * 100, 1)),
            plugged_in=fields.yes_no(charge.get("isPluggedIn")),
            charging=state == "CHARGING" if isinstance(state, str) else None,
            range_km=fields.number(battery.body.get("range")),
        )

    def release(self, grant: Grant, car_id: str) -> None:
        path = f"/vehicles/{quote(car_id, safe='')}/application"
        ask(self._transport, "DELETE", self._api_url + path, grant.access_token, explain)

    def revoke(self, grant: Grant) -> None:
        pass

    def _get(self, path: str, access_token: str) -> Answer:
        headers = {"SC-Unit-System": "metric"}
        return ask(self._transport, "GET", self._api_url + path, access_token, explain, headers=headers)


def explain(status: int, body: dict[str, Any]) -> tuple[Trouble, str]:
    said = f"{body.get('type', '')}:{body.get('code') or ''}"
    return look_up(ERRORS, status, said), fields.sentence(body.get("suggestedUserMessage"))


def _data_age_ms(answer: Answer) -> int | None:
    try:
        return int(datetime.fromisoformat(answer.headers.get("SC-Data-Age", "")).timestamp() * 1000)
    except ValueError:
        return None
