"""What is a site's currency, before and after a release, and after prices were only in pence?"""

from pathlib import Path

import pytest
from sqlalchemy import text

from cloud_bridge.errors import BridgeError
from cloud_bridge.store.access import Role
from cloud_bridge.store.claims import claim, release
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.people import add_person, find_person
from cloud_bridge.store.sites import currency_of, describe_site, set_currency
from cloud_bridge.store.units import add_unit
from tests.cloud_bridge.old_store import open_at
from tests.cloud_bridge.running import store_at


def test_a_currency_is_the_owner_s_and_goes_with_them(database: Database) -> None:
    with database.writing() as connection:
        new = add_unit(connection, "wall", 0)
        add_person(connection, "ann", "x", Role.DRIVER, 0)
        ann = find_person(connection, "ann")
        claim(connection, ann, new.claim_code, 1)
        describe_site(connection, "wall", "", "Europe/Paris")
        assert currency_of(connection, "wall").code == "EUR"
        set_currency(connection, "wall", "CHF")
        assert currency_of(connection, "wall").code == "CHF"
        with pytest.raises(BridgeError):
            set_currency(connection, "wall", "XXX")
        release(connection, "wall", ann.id, now_ms=2)
        assert currency_of(connection, "wall").code == "GBP"


def test_prices_of_before_there_were_currencies_stay_in_pence(tmp_path: Path) -> None:
    where = store_at(tmp_path, empty=True)
    before = open_at(where, "0026")
    with before.writing() as connection:
        for unit in ("priced", "new"):
            row = {"id": unit, "zone": "Europe/Paris"}
            connection.execute(
                text(
                    "INSERT INTO units (id, secret_hash, claim_hash, created_ms, time_zone) VALUES (:id, 'x', :id, 0, :zone)"
                ),
                row,
            )
        connection.execute(text("INSERT INTO tariffs (unit_id, rate) VALUES ('priced', 2450)"))
    before.close()
    now = open_database(where)
    with now.reading() as connection:
        assert [currency_of(connection, unit).code for unit in ("priced", "new")] == ["GBP", "EUR"]
    now.close()
