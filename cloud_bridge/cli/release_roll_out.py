"""`python -m cloud_bridge release roll-out | stop | roll-outs`: the roll-outs of releases to units, ring by ring."""

import argparse
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from cloud_bridge.cli.area import Answer, Area
from cloud_bridge.cli.security_log import record
from cloud_bridge.clock import SystemClock, iso_utc
from cloud_bridge.releases.decision import HOUR_MS, SHORTEST_SOAK_MS, SOAK_MS
from cloud_bridge.releases.release_errors import ReleaseError
from cloud_bridge.releases.roll_out_states import RINGS
from cloud_bridge.settings import Settings
from cloud_bridge.store import releases, roll_outs
from cloud_bridge.store.database import open_database
from cloud_bridge.store.roll_out_start import Choice, ChosenBy, Wish
from cloud_bridge.store.roll_out_start import start as start_roll_out
from cloud_bridge.store.roll_outs import count_states, total
from cloud_bridge.store.security_events import Kind

LONGEST_SOAK_H = 720
MAX_LIST_BYTES = 1_000_000


def declare(area: Area) -> None:
    about = "roll out a release ring by ring: one unit, 1 %, 10 %, then all"
    starting = area.command("roll-out", about, start, "version")
    which = starting.add_mutually_exclusive_group(required=True)
    which.add_argument("--all", action="store_true", help="every unit")
    which.add_argument("--network", help="units last on the mobile network with this PLMN")
    which.add_argument("--site", help="units whose name begins with this text")
    which.add_argument("--list", type=Path, help="a file with an id on each line")
    hours = f"minimum duration of each ring in hours, {SHORTEST_SOAK_MS // HOUR_MS} to {LONGEST_SOAK_H}"
    starting.add_argument("--soak-hours", type=_hours, default=SOAK_MS // HOUR_MS, help=hours)
    starting.add_argument(
        "--required-by",
        type=_day,
        help="for a security update: the day from which units install it at once, such as 2026-06-30",
    )
    area.command("stop", "stop a roll-out: units that have not installed it abandon it", stop).add_argument(
        "number", type=int
    )
    area.command("roll-outs", "list the roll-outs and their progress", show)


def start(settings: Settings, options: argparse.Namespace) -> Answer:
    """Start a roll-out. The running bridge sends the commands to the units. Raises ReleaseError."""
    now_ms = SystemClock().now_ms()
    choice = _choice(options)
    with closing(open_database(settings.store)) as database, database.writing() as connection:
        releases.images_of(connection, options.version)
        wish = Wish(options.version, choice, options.soak_hours * HOUR_MS, options.required_by)
        number = start_roll_out(connection, wish, now_ms)
        record(connection, Kind.ROLL_OUT_STARTED, f"{number} of {options.version}")
        found = roll_outs.find_roll_out(connection, number)
    answer = {"roll-out": number, "version": found.version, "units": found.units}
    return answer | ({"left out, without an image for their board": found.left_out} if found.left_out else {})


def stop(settings: Settings, options: argparse.Namespace) -> Answer:
    """Stop a roll-out. Raises ReleaseError if there is none with this number, or if it is already stopped."""
    with closing(open_database(settings.store)) as database, database.writing() as connection:
        roll_outs.stop(connection, options.number, "an operator has stopped it", SystemClock().now_ms())
        record(connection, Kind.ROLL_OUT_STOPPED, str(options.number))
    return {"stopped": options.number}


def show(settings: Settings, _options: argparse.Namespace) -> Answer:
    with closing(open_database(settings.store)) as database, database.reading() as connection:
        return [
            {
                "roll-out": one.number,
                "version": one.version,
                "state": one.state.value,
                "ring": RINGS[one.ring],
                "started": iso_utc(one.started_ms),
                **{state.value: count for state, count in total(count_states(connection, one.number)).items()},
                **({"why": one.why} if one.why else {}),
            }
            for one in roll_outs.list_roll_outs(connection)
        ]


def _choice(options: argparse.Namespace) -> Choice:
    if options.network is not None:
        return Choice(ChosenBy.NETWORK, options.network)
    if options.site is not None:
        return Choice(ChosenBy.SITE, options.site)
    if options.list is not None:
        return Choice(ChosenBy.LIST, unit_ids=_ids(options.list))
    return Choice(ChosenBy.ALL)


def _ids(file: Path) -> list[str]:
    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_LIST_BYTES + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(f"{file} cannot be read: {error}") from error
    if len(text) > MAX_LIST_BYTES:
        raise ReleaseError(f"{file} has more than {MAX_LIST_BYTES:,} bytes")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _hours(text: str) -> int:
    """Parse an argument for argparse."""
    if not text.isdecimal() or not 1 <= int(text) <= LONGEST_SOAK_H:
        raise argparse.ArgumentTypeError(f"1 to {LONGEST_SOAK_H} hours")
    return int(text)


def _day(text: str) -> int:
    """Parse an argument for argparse. Return the start of the day in UTC, in milliseconds since 1970."""
    try:
        return int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError as error:
        raise argparse.ArgumentTypeError("write a day as 2026-06-30") from error
