"""The circumstances of one night, drawn from a seed: person, vehicle, charge point, network, house, and what goes
wrong.

Troubles are many times more frequent than in real life, so that ten thousand nights contain some hundreds of each.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

SITE = ZoneInfo("Europe/London")
MINUTE, HOUR = 60, 3600
NEVER_S = 1 << 62
CLOCK_CHANGES = ((2026, 3, 28), (2026, 10, 24))  # the evenings before the change
HOURS = (  # hours to avoid, in the unit's format; share of the units that have them; how long they permit charging
    ("off", 0.4, 10 * HOUR),
    ("mon-sun 05:30-24:00 00:00-00:30", 0.25, 5 * HOUR),
    ("mon-sun 05:30-23:30", 0.15, 6 * HOUR),
    ("mon-sun 07:00-23:00", 0.1, 7 * HOUR),
    ("mon-fri 08:00-11:00 16:00-22:00", 0.1, 8 * HOUR),
)

Times = list[tuple[int, int]]  # from, until; seconds since 1970


@dataclass
class Wanted:
    """A plan as the person sets it."""

    at_s: int
    hour: int
    minute: int
    target: float
    capacity_kwh: float  # as the person believes
    power_kw: float


@dataclass
class Circumstances:
    """The circumstances of one night, all decided before it begins. Times are seconds since 1970."""

    seed: int
    begins_s: int
    plans: list[Wanted]
    plugged: Times
    # the vehicle
    capacity_wh: float
    battery_wh: float
    own_limit: float  # per cent
    most_w: float
    efficiency: float
    taper_from: float  # per cent
    cold: float  # share of its power that it takes while it is cold
    cold_for_s: int
    wakes_after_s: float  # after current is offered
    own_start_s: int  # before this it takes nothing, by its own schedule
    rests: Times
    # its account
    has_account: bool  # whether the account reports the battery
    consent_until_s: int
    asks_every_s: int
    # the site
    hours: str
    amps: int
    random_delay_s: int
    house: list[tuple[int, int, int]]  # from, until, amperes that the house leaves
    no_mains: Times
    no_network: Times
    faults: Times
    pauses: Times  # set by a person by mistake: when, and until when
    our_outages: Times
    troubles: list[str] = field(default_factory=list)

    @property
    def ready_s(self) -> int:
        return departure_s(self.plans[-1])


def departure_s(wanted: Wanted) -> int:
    """Return the next occurrence of the plan's time of day at the site."""
    local = datetime.fromtimestamp(wanted.at_s, UTC).astimezone(SITE)
    for days in (0, 1):
        day = local.date() + timedelta(days=days)
        at_s = int(datetime(day.year, day.month, day.day, wanted.hour, wanted.minute, tzinfo=SITE).timestamp())
        if at_s > wanted.at_s:
            return at_s
    raise AssertionError(wanted)


def draw(seed: int) -> Circumstances:
    """Draw the night of this seed."""
    random = Random(seed)
    begins_s = _evening(random)
    plan = _wanted(random, begins_s)
    night = _ordinary(random, seed, begins_s, plan)
    for name, share, happen in TROUBLES:
        if random.random() < share:
            night.troubles.append(name)
            happen(random, night)
    return night


def _evening(random: Random) -> int:
    if random.random() < 0.06:
        year, month, day = random.choice(CLOCK_CHANGES)
        evening = datetime(year, month, day, tzinfo=SITE)
    else:
        evening = datetime(2026, 1, 1, tzinfo=SITE) + timedelta(days=random.randrange(364))
    minutes = int(random.triangular(16.5 * 60, 23 * 60, 18.5 * 60))
    return int(evening.replace(hour=minutes // 60, minute=minutes % 60).timestamp())


def _wanted(random: Random, at_s: int) -> Wanted:
    minutes = int(random.triangular(5.5 * 60, 9.5 * 60, 7.2 * 60)) // 5 * 5
    target = random.choices((70, 80, 90, 100), (1, 6, 2, 1))[0]
    return Wanted(at_s, minutes // 60, minutes % 60, target, 0, 0)


def _ordinary(random: Random, seed: int, begins_s: int, plan: Wanted) -> Circumstances:
    """Draw a night in which all goes well, if there is enough time."""
    capacity = random.uniform(38, 92)
    most_w = random.choices((3_600, 7_300, 7_300), (1, 6, 3))[0]
    own_limit = random.choice([limit for limit in (80, 90, 100) if limit >= plan.target])
    amps = random.choices((16, 32), (1, 6))[0]
    plan.capacity_kwh = round(capacity * random.uniform(0.92, 1.08), 1)
    plan.power_kw = round(min(most_w, amps * 230) / 1000 * random.uniform(0.97, 1.05), 1)
    hours, _, open_s = random.choices(HOURS, [share for _, share, _ in HOURS])[0]
    # The wanted energy fits into these hours. More energy or less time is a trouble.
    fits = 0.8 * min(most_w, amps * 230) * open_s / HOUR / capacity / 10
    points = random.triangular(5, min(60, fits), min(30, fits))
    night = Circumstances(
        seed=seed,
        begins_s=begins_s,
        plans=[plan],
        plugged=[(begins_s + int(random.uniform(-600, 900)), NEVER_S)],
        capacity_wh=capacity * 1000,
        battery_wh=max(4, plan.target - points) * capacity * 10,
        own_limit=own_limit,
        most_w=most_w,
        efficiency=random.uniform(0.85, 0.91),
        taper_from=random.uniform(92, 97),
        cold=1.0,
        cold_for_s=0,
        wakes_after_s=random.choices((0, random.uniform(30, 300)), (4, 1))[0],
        own_start_s=0,
        rests=[],
        has_account=random.random() < 0.9,
        consent_until_s=NEVER_S,
        asks_every_s=random.choice((600, 600, 1200, 1800)),
        hours=hours,
        amps=amps,
        random_delay_s=random.choice((0, random.randrange(60, 600))),
        house=[],
        no_mains=[],
        no_network=[],
        faults=[],
        pauses=[],
        our_outages=[],
    )
    if random.random() < 0.15:
        at_s = _at_night(random, night)
        night.rests.append((at_s, at_s + int(random.triangular(3, 22, 8)) * MINUTE))
    return night


def _at_night(random: Random, night: Circumstances) -> int:
    return random.randrange(night.begins_s, night.ready_s)


def _lasting(random: Random, shortest_s: float, longest_s: float) -> int:
    """Draw a duration: each tenfold range of lengths is equally likely."""
    return int(shortest_s * (longest_s / shortest_s) ** random.random())


def _plugged_late(random: Random, night: Circumstances) -> None:
    night.plugged = [(night.begins_s + _lasting(random, 20 * MINUTE, 7 * HOUR), NEVER_S)]


def _never_plugged(random: Random, night: Circumstances) -> None:
    night.plugged = []


def _unplugged(random: Random, night: Circumstances) -> None:
    """A person needs the car, or the cable."""
    at_s = _at_night(random, night)
    back_s = at_s + _lasting(random, 2 * MINUTE, 12 * HOUR)
    (first_s, _), *_ = night.plugged or [(at_s, 0)]
    night.plugged = [(first_s, max(first_s, at_s)), (max(first_s, back_s), NEVER_S)]


def _asleep(random: Random, night: Circumstances) -> None:
    night.wakes_after_s = NEVER_S


def _slow_to_wake(random: Random, night: Circumstances) -> None:
    night.wakes_after_s = random.uniform(5, 20) * MINUTE


def _own_schedule(random: Random, night: Circumstances) -> None:
    local = datetime.fromtimestamp(night.begins_s, UTC).astimezone(SITE)
    start = (local + timedelta(days=1)).replace(hour=0, minute=0) + timedelta(
        minutes=random.choice((0, 30, 30, 60, 90, 120))
    )
    night.own_start_s = int(start.timestamp())


def _own_limit(random: Random, night: Circumstances) -> None:
    night.own_limit = min(night.own_limit, random.choice((50, 60, 70, 80)))


def _cold(random: Random, night: Circumstances) -> None:
    night.cold = random.uniform(0.3, 0.85)
    night.cold_for_s = random.choice((int(random.uniform(20, 75) * MINUTE), 24 * HOUR))


def _house(random: Random, night: Circumstances) -> None:
    """Cooking and washing in the evening, and sometimes a heat pump all night."""
    if random.random() < 0.85:
        until_s = night.begins_s + _lasting(random, 20 * MINUTE, 5 * HOUR)
        night.house.append((night.begins_s, until_s, random.choice((0, 6, 8, 10, 16))))
    else:
        night.house.append((night.begins_s, NEVER_S, random.choice((0, 6, 8, 10))))


def _no_network(random: Random, night: Circumstances) -> None:
    at_s = _at_night(random, night)
    night.no_network.append((at_s, at_s + _lasting(random, 2 * MINUTE, 10 * HOUR)))


def _no_mains(random: Random, night: Circumstances) -> None:
    at_s = _at_night(random, night)
    night.no_mains.append((at_s, at_s + _lasting(random, MINUTE, 10 * HOUR)))


def _our_outage(random: Random, night: Circumstances) -> None:
    at_s = _at_night(random, night)
    night.our_outages.append((at_s, at_s + _lasting(random, MINUTE, 2 * HOUR)))


def _fault(random: Random, night: Circumstances) -> None:
    at_s = _at_night(random, night)
    night.faults.append((at_s, random.choice((NEVER_S, NEVER_S, at_s + _lasting(random, MINUTE, HOUR)))))


def _paused(random: Random, night: Circumstances) -> None:
    """A person pauses the charge for hours, and forgets it."""
    at_s = _at_night(random, night)
    night.pauses.append((at_s, at_s + random.choice((1, 2, 4, 8, 12)) * HOUR))


def _consent_lost(random: Random, night: Circumstances) -> None:
    night.consent_until_s = random.randrange(night.begins_s - 2 * HOUR, night.ready_s)


def _changed(random: Random, night: Circumstances) -> None:
    """The person changes the time or the target."""
    old = night.plans[-1]
    at_s = night.begins_s + int(random.uniform(0.05, 0.5) * (night.ready_s - night.begins_s))
    earlier = max(4 * 60, old.hour * 60 + old.minute - random.choice((0, 30, 60, 90)))
    target = min(100, old.target + random.choice((0, 10, 20)))
    new = Wanted(at_s, earlier // 60, earlier % 60, target, old.capacity_kwh, old.power_kw)
    if departure_s(new) - at_s < 12 * HOUR:
        night.plans.append(new)
        night.own_limit = max(night.own_limit, target)


def _much(random: Random, night: Circumstances) -> None:
    """The battery is nearly empty, and more is wanted than many a night has room for."""
    night.battery_wh = random.uniform(3, 20) / 100 * night.capacity_wh


def _wrong_power(random: Random, night: Circumstances) -> None:
    """The person believes in 7 kW, and the vehicle takes half of that."""
    night.plans[-1].power_kw, night.most_w = 7.4, 3_600


TROUBLES = (
    ("plugged late", 0.06, _plugged_late),
    ("never plugged in", 0.01, _never_plugged),
    ("unplugged", 0.02, _unplugged),
    ("asleep", 0.02, _asleep),
    ("slow to wake", 0.04, _slow_to_wake),
    ("own schedule", 0.03, _own_schedule),
    ("own limit", 0.03, _own_limit),
    ("cold", 0.08, _cold),
    ("house limit", 0.08, _house),
    ("no network", 0.06, _no_network),
    ("no mains", 0.03, _no_mains),
    ("our outage", 0.03, _our_outage),
    ("fault", 0.015, _fault),
    ("paused", 0.02, _paused),
    ("consent lost", 0.02, _consent_lost),
    ("plan changed", 0.04, _changed),
    ("much to charge", 0.06, _much),
    ("wrong power", 0.02, _wrong_power),
)
