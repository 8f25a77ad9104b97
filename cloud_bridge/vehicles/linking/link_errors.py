"""Why no vehicle was linked although the driver returned from the maker's page."""

from enum import StrEnum

from cloud_bridge.errors import BridgeError
from cloud_bridge.vehicles.providers.provider import Car
from cloud_bridge.vehicles.repository import Vehicle


class Refusal(StrEnum):
    """The reason. web/presentation/vehicle_words.py has the texts for drivers."""

    NOT_OURS = "not_ours"  # unknown, used or expired state, or another browser or person: indistinguishable on purpose
    MIXED_UP = "mixed_up"
    DECLINED = "declined"
    SCOPES = "scopes"
    CODE = "code"
    PROVIDER = "provider"
    NO_CAR = "no_car"
    OTHER_CAR = "other_car"


class LinkRefused(BridgeError):
    """Nothing was linked, and nothing was stored."""

    def __init__(self, refusal: Refusal, vehicle: Vehicle | None = None, cars: list[Car] | None = None) -> None:
        super().__init__(f"nothing was linked: {refusal}")
        self.refusal = refusal
        self.vehicle = vehicle  # the vehicle to link again
        self.cars = cars or []  # the cars that the account has instead
