"""The units and people of a siege, written to the store in one process."""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.cloud_fixture import UnitSecret

WITHIN_S = 120.0
PASSWORD = "correct horse battery staple"  # everybody's password, so that only one hash is computed
MAIL_DOMAIN = "example.org"
SCRIPT = """
import json, sys, time
from pathlib import Path
from cloud_bridge.passwords import Passwords
from cloud_bridge.store import people
from cloud_bridge.store.access import Role
from cloud_bridge.store.claims import claim
from cloud_bridge.store.database import open_database
from cloud_bridge.store.units import add_unit
folder, password = sys.argv[1:]
asked, passwords, made = json.load(sys.stdin), Passwords(), {}
hashed = passwords.hash(password)
passwords.close()
with open_database(Path(folder)).writing() as connection:
    now_ms = int(time.time() * 1000)
    for name, (role, email, units) in asked.items():
        people.add_person(connection, name, hashed, Role(role), now_ms, email)
        person = people.find_person(connection, name)
        for unit in units:
            new = add_unit(connection, unit, now_ms)
            claim(connection, person, new.claim_code, now_ms)
            made[unit] = [new.secret, new.claim_code]
print(json.dumps(made))
"""


class Person(NamedTuple):
    """A person to be added, with the names of their units."""

    name: str
    role: str = "driver"
    units: tuple[str, ...] = ()


class Unit(NamedTuple):
    """A unit that was added."""

    name: str
    secret: str
    claim_code: str

    @property
    def login(self) -> UnitSecret:
        """Return user name and password of its connections."""
        return self.name, self.secret


def populate(folder: Path, people: list[Person]) -> dict[str, Unit]:
    """Add people, each with an email address and PASSWORD, and their units. Return the units by name."""
    folder.mkdir(parents=True, exist_ok=True)
    asked = {one.name: (one.role, f"{one.name}@{MAIL_DOMAIN}", one.units) for one in people}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder), PASSWORD],
        cwd=CHECKOUT,
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=WITHIN_S,
    )
    return {name: Unit(name, *made) for name, made in json.loads(done.stdout).items()}
