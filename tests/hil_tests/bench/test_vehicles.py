"""What does the charge point do with vehicles as people have reported them? The whole table: `bench vehicles`."""

import pytest

from hil_tests.bench.vehicles import meet
from hil_tests.sim import manners
from hil_tests.sim.vehicle import Vehicle

# The faults and events of each. Vehicles that charge take more than CHARGED_WH in their 20 minutes.
CHARGED_WH = 1500
CHARGES = {
    Vehicle: (),
    manners.PausesToCool: ("contactor_rest",),
    manners.StartsTwice: (),
    manners.StaysInC: (),
    manners.Sleeps: ("nudging",),
    manners.SleepsUntilPluggedIn: ("nudging", "replugging"),
    manners.GivesUp: (),
    manners.NeedsEightAmps: ("contactor_rest",),
    manners.StopsAtSteps: (),
    manners.StartsLate: (),
    manners.Overshoots: (),
    manners.TakesATenthMore: (),
    manners.SlipsOff: (),
    manners.LosesItsDiode: (),
    manners.DisturbsThePilot: (),
    manners.DislikesF: (),
    manners.IgnoresChanges: ("draws_more",),
}
CHARGES_LITTLE = {
    manners.Toggles: ("contactor_rest",),
    manners.Chatters: (),
    manners.FallsOff: ("contactor_rest",),
    manners.AsksForVentilation: (),
    manners.SleepsForGood: ("nudging", "replugging"),
    manners.StandsBy: (),
}


@pytest.mark.parametrize("kind", [*CHARGES, *CHARGES_LITTLE], ids=lambda kind: kind.__name__)
def test_the_contactor_is_spared_and_opens_in_time_and_what_is_seen_is_told(kind: type[Vehicle]) -> None:
    outcome = meet(kind)
    assert outcome.held() and not outcome.red, outcome
    assert outcome.faults + outcome.told == (CHARGES | CHARGES_LITTLE)[kind], outcome
    assert (outcome.energy_wh > CHARGED_WH) == (kind in CHARGES), outcome


def test_every_manner_is_looked_at_and_names_its_source() -> None:
    kinds = set(manners.every_manner())
    assert kinds | {Vehicle} == {*CHARGES, *CHARGES_LITTLE}
    assert [kind for kind in kinds if "github.com/" not in (kind.__doc__ or "")] == []
