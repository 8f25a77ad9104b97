"""The command line `python -m hil_tests.station`: provision a unit, bring up a board, verify a unit's record."""

import argparse
import asyncio
import os
import re
import sys
from pathlib import Path

from hil_tests.station import bring_up
from hil_tests.station.bring_up_walk import walk, where_is
from hil_tests.station.configuration import read_configuration
from hil_tests.station.errors import StationTrouble, UnitFailed
from hil_tests.station.fixture import Fixture, Ports
from hil_tests.station.journal import opened
from hil_tests.station.record import PUBLIC_KEY, verify_record
from hil_tests.station.steps import Job, provision

FAILED, TROUBLE = 1, 3  # exit codes; 2 is argparse's
SERIAL = re.compile(r"[A-Za-z0-9-][A-Za-z0-9_-]{0,35}")


def main() -> int:
    """Return the exit code: 0 for success, 1 if the unit failed, 3 if the station cannot continue, which says nothing about
    the unit."""
    os.umask(0o077)
    asked = _parser().parse_args()
    try:
        return int(asked.do(asked))
    except UnitFailed as failed:
        print(f"FAILED {failed}", file=sys.stderr)
        return FAILED
    except StationTrouble as trouble:
        print(f"STOPPED {trouble}", file=sys.stderr)
        return TROUBLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hil_tests.station", description="The provisioning station.")
    areas = parser.add_subparsers(required=True, metavar="COMMAND")
    making = areas.add_parser("provision", help="turn a blank board into a tested, registered and labelled unit")
    making.add_argument("serial", type=_serial, help="the unit's serial number, which becomes its id, such as CK-0042")
    making.add_argument("--console", required=True, metavar="PORT", help="the unit's serial port")
    making.add_argument(
        "--instrument", required=True, metavar="PORT", help="the serial port of the fixture's instrument"
    )
    making.add_argument(
        "--station", type=Path, default=Path("station.toml"), metavar="FILE", help="the station's configuration"
    )
    making.set_defaults(do=_provision)
    walking = areas.add_parser(
        "bring-up", help="go through the checks of a new board and record the results in its document"
    )
    walking.add_argument("board", choices=bring_up.boards())
    walking.add_argument(
        "--console", metavar="PORT", help="the unit's serial port; without it, only render the document"
    )
    walking.add_argument(
        "--instrument", metavar="PORT", help="the serial port of a fixture's instrument, which answers most checks"
    )
    walking.set_defaults(do=_bring_up)
    verifying = areas.add_parser("verify", help="check the signature of a record")
    verifying.add_argument("record", type=Path)
    verifying.add_argument(
        "--key", type=Path, help=f"the station's public key; default: {PUBLIC_KEY} in the folder above the record's"
    )
    verifying.set_defaults(do=_verify)
    return parser


def _provision(asked: argparse.Namespace) -> int:
    asyncio.run(_make(asked))
    print(f"PASSED {asked.serial}")
    return 0


async def _make(asked: argparse.Namespace) -> None:
    configuration = read_configuration(asked.station)
    configuration.read_token()  # fail before the work, not after it
    with opened(configuration.folder / "journals", asked.serial) as journal:
        async with Fixture(Ports(asked.console, asked.instrument)) as fixture:
            await provision(Job(asked.serial, configuration, journal, fixture), lambda line: print(line, flush=True))


def _bring_up(asked: argparse.Namespace) -> int:
    if asked.console is not None:
        asyncio.run(_walk(asked))
    bring_up.write_document(asked.board)
    return 0


async def _walk(asked: argparse.Namespace) -> None:
    async with Fixture(Ports(asked.console, asked.instrument)) as fixture:
        await walk(asked.board, fixture, where_is(asked.console))


def _verify(asked: argparse.Namespace) -> int:
    facts = verify_record(asked.record, asked.key or asked.record.parent.parent / PUBLIC_KEY)
    print(f"{facts['serial']} {facts['outcome']} at {facts['at']}, signed by {facts['station']}")
    return 0


def _serial(text: str) -> str:
    if SERIAL.fullmatch(text) is None:
        raise argparse.ArgumentTypeError("needs 1 to 36 of A-Z a-z 0-9 _ and -, and no _ at the start")
    return text
