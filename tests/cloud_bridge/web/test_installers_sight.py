"""Does an installer see a charger while they have work at it, and nothing of it or its owner afterwards, on any route?"""

import asyncio
import json
import re
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from cloud_bridge.alerts.detection import notice
from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.store import claims
from cloud_bridge.store.access import Role, Scope
from cloud_bridge.store.page_versions import Versions
from cloud_bridge.store.people import find_person, remove_person
from cloud_bridge.store.tables import alert_wishes, alerts
from cloud_bridge.store.tokens import add_token
from cloud_bridge.store.units import visible_unit
from cloud_bridge.web.pages.driver import looks, stream
from cloud_bridge.web.pages.driver.looks import Turn
from cloud_bridge.web.pages.driver.stream import Stored
from tests.cloud_bridge.alerting import no_bad_row
from tests.cloud_bridge.people import PASSWORD, Visitor, entrust, give
from tests.cloud_bridge.running import SAMPLES, Bridge, Unit, sample
from tests.cloud_bridge.web.test_theirs_only import routes

THEIRS = "secret-house"  # as in test_theirs_only.py
NAME = "Dora's own garage"
REASON = "Mrs Smith says that it hums"
JOBS = ("/jobs", "/jobs/1", "/api/jobs")
REPORT = (SAMPLES / "reports" / "after.html").read_bytes()
ABOUT_THEM = re.compile(r"own garage|Mrs Smith|\bdora\b")


class Site:
    """A driver's charger, with a job that support has raised with ingo."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        for name, role in (("ingo", Role.INSTALLER), ("ivan", Role.INSTALLER), ("sue", Role.SUPPORT)):
            bridge.add_person(name, PASSWORD, role)
        bridge.add_person("dora", PASSWORD, Role.DRIVER)
        new = bridge.add_unit(THEIRS)
        give(bridge, new.claim_code, "dora")
        entrust(bridge, THEIRS, "ingo")
        self.code = new.claim_code
        self.unit = Unit(bridge, THEIRS, new.secret).connect()
        self.unit.publish(f"cp/{THEIRS}/heartbeat", sample("heartbeat-charging"))
        self.unit.publish(f"cp/{THEIRS}/event", sample("event-boot"))
        self.dora, self.sue = Visitor(bridge, "dora"), Visitor(bridge, "sue")
        self.dora.post(f"/account/units/{THEIRS}", name=NAME, time_zone="Europe/London")
        self.dora.post(f"/charge-points/{THEIRS}/support", text=REASON)
        self.raise_job()
        self.ingo = Visitor(bridge, "ingo")
        hook = {"about": "fault", "via": "webhook", "target": "https://example.org/ingo"}
        assert self.ingo.post("/account/notifications", **hook).status_code == 200
        for step in ("arrive", "fit"):
            self.ingo.post(f"/jobs/1/{step}", "/jobs/1")
        with bridge.app_state.database.writing() as connection:
            person = find_person(connection, "ingo")
            token = add_token(connection, bridge.clock.now_ms(), {Scope.READ}, "ingo's", person.id)
        self.program = bridge.stranger()
        self.program.headers["Authorization"] = f"Bearer {token}"

    def raise_job(self) -> None:
        assert self.sue.post(f"/charge-points/{THEIRS}/jobs", reason=REASON).status_code == 200

    def sees(self) -> bool:
        """Return whether ingo sees it, on page and API alike."""
        found = {
            client.get(path).status_code
            for client, path in (
                (self.ingo.client, f"/charge-points/{THEIRS}"),
                (self.ingo.client, f"/charge-points/{THEIRS}/history"),
                (self.program, f"/api/charge-points/{THEIRS}"),
                (self.program, f"/api/charge-points/{THEIRS}/events"),
            )
        }
        assert found in ({200}, {404})
        return found == {200}

    def alerted(self) -> int:
        """Return the number of ingo's alerts."""
        query = select(alerts.c.id).join(alert_wishes)
        with self.bridge.app_state.database.writing() as connection:
            person = find_person(connection, "ingo")
            notice(connection, self.bridge.clock.now_ms(), no_bad_row)
            return len(connection.execute(query.where(alert_wishes.c.person_id == person.id)).all())

    def fault(self, number: int) -> None:
        said = {"n": 1000 + number, "b": 1, "k": "fault_raised", "d": {"fault": "rcd_ac"}}
        self.unit.publish(f"cp/{THEIRS}/event", json.dumps(said).encode())


@pytest.fixture
def site(bridge: Bridge) -> Site:
    return Site(bridge)


def closed_by_them(site: Site) -> None:
    assert site.ingo.post("/jobs/1/close", "/jobs/1", outcome="New antenna").status_code == 200


def closed_by_support(site: Site) -> None:
    assert site.sue.post("/jobs/1/close", "/jobs/1", outcome="New antenna").status_code == 200


def given_to_another(site: Site) -> None:
    entrust(site.bridge, THEIRS, "ivan")


def withdrawn(site: Site) -> None:
    with site.bridge.app_state.database.writing() as connection:
        assert claims.withdraw(connection, THEIRS, find_person(connection, "ingo").id, site.bridge.clock.now_ms())


def released(site: Site) -> None:
    assert site.dora.post(f"/account/units/{THEIRS}/release", f"/account/units/{THEIRS}").status_code == 200


def sold(site: Site) -> None:
    released(site)
    site.bridge.add_person("nina", PASSWORD, Role.DRIVER)
    give(site.bridge, site.code, "nina")


def owner_erased(site: Site) -> None:
    with site.bridge.app_state.database.writing() as connection:
        remove_person(connection, find_person(connection, "dora"))


ENDS = (closed_by_them, closed_by_support, given_to_another, withdrawn, released, sold, owner_erased)
KEEPS_JOB = (closed_by_them, closed_by_support, released, sold, owner_erased)


def shown(client: TestClient) -> Iterator[tuple[str, int, str]]:
    """Yield (path, status, text) of everything readable, after redirects; without streams."""
    for method, path in routes(client):
        if method == "GET" and not path.endswith("/live") and path != "/logout":
            answer = client.get(path)
            yield answer.url.path, answer.status_code, answer.text.replace(path, "")


def test_while_the_job_is_open_they_see_the_charger_and_hear_of_it(site: Site) -> None:
    assert site.sees() and REASON in site.ingo.get("/jobs/1")
    site.fault(1)
    assert site.alerted() == 1


@pytest.mark.parametrize("end", ENDS)
def test_afterwards_no_route_shows_anything_of_it(site: Site, end: Callable[[Site], None]) -> None:
    end(site)
    assert not site.sees()
    for client in (site.ingo.client, site.program):
        read = 0
        for path, status, text in shown(client):
            read += 1
            assert not ABOUT_THEM.search(text), f"{path} shows something of the owner"
            assert path in JOBS or THEIRS not in text, f"{path} shows the charger"
            assert THEIRS not in path or status in (401, 403, 404, 405), f"{path}: {status}"
        assert read > 30


@pytest.mark.parametrize("end", ENDS)
def test_afterwards_nothing_can_be_ordered_or_written(site: Site, end: Callable[[Site], None]) -> None:
    end(site)
    form = re.search(r'name="form" value="([0-9a-f]{64})"', site.ingo.get("/account"))
    assert form
    before = site.bridge.read(THEIRS)
    for method, path in routes(site.ingo.client):
        if THEIRS in path and method != "GET":
            fields = {"form": form[1], "once": "0" * 32, "text": "x", "reason": "x", "hours": "1", "amps": "16"}
            assert site.ingo.client.request(method, path, data=fields).status_code in (403, 404, 405, 422), path
    assert site.bridge.read(THEIRS) == before


@pytest.mark.parametrize("end", ENDS)
def test_afterwards_no_alert_goes_to_them(site: Site, end: Callable[[Site], None]) -> None:
    end(site)
    site.fault(1)
    assert site.alerted() == 0


@pytest.mark.parametrize("end", ENDS)
def test_a_page_that_is_open_hears_no_more(
    site: Site, end: Callable[[Site], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for room, name in ((looks, "LOOK_S"), (stream, "PAUSE_S"), (stream, "SETTLE_S")):
        monkeypatch.setattr(room, name, 0)
    end(site)
    site.unit.publish(f"cp/{THEIRS}/heartbeat", sample("heartbeat-idle"))
    assert site.ingo.client.get(f"/charge-points/{THEIRS}/live").status_code == 404
    with site.ingo.client.stream("GET", f"/live?of={THEIRS}:") as answer:
        assert ABOUT_THEM.search(answer.read().decode()) is None and "Charging" not in answer.text


@pytest.mark.parametrize("end", ENDS)
def test_a_stream_that_was_opened_before_ends(
    site: Site, end: Callable[[Site], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for room, name in ((looks, "LOOK_S"), (stream, "PAUSE_S"), (stream, "SETTLE_S")):
        monkeypatch.setattr(room, name, 0)
    monkeypatch.setattr(stream, "ALIVE_S", 0.05)
    app_state = site.bridge.app_state

    def read() -> Stored | None:
        with app_state.database.reading() as connection:
            unit = visible_unit(connection, find_person(connection, "ingo"), THEIRS)
        return None if unit is None else Stored(unit, "", Versions())

    async def run() -> list[str]:
        turn = Turn(looks.Looks(app_state))
        events = stream.changes(app_state, read, lambda unit, _: unit.name, "", turn, "ingo")
        assert [await anext(events) for _ in range(2)][1].endswith(f"data: {NAME}\n\n")
        await asyncio.to_thread(end, site)
        await asyncio.to_thread(site.unit.publish, f"cp/{THEIRS}/heartbeat", sample("heartbeat-idle"))
        return [one async for one in events]

    assert "garage" not in str(asyncio.run(run()))


@pytest.mark.parametrize("end", KEEPS_JOB)
def test_what_they_did_and_measured_stays(site: Site, end: Callable[[Site], None]) -> None:
    form = re.search(r'name="form" value="([0-9a-f]{64})"', site.ingo.get("/jobs/1"))
    assert form
    report = {"report": ("report.html", REPORT, "text/html")}
    site.ingo.client.post("/jobs/1/report", data={"form": form[1]}, files=report)
    end(site)
    page = site.ingo.read("/jobs/1")
    assert (
        "PASS CSQ 17.5 after" in page
        and "Garage" not in page
        and "Before and after the visit" in page
        and THEIRS in page
    )
    assert REASON not in page and NAME not in page
    assert THEIRS in site.ingo.read("/jobs")


@pytest.mark.parametrize("end", KEEPS_JOB)
def test_the_evidence_ends_where_their_work_did(site: Site, end: Callable[[Site], None]) -> None:
    end(site)
    site.bridge.clock.advance(5 * MINUTE_MS)
    before = site.ingo.read("/jobs/1")
    for number in range(3):
        boot = {"n": 2000 + number, "b": 1, "k": "boot", "d": {"cause": "brown_out"}}
        site.unit.publish(f"cp/{THEIRS}/event", json.dumps(boot).encode())
        site.unit.publish(f"cp/{THEIRS}/heartbeat", b'{"n":%d,"b":2,"s":"A1","q":3,"o":"23499"}' % number)
    site.bridge.clock.advance(90 * MINUTE_MS)
    assert site.ingo.read("/jobs/1") == before


@pytest.mark.parametrize("end", [given_to_another, withdrawn])
def test_an_open_job_that_is_no_longer_theirs_is_gone(site: Site, end: Callable[[Site], None]) -> None:
    end(site)
    assert site.ingo.client.get("/jobs/1").status_code == 404
    assert THEIRS not in site.ingo.get("/jobs")


def test_an_open_job_goes_to_the_installer_who_is_assigned(site: Site) -> None:
    given_to_another(site)
    ivan = Visitor(site.bridge, "ivan")
    assert REASON in ivan.get("/jobs/1") and THEIRS in ivan.get(f"/charge-points/{THEIRS}")


@pytest.mark.parametrize("end", KEEPS_JOB)
def test_a_job_that_is_raised_again_gives_the_sight_back(site: Site, end: Callable[[Site], None]) -> None:
    end(site)
    site.raise_job()
    assert site.sees()


def test_an_installer_who_is_assigned_again_sees_it_again(site: Site) -> None:
    given_to_another(site)
    entrust(site.bridge, THEIRS, "ingo")
    assert site.sees() and REASON in site.ingo.get("/jobs/1")
    assert Visitor(site.bridge, "ivan").client.get(f"/charge-points/{THEIRS}").status_code == 404


def test_a_job_that_nobody_has_any_more_goes_to_the_next_installer(site: Site) -> None:
    withdrawn(site)
    answer = site.sue.post(f"/charge-points/{THEIRS}/jobs", reason="again", installer="ivan")
    assert answer.status_code == 200 and "/jobs/1" in str(answer.url)
    assert THEIRS in Visitor(site.bridge, "ivan").get("/jobs/1")


def test_support_still_sees_why_a_closed_job_was_raised(site: Site) -> None:
    closed_by_them(site)
    assert REASON in site.sue.get("/jobs/1")


def test_the_security_log_has_the_end(site: Site) -> None:
    closed_by_them(site)
    site.bridge.app_state.security_log.write()
    page = Visitor(site.bridge, "olga", Role.OPERATOR).read("/security")
    assert "Installer withdrawn" in page and f"{THEIRS}, job closed" in page
