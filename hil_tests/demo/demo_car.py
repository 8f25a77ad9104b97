"""The car's account in `make run`: the virtual unit's own car, behind a maker's cloud that the panel serves."""

from pathlib import Path
from typing import Any

from hil_tests.rig.panel.app import CAR_MAKER
from hil_tests.rig.unit import Unit
from hil_tests.sim.car_account import Car, CarAccount

PROVIDER = "demo"  # its table in vehicles.toml
CLIENT_ID = "chargekeeper-demo"
FULL_RANGE_KM = 380
DRAWING_MA = 1000  # a lower current only supplies the car's electronics
WRITTEN_BY_US = "# Written by make run. Take this line away and it is yours."


def open_account(unit: Unit, folder: Path, dashboard: str) -> CarAccount:
    """Open the stored account. Existing links remain valid."""

    def read() -> dict[str, Any]:
        vehicle = unit.board.vehicle
        return {
            "battery_percent": round(vehicle.battery_percent, 1),
            "plugged_in": vehicle.plugged,
            "charging": vehicle.current_ma > DRAWING_MA,
            "range_km": round(FULL_RANGE_KM * vehicle.battery_percent / 100),
        }

    car = Car("demo", "WCK0DEM0000000001", "Demo car", read)
    return CarAccount(CLIENT_ID, f"{dashboard}/vehicles/return/", [car], folder / "car-account.json")


def introduce(folder: Path, dashboard: str, panel: str) -> None:
    """Write the maker's settings for the bridge, unless the user has written their own."""
    path = folder / "vehicles.toml"
    if path.exists() and not path.read_text().startswith(WRITTEN_BY_US):
        return
    maker = panel + CAR_MAKER
    path.write_text(f"""{WRITTEN_BY_US}
public_url = "{dashboard}"
look_every_s = 10

[provider.{PROVIDER}]
kind = "generic"
title = "Demo Motors"
client_id = "{CLIENT_ID}"
authorise_url = "{maker}/authorize"
token_url = "{maker}/token"
revoke_url = "{maker}/revoke"
api_url = "{maker}/api"
scopes = ["offline_access", "vehicle:read"]
""")
