"""The production test: how a unit in a fixture is exercised and measured. The allowed values are in limits.toml.

Each part returns values by the names of their limits. The unit is not commissioned yet, so it offers 6 A.
"""

import asyncio
import json
import statistics

from hil_tests.station.calibration import Calibration, fit
from hil_tests.station.errors import UnitFailed
from hil_tests.station.fixture import Fixture, Look

Measured = dict[str, float]

PROXIMITY_OHM = (1500, 680, 220, 100)  # IEC 61851-1 annex B
SETTLES_S = 0.3  # after a resistor is switched: three readings of the unit, and the bounce of the fixture's relay
PWM_WITHIN_S = 10.0
CLOSES_WITHIN_S = 20.0  # the unit tests its residual current sensor first
OPENS_WITHIN_S = 5.0
DRAWS_WITHIN_S = 5.0
DRAWS_W = 1_000
LIGHT_WITHIN_S = 6.0  # a breathing light has a period of 4 s
LIGHT_LEAST = 40  # of 255; the colour must also be at least twice as bright as the other two
CLEARS_WITHIN_S = 15.0
PAIRS = 3  # pairs of meter readings
RESIDUAL_MA = 30
TRIP_TOLD_WITHIN_S = 5.0
MODEM_WITHIN_S = 90.0  # SIM and registration, on a weak signal
NO_CSQ = 99
NOTHING = "-"  # the console's word for none
RED, GREEN, BLUE = range(3)


async def at_rest(fixture: Fixture) -> Measured:
    """Measure with nothing plugged in."""
    await fixture.ask_unit("clear")
    await fixture.ask_instrument("load A")
    await asyncio.sleep(SETTLES_S)
    look, seen = await fixture.look(), await fixture.inputs()
    return {
        "contactor_open_at_rest": not look.wires.contactor,
        "mirror_open_at_rest": not seen["contactor_closed"],
        "supply_error_percent": _error_percent(seen["supply_mv"], look.supply_mv),
        "rail_mv": seen["rail_mv"] or 0,
        "temperature_c": -100 if seen["temperature_c"] is None else seen["temperature_c"],
        "pilot_a_high_mv": await fixture.measure(_high_mv),
    }


async def pilot_with_a_vehicle(fixture: Fixture) -> Measured:
    """Measure the duty cycle and both pilot levels in state B."""
    await _load_b(fixture)
    measured = {
        "pilot_b_high_mv": await fixture.measure(_high_mv),
        "pilot_b_low_mv": await fixture.measure(lambda look: look.wires.pilot_mv[1]),
        "pilot_b_duty_percent": await fixture.measure(lambda look: look.wires.duty_percent),
        "light_blue": await _light(fixture, BLUE),
    }
    levels = await _levels(fixture)
    return measured | {"pilot_reading_error_mv": max((read - there for read, there in levels), key=abs)}


async def proximity(fixture: Fixture) -> Measured:
    """Measure with each resistor of a plug, and with none."""
    errors = []
    for ohm in PROXIMITY_OHM:
        await fixture.ask_instrument(f"proximity {ohm}")
        await asyncio.sleep(SETTLES_S)
        errors.append(_error_percent((await fixture.inputs())["proximity_ohm"], ohm))
    await fixture.ask_instrument("proximity open")
    await asyncio.sleep(SETTLES_S)
    seen = await fixture.inputs()
    return {"proximity_error_percent": max(errors, key=abs), "proximity_open": seen["proximity_ohm"] is None}


async def charging(fixture: Fixture) -> Measured:
    """Measure contactor, mirror, light and meter in state C; then return to state B, which opens the contactor."""
    closed = await _load_c(fixture)
    measured: Measured = {
        "pilot_c_high_mv": await fixture.measure(_high_mv),
        "contactor_closed_for_load": closed,
        "mirror_closed_for_load": bool((await fixture.inputs())["contactor_closed"]),
    }
    if not closed:
        return measured
    await fixture.until(lambda look: look.wires.power_w > DRAWS_W, DRAWS_WITHIN_S)
    await asyncio.sleep(SETTLES_S)
    errors = []
    for _ in range(PAIRS):
        there_w = await fixture.measure(lambda look: look.wires.power_w)
        errors.append(_error_percent((await fixture.inputs())["power_w"], there_w))
    measured |= {"power_error_percent": statistics.median(errors), "light_green": await _light(fixture, GREEN)}
    await fixture.ask_instrument("load B")
    opened = await fixture.until(lambda look: not look.wires.contactor, OPENS_WITHIN_S)
    return measured | {"contactor_open_after_load": opened}


async def residual_current(fixture: Fixture) -> Measured:
    """Measure the time from the residual current to the open contactor, by the instrument's clock; then clear the fault."""
    if not await _load_c(fixture):
        raise UnitFailed("the contactor did not close a second time: check its coil, its driver and the guard")
    said = await fixture.ask_instrument(f"trip {RESIDUAL_MA}", TRIP_TOLD_WITHIN_S)
    trip_ms = dict(line.partition(" ")[::2] for line in said).get("trip_ms", NOTHING)
    measured = {"rcd_trip_ms": float(trip_ms), "light_red": await _light(fixture, RED)}
    await fixture.ask_instrument("load A")
    return measured | {"fault_cleared": await _cleared(fixture)}


async def modem(fixture: Fixture) -> Measured:
    """Return SIM and signal as the unit's modem reports them."""
    deadline_s = asyncio.get_running_loop().time() + MODEM_WITHIN_S
    while True:
        said, status = await fixture.ask_unit("csq"), await fixture.ask_unit("status")
        has_no_sim = status["trouble"].startswith("SIM")
        if has_no_sim or int(said["csq"]) != NO_CSQ or asyncio.get_running_loop().time() > deadline_s:
            return {"sim_ready": not has_no_sim, "csq": int(said["csq"])}
        await asyncio.sleep(SETTLES_S)


async def calibrate(fixture: Fixture) -> Calibration:
    """Determine the calibration of the pilot input and store it in the unit. Raises UnitFailed."""
    await _store(fixture, Calibration())
    await fixture.ask_instrument("load A")
    await asyncio.sleep(SETTLES_S)
    levels = [await _pair(fixture, "pilot_high_mv", 0)]
    await _load_b(fixture)
    found = fit([*levels, *await _levels(fixture)])
    await _store(fixture, found)
    return found


async def _store(fixture: Fixture, calibration: Calibration) -> None:
    await fixture.ask_unit(f"provision {json.dumps(calibration._asdict())}")


async def _load_b(fixture: Fixture) -> None:
    """Enter state B. Raises UnitFailed if the unit offers no current."""
    await fixture.ask_instrument("load B")
    if not await fixture.until(lambda look: 0 < look.wires.duty_percent < 100, PWM_WITHIN_S):
        faults = (await fixture.ask_unit("status"))["faults"]
        raise UnitFailed(
            f"the unit offers a vehicle no current (faults: {faults}): enter `faults` and `why` on its console"
        )
    await asyncio.sleep(SETTLES_S)


async def _load_c(fixture: Fixture) -> bool:
    """Enter state C; return whether the contactor has closed."""
    await _load_b(fixture)
    await fixture.ask_instrument("load C")
    return await fixture.until(lambda look: look.wires.contactor, CLOSES_WITHIN_S)


async def _levels(fixture: Fixture) -> list[tuple[float, float]]:
    """Return (read by the unit, true) in mV for both levels of the PWM."""
    return [await _pair(fixture, "pilot_high_mv", 0), await _pair(fixture, "pilot_low_mv", 1)]


async def _pair(fixture: Fixture, name: str, place: int) -> tuple[float, float]:
    read = (await fixture.inputs())[name] or 0
    return read, await fixture.measure(lambda look: look.wires.pilot_mv[place])


async def _light(fixture: Fixture, colour: int) -> bool:
    """Return whether the light shows this colour, and no other, within some seconds."""

    def shows(look: Look) -> bool:
        others = [level for place, level in enumerate(look.wires.led) if place != colour]
        return look.wires.led[colour] >= max(LIGHT_LEAST, 2 * max(others))

    return await fixture.until(shows, LIGHT_WITHIN_S)


async def _cleared(fixture: Fixture) -> bool:
    deadline_s = asyncio.get_running_loop().time() + CLEARS_WITHIN_S
    while asyncio.get_running_loop().time() < deadline_s:
        await fixture.ask_unit("clear")
        await asyncio.sleep(SETTLES_S)
        if (await fixture.ask_unit("status"))["faults"] == NOTHING:
            return True
    return False


def _high_mv(look: Look) -> float:
    return look.wires.pilot_mv[0]


def _error_percent(read: float | None, there: float) -> float:
    """Return the error of a reading, or -100 if there was none."""
    return -100.0 if read is None or there == 0 else round(100 * (read - there) / there, 2)
