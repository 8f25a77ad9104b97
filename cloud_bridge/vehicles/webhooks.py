"""What Smartcar tells us unasked (https://smartcar.com/docs/api-reference/webhooks/event-types, versions 3 and 4).

Nothing is believed without its signature, an HMAC-SHA256 of the raw body with the management token. A state is taken as
a reading. An error, or the end of one, is only a reason to look now: what the link is then says the look, so a
delivery that is repeated or late can never take a car away from its driver or hide that it is lost.
"""

import hashlib
import hmac
import json
from typing import Any

from cloud_bridge.vehicles import repository
from cloud_bridge.vehicles.accounts import Accounts
from cloud_bridge.vehicles.providers import fields
from cloud_bridge.vehicles.providers.provider import Reading

PROVIDER = "smartcar"


class NotSigned(Exception):
    """The signature is missing or wrong, or there is no management token to check it with."""


class NoEvent(Exception):
    """Signed, and not what Smartcar's documentation describes."""


def take_in(accounts: Accounts, body: bytes, signature: str) -> dict[str, str]:
    """What to answer. Raises NotSigned, and NoEvent for a signed body that is none of Smartcar's events."""
    token = accounts.catalogue.management_token
    if token is None or not hmac.compare_digest(sign(token, body).encode(), signature.encode()):
        raise NotSigned
    kind, data = _read(body)
    if kind == "VERIFY":
        challenge = fields.text(data.get("challenge"))
        if challenge is None:
            raise NoEvent
        return {"challenge": sign(token, challenge.encode())}
    vehicle = data.get("vehicle")
    car_id = fields.text(vehicle.get("id")) if isinstance(vehicle, dict) else None
    if car_id is not None and kind in ("VEHICLE_STATE", "VEHICLE_ERROR"):
        reading = read_signals(data.get("signals"), accounts.clock.now_ms()) if kind == "VEHICLE_STATE" else None
        _tell(accounts, car_id, reading)
    return {}


def _read(body: bytes) -> tuple[Any, dict[str, Any]]:
    """Kind and data of an event, whatever the bytes. Raises NoEvent."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NoEvent from error
    if not isinstance(event, dict) or not isinstance(event.get("data"), dict):
        raise NoEvent
    return event.get("eventType"), event["data"]


def sign(token: str, body: bytes) -> str:
    return hmac.new(token.encode(), body, hashlib.sha256).hexdigest()


def read_signals(said: Any, now_ms: int) -> Reading | None:
    """None when none of the signals is one of ours."""
    found = {
        fields.text(signal.get("code")): signal for signal in fields.items(said) if isinstance(signal.get("body"), dict)
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
        kilometres = round(kilometres * fields.KM_PER_MILE, 1)
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


def _tell(accounts: Accounts, car_id: str, reading: Reading | None) -> None:
    """Everybody who has linked this car."""
    with accounts.database.writing() as connection:
        for vehicle in repository.of_car(connection, PROVIDER, car_id):
            if reading is not None:
                repository.said(connection, vehicle, reading)
            else:
                repository.look_soon(connection, vehicle)
