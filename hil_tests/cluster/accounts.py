"""A unit, and a login for each role, in the cluster's store. Made once, as by `make run`."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from hil_tests.demo.installation import INSTALLER, LOGIN, LOGINS, Installation
from hil_tests.fixtures.bridge_process import BridgeFailed, BridgeProcess

UNIT = "CK-0001"
NO_PORT = 0


class Made(NamedTuple):
    """The unit and the logins to try the cluster with."""

    unit_secret: str
    passwords: dict[str, str]  # by name; only of logins that are new


async def make_accounts(folder: Path, environment: Mapping[str, str]) -> Made:
    """Add what is missing. Raises BridgeFailed."""
    installation = Installation(folder)
    commands = BridgeProcess(NO_PORT, NO_PORT, folder / "data", environment, tls=False)
    unit = installation.unit(UNIT)
    if unit is None:
        unit = await commands.command("unit", "add", UNIT)
        installation.remember_unit(UNIT, unit)
    missing = [name for name in LOGINS if name not in installation.logins]
    if not missing:
        return Made(unit["secret"], {})
    await commands.commands(*(("user", "add", name, "--role", LOGINS[name]) for name in missing))  # or they exist
    answers = await commands.commands(
        *(("user", "password", name) for name in missing),
        ("unit", "claim", unit["claim_code"], LOGIN),
        ("unit", "assign", UNIT, INSTALLER),
    )
    failed = next((answer for answer in answers if isinstance(answer, BridgeFailed)), None)
    if failed is not None:
        raise failed
    passwords = {
        name: answer["password"] for name, answer in zip(missing, answers, strict=False) if isinstance(answer, dict)
    }
    for name in missing:
        installation.remember_login(name)
    return Made(unit["secret"], passwords)
