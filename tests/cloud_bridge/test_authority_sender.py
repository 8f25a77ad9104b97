"""With a running broker: does every unit get the command for the next authority, also one that connects later?

Does the operator see the progress of each unit?
"""

import argparse
import asyncio
import datetime
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from cloud_bridge.authority_files import read_next
from cloud_bridge.authority_sender import AGAIN_MS, AT_ONCE, AuthoritySender
from cloud_bridge.cli import tls
from cloud_bridge.durations import DAY_MS
from cloud_bridge.errors import AlreadyThere, BridgeError
from cloud_bridge.settings import Settings
from cloud_bridge.store import authorities
from cloud_bridge.store.access import Role
from cloud_bridge.store.authorities import Authority
from tests.cloud_bridge.people import Visitor, entrust, unit_of
from tests.cloud_bridge.running import DEADLINE_S, START_MS, Bridge, Unit
from tests.wire_schema import complaints

OLD, NEW, OTHER = "a1" * 32, "b2" * 32, "c3" * 32
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def ordered(bridge: Bridge, sha256: str = NEW, alone: bool = False, expires_ms: int = START_MS + 4000 * DAY_MS) -> None:
    with bridge.app_state.database.writing() as connection:
        authorities.order(connection, Authority(sha256, "MIIB", expires_ms, bridge.clock.now_ms(), alone))


def send(bridge: Bridge, sender: AuthoritySender) -> None:
    asyncio.run_coroutine_threadsafe(sender.send(), bridge.app_state.loop).result(DEADLINE_S)


def connected(bridge: Bridge, unit_id: str = "cp-1") -> Unit:
    unit = Unit(bridge, unit_id, bridge.add_unit(unit_id).secret).connect()
    unit.subscribe(f"cp/{unit_id}/command")
    unit.publish(f"cp/{unit_id}/heartbeat", b'{"n":1,"b":1}')
    return unit


def say(unit: Unit, number: int, *trusts: str, unit_id: str = "cp-1") -> None:
    event = {"n": number, "b": 1, "k": "authority", "d": {"trusts": " ".join(trusts)}}
    assert complaints("event", event) == []
    unit.publish(f"cp/{unit_id}/event", json.dumps(event).encode())


def stages(bridge: Bridge) -> dict[str, str]:
    rows = tls.show_units(settings_of(bridge), argparse.Namespace())
    assert isinstance(rows, list)
    return {row["id"]: row["authority"] for row in rows}


def settings_of(bridge: Bridge) -> Settings:
    return bridge.app_state.settings


def commands(bridge: Bridge, unit: Unit, count: int) -> list[dict[str, Any]]:
    bridge.until(lambda: len(unit.commands) >= count, "ordered")
    return list(unit.commands)


def test_without_an_order_nothing_is_sent(bridge: Bridge) -> None:
    unit = connected(bridge)
    send(bridge, AuthoritySender(bridge.app_state))
    assert list(unit.commands) == []
    with pytest.raises(BridgeError, match="no authority was ordered"):
        stages(bridge)


def test_a_unit_is_ordered_once_until_it_answers_and_then_no_more(bridge: Bridge) -> None:
    unit, sender = connected(bridge), AuthoritySender(bridge.app_state)
    ordered(bridge)
    for _ in range(3):
        send(bridge, sender)
    (order,) = commands(bridge, unit, 1)
    assert complaints("command", order) == [] and (order["do"], order["der"]) == ("authority", "MIIB")
    assert stages(bridge) == {"cp-1": "not sent, or not answered yet"}
    bridge.clock.advance(AGAIN_MS)
    unit.publish("cp/cp-1/heartbeat", b'{"n":2,"b":1}')
    send(bridge, sender)
    assert len(commands(bridge, unit, 2)) == 2
    say(unit, 3, OLD, NEW)
    assert stages(bridge) == {"cp-1": "stored, not connected with it yet"}
    say(unit, 4, NEW, OLD)
    assert stages(bridge) == {}
    bridge.clock.advance(AGAIN_MS)
    unit.publish("cp/cp-1/heartbeat", b'{"n":5,"b":1}')
    send(bridge, AuthoritySender(bridge.app_state))
    assert len(unit.commands) == 2


def test_another_order_and_the_same_one_given_again_are_sent_at_once(bridge: Bridge) -> None:
    unit, sender = connected(bridge), AuthoritySender(bridge.app_state)
    for number, sha256 in enumerate((OTHER, NEW, NEW), 1):
        bridge.clock.advance(1)
        ordered(bridge, sha256)
        for _ in range(2):
            send(bridge, sender)
        assert len(commands(bridge, unit, number)) == number


def test_a_unit_that_was_offline_is_ordered_when_it_is_back(bridge: Bridge) -> None:
    sender = AuthoritySender(bridge.app_state)
    ordered(bridge)
    bridge.add_unit("cp-2")
    send(bridge, sender)
    unit = connected(bridge)
    send(bridge, sender)
    assert len(commands(bridge, unit, 1)) == 1
    assert stages(bridge) == dict.fromkeys(("cp-1", "cp-2"), "not sent, or not answered yet")


def test_a_refusal_is_listed_in_the_words_of_the_unit(bridge: Bridge) -> None:
    unit = connected(bridge)
    ordered(bridge)
    send(bridge, AuthoritySender(bridge.app_state))
    (order,) = commands(bridge, unit, 1)
    result = {"n": 2, "b": 1, "id": order["id"], "ok": False, "y": "only over TLS"}
    unit.publish("cp/cp-1/result", json.dumps(result).encode())
    assert stages(bridge) == {"cp-1": "refused: only over TLS"}


def test_the_old_one_is_given_up_only_by_units_that_have_connected_with_the_new_one(bridge: Bridge) -> None:
    sender = AuthoritySender(bridge.app_state)
    both = {unit_id: connected(bridge, unit_id) for unit_id in ("cp-1", "cp-2")}
    say(both["cp-1"], 2, NEW, OLD)
    say(both["cp-2"], 2, OLD, NEW, unit_id="cp-2")
    ordered(bridge)
    send(bridge, sender)
    assert not both["cp-1"].commands and not both["cp-2"].commands
    answer = tls.retire(settings_of(bridge), argparse.Namespace())
    assert answer == {"sha256": NEW, "unconfirmed": 1}
    send(bridge, sender)
    (order,) = commands(bridge, both["cp-1"], 1)
    assert complaints("command", order) == [] and (order["do"], order["sha256"]) == ("authority_only", NEW)
    assert not both["cp-2"].commands
    assert stages(bridge)["cp-1"] == "connected with it, and trusts another one too"
    say(both["cp-1"], 3, NEW)
    assert stages(bridge) == {"cp-2": "stored, not connected with it yet"}


def test_a_large_fleet_is_ordered_some_at_a_time(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud_bridge.authority_sender.AT_ONCE", 2)
    assert AT_ONCE > 2
    units = [connected(bridge, f"cp-{number}") for number in range(5)]
    sender = AuthoritySender(bridge.app_state)
    ordered(bridge)
    for turn in range(1, 4):
        send(bridge, sender)
        expected = min(2 * turn, len(units))
        bridge.until(lambda: sum(len(unit.commands) for unit in units) == expected, "ordered")  # noqa: B023  # at once
    assert [len(unit.commands) for unit in units] == [1] * 5


@pytest.mark.parametrize("trusts", ["", "no sha", NEW.upper(), f"{NEW} {OLD} {OTHER}", 7])
def test_what_is_no_list_of_authorities_changes_nothing(bridge: Bridge, trusts: object) -> None:
    unit = connected(bridge)
    ordered(bridge)
    say(unit, 2, OLD, NEW)
    event = {"n": 3, "b": 1, "k": "authority", "d": {"trusts": trusts}}
    unit.publish("cp/cp-1/event", json.dumps(event).encode())
    assert stages(bridge) == {"cp-1": "stored, not connected with it yet"}


def certificate(
    folder: Path, key: PrivateKey | None = None, ca: bool | None = True, until: datetime.datetime = NOW + 9 * DAY
) -> Path:
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "next")])
    draft = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    draft = draft.serial_number(7).not_valid_before(NOW - 9 * DAY).not_valid_after(until)
    if ca is not None:
        draft = draft.add_extension(x509.BasicConstraints(ca, None), critical=True)
    path = folder / "ca.pem"
    path.write_bytes(draft.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize("algorithm", ["EC", "RSA 2048", "RSA 4096"])
def test_a_certificate_with_any_usual_key_fits_into_an_order(tmp_path: Path, algorithm: str) -> None:
    _, _, bits = algorithm.partition(" ")
    path = certificate(tmp_path, rsa.generate_private_key(65537, int(bits)) if bits else None)
    order = {"id": "a-" + "0" * 25, "do": "authority", "der": read_next(path).der}
    assert complaints("command", order) == []


def test_what_units_cannot_use_is_not_ordered(tmp_path: Path) -> None:
    with pytest.raises(BridgeError, match="cannot be read"):
        read_next(tmp_path / "none.pem")
    (tmp_path / "bad.pem").write_text("-----BEGIN CERTIFICATE-----")
    with pytest.raises(BridgeError, match="no certificate"):
        read_next(tmp_path / "bad.pem")
    for ca in (False, None):
        with pytest.raises(BridgeError, match="not the certificate of an authority"):
            read_next(certificate(tmp_path, ca=ca))
    with pytest.raises(BridgeError, match="is valid from"):
        read_next(certificate(tmp_path, until=NOW - DAY))
    with pytest.raises(BridgeError, match="units accept at most 1,410"):
        read_next(certificate(tmp_path, rsa.generate_private_key(65537, 6144)))
    path = certificate(tmp_path)
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(BridgeError, match="2 certificates"):
        read_next(path)


def test_the_next_authority_is_made_beside_the_present_one_and_ordered(bridge: Bridge, tmp_path: Path) -> None:
    folder = tmp_path / "tls-next"
    made = argparse.Namespace(name=None, folder=folder)
    tls.run_next(settings_of(bridge), made)
    assert (folder / "ca.key").stat().st_mode & 0o077 == 0
    with pytest.raises(AlreadyThere):
        tls.run_next(settings_of(bridge), made)
    answer = tls.order(settings_of(bridge), argparse.Namespace(ca=folder / "ca.pem"))
    der = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes()).public_bytes(serialization.Encoding.DER)
    assert isinstance(answer, dict) and answer["sha256"] == hashlib.sha256(der).hexdigest()
    with bridge.app_state.database.reading() as connection:
        wanted = authorities.ordered(connection)
    assert wanted is not None and wanted.sha256 == answer["sha256"]


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (400, None),
        (364, "certificate authority ends on"),
        (89, "certificate authority ends in 89 days"),
        (29, "certificate authority ends in 29 days, on"),
        (-1, "certificate authority ended on"),
    ],
)
def test_the_end_of_an_authority_is_told_a_year_ahead(bridge: Bridge, days: int, words: str | None) -> None:
    """On the fleet page, and on the unit's own page for those who can act on it."""
    say(connected(bridge), 2, OLD)
    with bridge.app_state.database.writing() as connection:
        expires_ms = bridge.clock.now_ms() + days * DAY_MS + 3_600_000
        authorities.know(connection, Authority(OLD, "MIIB", expires_ms, None, False))
    operator = Visitor(bridge, "olga", Role.OPERATOR)
    pages = [operator.read("/fleet"), operator.read("/charge-points/cp-1")]
    if words is None:
        assert not any("certificate authority" in page for page in pages)
        return
    assert f"1 charger: {words}" in pages[0]
    assert all(("act now" in page) == (days == 29) for page in pages)
    assert all(words in page and "tls order" in page for page in pages)


def test_once_the_next_one_is_there_the_pages_say_what_is_left_to_do(bridge: Bridge) -> None:
    say(connected(bridge), 2, OLD, NEW)
    ordered(bridge)
    with bridge.app_state.database.writing() as connection:
        authorities.know(connection, Authority(OLD, "MIIB", bridge.clock.now_ms() + 50 * DAY_MS, None, False))
    operator = Visitor(bridge, "olga", Role.OPERATOR)
    assert "tls units" in operator.read("/fleet")
    assert "It trusts the next authority already" in operator.read("/charge-points/cp-1")


def test_a_driver_is_not_told_what_only_others_can_mend(bridge: Bridge) -> None:
    unit = unit_of(bridge, "dora")
    say(unit, 2, OLD, unit_id="home-1")
    with bridge.app_state.database.writing() as connection:
        authorities.know(connection, Authority(OLD, "MIIB", bridge.clock.now_ms() + 50 * DAY_MS, None, False))
    seen = {
        role: "certificate authority ends" in Visitor(bridge, name, role).read("/charge-points/home-1")
        for name, role in (("dora", None), ("sam", Role.SUPPORT), ("olga", Role.OPERATOR))
    }
    installer = Visitor(bridge, "ivan", Role.INSTALLER)
    entrust(bridge, "home-1", "ivan")
    seen[Role.INSTALLER] = "certificate authority ends" in installer.read("/charge-points/home-1")
    assert seen == {None: False, Role.SUPPORT: True, Role.OPERATOR: True, Role.INSTALLER: True}
