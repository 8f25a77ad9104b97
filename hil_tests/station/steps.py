"""The steps from a blank board to a labelled unit. Each can be repeated from its beginning, and is noted when it is done:

flash, identity, the parts of the production test including the calibration, claim_code, registration, introduction, label,
record

The order makes interruptions harmless. The unit holds its secret and the journal the claim code before either is sent to the
bridge, so a repeated registration or label is identical.
"""

import asyncio
import base64
import json
import secrets
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from hil_tests.station import label as labels
from hil_tests.station import measuring
from hil_tests.station.configuration import Configuration
from hil_tests.station.errors import StationTrouble, UnitFailed
from hil_tests.station.fixture import Fixture
from hil_tests.station.flashing import write_firmware
from hil_tests.station.journal import Facts, Journal, write_private
from hil_tests.station.limits import FILE, judge, read_limits
from hil_tests.station.measuring import Measured
from hil_tests.station.record import station_key, write_record
from hil_tests.station.registration import Bridge

BLANK_WITHIN_S = 3.0  # a unit that has not answered by then runs no firmware
BOOT_WITHIN_S = 30.0
HASH_DIGITS = 64
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # cloud_bridge/store/secrets.py
CONSOLE_PIECE = 400  # characters of a certificate in one command, a multiple of 4 for base64
NEW = "-"  # what the console reports as the id of a unit without one
KEPT_WHEN_FAILED = ("flash", "identity", "claim_code")


@dataclass(frozen=True)
class Job:
    """The work on one serial number at this station."""

    serial: str
    configuration: Configuration
    journal: Journal
    fixture: Fixture

    def file(self, name: str) -> Path:
        """Return the path of a file of this serial number."""
        folder = self.configuration.folder / "records"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder / f"{self.serial}{name}"


class Step(NamedTuple):
    """A step and its function, which returns facts for the journal."""

    name: str
    do: Callable[[Job], Awaitable[Facts]]


async def flash(job: Job) -> Facts:
    """Write the firmware to the unit and check the version that it reports."""
    unit = job.configuration.unit
    async with job.fixture.without_mains() as port:
        version = await asyncio.to_thread(write_firmware, unit.board, port, unit.image)
    if not await job.fixture.answers(BOOT_WITHIN_S):
        raise UnitFailed("the unit does not start after it was flashed: check its 5 V supply, then its flash chip")
    found = (await job.fixture.ask_unit("update"))["version"]
    if found != version:
        raise UnitFailed(f"the unit runs version {found} and was flashed with {version}: flash it again")
    return {"version": version, "board": unit.board}


async def identity(job: Job) -> Facts:
    """Let the unit generate its secret. It reports only the secret's hash."""
    said = await job.fixture.ask_unit(f"identity {job.serial}")
    if len(said["secret_sha256"]) != HASH_DIGITS:
        raise UnitFailed("the unit has a secret that it did not make: erase it, and start again")
    return {"secret_sha256": said["secret_sha256"]}


async def calibration(job: Job) -> Facts:
    """Calibrate the pilot input; the unit stores the result."""
    return (await measuring.calibrate(job.fixture))._asdict()


def measuring_step(part: Callable[[Fixture], Awaitable[Measured]]) -> Step:
    """Return a step that runs and judges one part of the production test. A unit that fails restarts the test from its
    beginning."""

    async def do(job: Job) -> Facts:
        measured = {name: round(float(value), 3) for name, value in (await part(job.fixture)).items()}
        failure = judge(read_limits(job.configuration.limits or FILE), measured)
        if failure is None:
            return {"measured": measured}
        so_far = job.journal.facts | {part.__name__: {"measured": measured}}
        _write_record(job, "-failed.json", {"outcome": "failed", "why": failure} | _public(so_far))
        job.journal.forget(*KEPT_WHEN_FAILED)
        raise UnitFailed(failure)

    return Step(part.__name__, do)


async def claim_code(_job: Job) -> Facts:
    """Generate the claim code of the label. It is noted before anything else uses it."""
    signs = [secrets.choice(CODE_ALPHABET) for _ in range(12)]
    return {"code": "-".join("".join(signs[at : at + 4]) for at in range(0, 12, 4))}


async def registration(job: Job) -> Facts:
    """Register the unit at the bridge with both hashes."""
    configuration, facts = job.configuration, job.journal.facts
    bridge = Bridge(configuration.bridge, configuration.read_token(), configuration.authority)
    page = await asyncio.to_thread(
        bridge.register, job.serial, facts["identity"]["secret_sha256"], facts["claim_code"]["code"]
    )
    return {"claim_page": page, "bridge": configuration.bridge}


async def introduction(job: Job) -> Facts:
    """Set the unit's broker, to which it connects from now on."""
    unit = job.configuration.unit
    for command in _authority_commands(unit.authority):
        await job.fixture.ask_unit(command)
    told: dict[str, Any] = {"broker": unit.broker, "port": unit.port}
    if unit.plain_mqtt:
        told["plain_mqtt"] = True
    if unit.apn is not None:
        told["apn"] = unit.apn
    await job.fixture.ask_unit(f"provision {json.dumps(told)}")
    return told


async def label(job: Job) -> Facts:
    """Write the label to files and, if there is a printer, print it."""
    facts = job.journal.facts
    drawn = labels.Label(
        job.serial,
        job.configuration.unit.rating,
        facts["claim_code"]["code"],
        facts["registration"]["claim_page"],
    )
    write_private(job.file("-label.pdf"), labels.as_pdf(drawn))
    zpl = labels.as_zpl(drawn)
    write_private(job.file("-label.zpl"), zpl)
    printer = job.configuration.printer
    if printer is not None:
        try:
            with printer.open("ab") as paper:
                paper.write(zpl)
        except OSError as error:
            raise StationTrouble(f"the label was not printed: {printer}: {error.strerror}. Start again") from None
    return {"printed": printer is not None}


async def record(job: Job) -> Facts:
    """Write and sign the record, without the claim code."""
    _write_record(job, ".json", {"outcome": "passed"} | _public(job.journal.facts))
    return {}


STEPS = (
    Step("flash", flash),
    Step("identity", identity),
    measuring_step(measuring.at_rest),
    Step("calibration", calibration),
    measuring_step(measuring.pilot_with_a_vehicle),
    measuring_step(measuring.proximity),
    measuring_step(measuring.charging),
    measuring_step(measuring.residual_current),
    measuring_step(measuring.modem),
    Step("claim_code", claim_code),
    Step("registration", registration),
    Step("introduction", introduction),
    Step("label", label),
    Step("record", record),
)


async def provision(job: Job, tell: Callable[[str], None]) -> None:
    """Do the steps that the journal does not have yet. Raises StationError."""
    await _check_unit(job, tell)
    for step in STEPS:
        if step.name in job.journal.facts:
            tell(f"{step.name:<21} done before")
            continue
        began_s = time.monotonic()
        job.journal.note(step.name, await step.do(job))
        tell(f"{step.name:<21} done in {time.monotonic() - began_s:.1f} s")


async def _check_unit(job: Job, tell: Callable[[str], None]) -> None:
    """Check that the unit in the fixture is the one of this serial number, if it has an identity.

    If the unit was exchanged before registration, start again from the beginning; keep the claim code, which the bridge may
    have.
    """
    facts = job.journal.facts
    for command in ("load A", "mains on"):  # an interrupted run may have left another state
        await job.fixture.ask_instrument(command)
    if "flash" not in facts:
        if await job.fixture.answers(BLANK_WITHIN_S):
            found = (await job.fixture.ask_unit("identity"))["id"]
            if found != NEW:
                raise StationTrouble(f"this unit is already {found}: remove it, or erase its flash first")
        return
    is_heard = await job.fixture.answers(BOOT_WITHIN_S)
    if is_heard:
        said = await job.fixture.ask_unit("identity")
        known = facts.get("identity", {}).get("secret_sha256")
        if said["id"] in (NEW, job.serial) and known in (None, said["secret_sha256"]):
            return
    if "registration" in facts:
        if not is_heard:
            raise UnitFailed(f"{job.serial} is registered and does not answer: check its USB and its supply")
        raise StationTrouble(
            f"{job.serial} is registered, and this is another unit: insert the registered one, or use another serial number"
        )
    tell(f"{'another unit':<21} from the beginning")
    job.journal.forget("claim_code")
    await _check_unit(job, tell)


def _authority_commands(path: Path | None) -> list[str]:
    if path is None:
        return []
    try:
        der = base64.b64encode(ssl.PEM_cert_to_DER_cert(path.read_text())).decode()
    except (OSError, ValueError) as error:
        raise StationTrouble(f"{path} is no certificate: {error}") from None
    pieces = [der[at : at + CONSOLE_PIECE] for at in range(0, len(der), CONSOLE_PIECE)]
    return ["authority begin", *(f"authority add {piece}" for piece in pieces), "authority keep"]


def _write_record(job: Job, name: str, facts: dict[str, Any]) -> None:
    """Write and sign a record. Raises StationTrouble."""
    about = {"serial": job.serial, "station": job.configuration.name, "at": _now()}
    limits = read_limits(job.configuration.limits or FILE)
    allowed = {one: [limit.least, limit.most] for one, limit in limits.items()}
    write_record(job.file(name), about | {"limits": allowed} | facts, station_key(job.configuration.folder))


def _public(facts: dict[str, Facts]) -> dict[str, Facts]:
    return {step: of_it for step, of_it in facts.items() if step != "claim_code"}


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
