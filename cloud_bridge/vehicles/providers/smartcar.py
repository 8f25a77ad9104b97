"""Smartcar, a service for many makers (https://smartcar.com/docs), version 2.0 of its API.

Errors have a type, a code and often a text for the driver. Reads return Smartcar's copy of the maker's last data (the header
SC-Data-Age has its time), so they wake no car. The refresh token that was used last stays valid for one more minute, or ten
according to newer pages ("Token Refresh").

Settings of its own: `mode`, "live", or "simulated" for Smartcar's own test cars; `management_token`, the key of webhook
signatures.

Webhooks (https://smartcar.com/docs/api-reference/webhooks/event-types, versions 3 and 4) are signed in SC-Signature with
HMAC-SHA256 of the raw body, with the management token as the key. A VEHICLE_STATE is a reading. A VEHICLE_ERROR, or its end,
only makes us poll at once. The poll decides on the link, so a delivery that is repeated or late can neither disconnect a car
nor hide that access is lost.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx2

from cloud_bridge.distances import KM_PER_MILE
from cloud_bridge.vehicles.providers import fields, registry
from cloud_bridge.vehicles.providers.calls import Answer, ask
from cloud_bridge.vehicles.providers.oauth import OAuthProvider
from cloud_bridge.vehicles.providers.provider import BadSignature, Car, Delivery, Grant, MalformedDelivery, Reading
from cloud_bridge.vehicles.providers.provider_errors import Row, Trouble, look_up
from cloud_bridge.vehicles.providers.section import Section

DEFAULTS = {
    "title": "Smartcar",
    "authorise_url": "https://connect.smartcar.com/oauth/authorize",
    "token_url": "https://auth.smartcar.com/oauth/token",
    "api_url": "https://api.smartcar.com/v2.0",
    "scopes": ["required:read_vehicle_info", "required:read_vin", "required:read_battery", "required:read_charge"],
    "pkce": False,
    "mode": "live",
}
SIGNATURE = "SC-Signature"

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


class Smartcar(OAuthProvider):
    """Consent is given and withdrawn car by car."""

    def __init__(self, section: Section, transport: httpx2.BaseTransport) -> None:
        super().__init__(section, transport)
        self._api_url = section.url("api_url").rstrip("/")
        self._mode = section.text("mode")
        token = section.optional_text("management_token")
        self.webhook = SmartcarWebhook(token) if token else None

    def cars(self, access_token: str) -> list[Car]:
        found: list[Car] = []
        for listed in fields.listed(self._get("/vehicles", access_token).body, "vehicles"):
            car_id = fields.text(listed)
            if car_id is None:
                continue
            path = f"/vehicles/{quote(car_id, safe='')}"
            answer = self._get(path, access_token).body | self._get(f"{path}/vin", access_token).body
            car = fields.car(answer | {"id": car_id}, "id", "vin", ("make", "model"))
            if car is not None:
                found.append(car)
        return found

    def read(self, access_token: str, car_id: str, now_ms: int) -> Reading:
        path = f"/vehicles/{quote(car_id, safe='')}"
        battery = self._get(f"{path}/battery", access_token)
        charge = self._get(f"{path}/charge", access_token).body
        share = fields.number(battery.body.get("percentRemaining"))  # 0 to 1, in spite of its name
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

    def _authorise_extra(self, again: bool) -> dict[str, str]:
        return {"mode": self._mode, "approval_prompt": "force" if again else "auto"}

    def _get(self, path: str, access_token: str) -> Answer:
        headers = {"SC-Unit-System": "metric"}
        return ask(self._transport, "GET", self._api_url + path, access_token, explain, headers=headers)


def explain(status: int, body: dict[str, Any]) -> tuple[Trouble, str]:
    """Interpret an error by its type and code. The advice is Smartcar's own text for the driver."""
    words = f"{body.get('type', '')}:{body.get('code') or ''}"
    return look_up(ERRORS, status, words), fields.sentence(body.get("suggestedUserMessage"))


def _data_age_ms(answer: Answer) -> int | None:
    try:
        return int(datetime.fromisoformat(answer.headers.get("SC-Data-Age", "")).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):  # a year that the platform does not support
        return None


class SmartcarWebhook:
    """Verifies and decodes deliveries. Pure."""

    def __init__(self, management_token: str) -> None:
        self._token = management_token

    def read(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Delivery:
        if not hmac.compare_digest(sign(self._token, body).encode(), headers.get(SIGNATURE, "").encode()):
            raise BadSignature
        kind, data = _event(body)
        if kind == "VERIFY":
            challenge = fields.text(data.get("challenge"))
            if challenge is None:
                raise MalformedDelivery
            return Delivery({"challenge": sign(self._token, challenge.encode())})
        vehicle = data.get("vehicle")
        car_id = fields.text(vehicle.get("id")) if isinstance(vehicle, dict) else None
        if car_id is None or kind not in ("VEHICLE_STATE", "VEHICLE_ERROR"):
            return Delivery({})
        return Delivery({}, car_id, read_signals(data.get("signals"), now_ms) if kind == "VEHICLE_STATE" else None)


def sign(token: str, body: bytes) -> str:
    """Return the HMAC-SHA256 as hexadecimal digits."""
    return hmac.new(token.encode(), body, hashlib.sha256).hexdigest()


def _event(body: bytes) -> tuple[Any, dict[str, Any]]:
    """Return type and data of an event, for any bytes. Raises MalformedDelivery."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedDelivery from error
    if not isinstance(event, dict) or not isinstance(event.get("data"), dict):
        raise MalformedDelivery
    return event.get("eventType"), event["data"]


def read_signals(signals: Any, now_ms: int) -> Reading | None:
    """Return the reading in a VEHICLE_STATE; None if it has none of the signals that we show."""
    found = {
        fields.text(signal.get("code")): signal
        for signal in fields.items(signals)
        if isinstance(signal.get("body"), dict)
    }
    battery = found.get("tractionbattery-stateofcharge")
    reach = found.get("tractionbattery-range")
    cable = found.get("charge-ischargingcableconnected")
    charging = found.get("charge-ischarging")
    ours = [signal for signal in (battery, reach, cable, charging) if signal is not None]
    if not ours:
        return None
    kilometres = None if reach is None else fields.number(reach["body"].get("value"))
    if reach is not None and kilometres is not None and reach["body"].get("unit") == "miles":
        kilometres = kilometres * KM_PER_MILE
    return Reading(
        seen_ms=max(_updated_ms(signal, now_ms) for signal in ours),
        battery_percent=None if battery is None else _percent(battery["body"]),
        plugged_in=None if cable is None else fields.yes_no(cable["body"].get("value")),
        charging=None if charging is None else fields.yes_no(charging["body"].get("value")),
        range_km=kilometres,
    )


def _percent(body: dict[str, Any]) -> float | None:
    return fields.percent(body.get("value", body.get("percentage")))  # version 4, version 3


def _updated_ms(signal: dict[str, Any], now_ms: int) -> int:
    meta = signal.get("meta")
    return fields.moment_ms(meta.get("oemUpdatedAt") if isinstance(meta, dict) else None, now_ms)


registry.add("smartcar", Smartcar, DEFAULTS)
