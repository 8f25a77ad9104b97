"""Why no vehicle was linked, although the driver came back from the maker's page."""

from enum import StrEnum

from cloud_bridge.errors import BridgeError
from cloud_bridge.vehicles.providers.provider import Car
from cloud_bridge.vehicles.repository import Vehicle


class Refusal(StrEnum):
    """The reason. web/presentation/vehicle_words.py has the text for the driver."""

    NOT_OURS = "not_ours"  # no such state, used, too old, another browser or person: all look the same
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
        self.vehicle = vehicle  # the one that was to be linked again
        self.cars = cars or []  # what the account has instead
