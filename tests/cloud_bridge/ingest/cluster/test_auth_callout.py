"""Is each login answered from the store, with its counter, and many concurrent ones with one query?"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy.exc import OperationalError

from cloud_bridge.counters import Counters
from cloud_bridge.errors import SettingError
from cloud_bridge.ingest.admission import Admission
from cloud_bridge.ingest.cluster import auth_callout, batched_credentials
from cloud_bridge.ingest.cluster.auth_callout import AuthCallout
from cloud_bridge.ingest.cluster.batched_credentials import BatchedCredentials
from cloud_bridge.ingest.cluster.nkey import Signer, new_seed
from cloud_bridge.ingest.inbound import Reporting
from cloud_bridge.ingest.unknown_clients import UnknownClients
from cloud_bridge.security_log import SecurityLog
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.units import add_unit, change_secret, revoke, secret_hashes
from cloud_bridge.store.unknown_clients import read_unknown_clients
from cloud_bridge.verified_time import clocks_of
from tests.cloud_bridge.ingest.cluster.login_requests import OURS, ANode, claims_of

NODE = ANode()
CANARIES = {"_canary-n1": "derived"}


class At:
    """A clock that stands still."""

    def now_ms(self) -> int:
        return 1_800_000_000_000


class Answering:
    """The answers of one auth process. `ask` runs on its own event loop."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.counters = Counters()
        self.nodes = Mock(end=AsyncMock())
        self.unknown_clients = UnknownClients(database)
        self.security_log = SecurityLog(database, clocks_of(At()))
        self.unit_reports = Mock()
        self.reporting = Reporting(self.counters, self.security_log, self.unit_reports, self.unknown_clients)

    def ask(self, *logins: tuple[str, str, str]) -> list[str]:
        """Ask for logins (user name, secret, client id) concurrently. Return for each "in", "ended", or the reason of the
        refusal."""
        return list(self.run(lambda callout: asyncio.gather(*(self._ask(callout, *login) for login in logins))))

    def run(self, act: Callable[[AuthCallout], Any]) -> Any:
        async def on_loop() -> Any:
            self.credentials = BatchedCredentials(self.database, CANARIES)
            admission = Admission(self.credentials, self.unknown_clients, self.security_log, self.counters, At())
            try:
                return await act(AuthCallout(Mock(), self.nodes, OURS, admission, self.reporting))
            finally:
                self.credentials.close()

        return asyncio.run(on_loop())

    async def _ask(self, callout: AuthCallout, user: str, secret: str, client_id: str) -> str:
        answer = await callout.answer(NODE.signs(NODE.asks(user, secret, client_id)))
        if answer is None:
            self.nodes.end.assert_awaited_with(NODE.id, 22)
            return "ended"
        said = claims_of(answer)["nats"]
        return "in" if "jwt" in said else str(said["error"])


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[Answering]:
    database = open_database(tmp_path)
    yield Answering(database)
    database.close()


def test_only_the_right_secret_under_the_own_client_id_lets_in(answering: Answering) -> None:
    with answering.database.writing() as connection:
        one, two = (add_unit(connection, name, 0) for name in ("home-1", "home-2"))
    not_authorised = "not a unit, or not its secret"
    assert answering.ask(
        ("home-1", one.secret, "home-1"),
        ("home-1", two.secret, "home-1"),
        ("home-1", one.secret, "home-2"),
        ("nobody", one.secret, "nobody"),
        ("no unit", "", "no unit"),
        ("_canary-n1", "derived", "_canary-n1"),
        ("_canary-n1", "wrong", "_canary-n1"),
        ("_canary-n1", "\ud800", "_canary-n1"),
    ) == [
        "in",
        not_authorised,
        "the client id is not the user name",
        *[not_authorised] * 2,
        "in",
        *[not_authorised] * 2,
    ]
    counted = answering.counters
    assert (counted.logins, counted.refused_wrong_secret, counted.refused_client_id) == (2, 3, 1)
    assert counted.refused_unknown_unit == 2
    answering.unknown_clients.write()
    with answering.database.reading() as connection:
        assert [one.id for one in read_unknown_clients(connection)] == ["nobody"]


def test_many_at_once_are_few_queries(answering: Answering) -> None:
    with answering.database.writing() as connection:
        secrets = {f"home-{number}": add_unit(connection, f"home-{number}", 0).secret for number in range(300)}
    logins = [(name, secret, name) for name, secret in secrets.items()]
    assert answering.ask(*logins) == ["in"] * 300
    assert answering.credentials.queries <= 2


def test_a_revoked_unit_and_a_former_secret_do_not_let_in(answering: Answering) -> None:
    with answering.database.writing() as connection:
        one, two = (add_unit(connection, name, 0) for name in ("home-1", "home-2"))
        revoke(connection, "home-1", 1)
        new = change_secret(connection, "home-2", 1)
    answers = answering.ask(
        ("home-1", one.secret, "home-1"), ("home-2", two.secret, "home-2"), ("home-2", new, "home-2")
    )
    assert answers == ["not a unit, or not its secret"] * 2 + ["in"]


def test_what_is_known_ends_when_it_is_forgotten_and_by_age(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering.database.writing() as connection:
        secret = add_unit(connection, "home-1", 0).secret

    def change(name: str) -> str:
        with answering.database.writing() as connection:
            return change_secret(connection, name, 1)

    async def act(callout: AuthCallout) -> None:
        credentials = answering.credentials
        assert await credentials.check("home-1", secret) and await credentials.check("home-1", secret)
        assert credentials.queries == 1
        new = change("home-1")
        assert not await credentials.check("home-1", new)
        credentials.forget("home-1")
        assert await credentials.check("home-1", new)
        newer = change("home-1")
        monkeypatch.setattr(credentials, "_now_s", lambda: 1e9)
        assert await credentials.check("home-1", newer)

    answering.run(act)


def test_while_the_database_is_away_a_login_waits_and_is_ended(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batched_credentials, "LOOKUP_WITHIN_S", 0.05)
    monkeypatch.setattr(batched_credentials, "AGAIN_AFTER_S", 0.01)

    def away(*_: object) -> None:
        raise OperationalError("", None, Exception("it is away"))

    with monkeypatch.context() as patched:
        patched.setattr(batched_credentials, "secret_hashes", away)
        assert answering.ask(("home-1", "any", "home-1")) == ["ended"]
    assert answering.counters.refused_store == 1


def test_a_short_absence_of_the_database_refuses_nobody(answering: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering.database.writing() as connection:
        secret = add_unit(connection, "home-1", 0).secret
    monkeypatch.setattr(batched_credentials, "AGAIN_AFTER_S", 0.001)
    failures = iter(range(3))

    def away(*arguments: Any) -> dict[str, str]:
        if next(failures, None) is not None:
            raise OperationalError("", None, Exception("it is away"))
        return secret_hashes(*arguments)

    monkeypatch.setattr(batched_credentials, "secret_hashes", away)
    assert answering.ask(("home-1", secret, "home-1")) == ["in"]


def test_a_unit_that_logs_in_without_end_is_held_up(answering: Answering) -> None:
    with answering.database.writing() as connection:
        secret = add_unit(connection, "home-1", 0).secret

    async def act(callout: AuthCallout) -> list[str]:
        callout._quotas._burst = 2
        return [await answering._ask(callout, "home-1", secret, "home-1") for _ in range(3)]

    assert answering.run(act) == ["in", "in", "ended"]
    assert answering.counters.refused_over_quota == 1
    answering.unit_reports.went_over_quota.assert_called_once_with("home-1")


def test_a_process_that_ends_answers_those_that_it_has_taken(answering: Answering) -> None:
    with answering.database.writing() as connection:
        secret = add_unit(connection, "home-1", 0).secret

    async def act(callout: AuthCallout) -> list[str]:
        callout._client = client = Mock(publish=AsyncMock())
        request = NODE.signs(NODE.asks("home-1", secret))
        for reply in ("first", "second"):
            await callout._asked(Mock(data=request, reply=reply))
        await callout.finish()
        return [call.args[0] for call in client.publish.await_args_list]

    assert sorted(answering.run(act)) == ["first", "second"]


def test_of_too_many_the_newest_are_answered_and_those_that_are_late_are_dropped(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth_callout, "WAITING_MAX", 2)

    async def act(callout: AuthCallout) -> list[str]:
        callout._client = client = Mock(publish=AsyncMock())
        request = NODE.signs(NODE.asks())
        times_s = iter([0.0, 1.0, 2.0, 11.0, 11.0, 11.0])
        monkeypatch.setattr(callout, "_now_s", lambda: next(times_s))
        for reply in ("crowded out", "late", "late too", "newest"):
            await callout._asked(Mock(data=request, reply=reply))
        await callout.finish()
        return [call.args[0] for call in client.publish.await_args_list]

    assert answering.run(act) == ["newest"]
    assert answering.counters.dropped_logins == 3


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(some.binary(max_size=100), some.text(max_size=40), some.text(max_size=40))
def test_any_bytes_are_answered_by_a_refusal_or_dropped_and_counted(
    answering: Answering, data: bytes, user: str, secret: str
) -> None:
    async def act(callout: AuthCallout) -> list[bytes | None]:
        return [await callout.answer(data), await callout.answer(NODE.signs(NODE.asks(user, secret)))]

    before = answering.counters.bad_login_requests
    dropped, refused = answering.run(act)
    assert dropped is None and answering.counters.bad_login_requests == before + 1
    assert refused is not None and "error" in claims_of(refused)["nats"]


def test_a_process_with_another_seed_ends_the_login_and_itself(answering: Answering) -> None:
    asked = NODE.asks()
    asked["sub"] = Signer(new_seed()).public

    async def act(callout: AuthCallout) -> None:
        running = asyncio.create_task(callout.run())
        assert await callout.answer(NODE.signs(asked)) is None
        with pytest.raises(SettingError, match="issuer_seed in the file of CHARGEKEEPER_NATS does not match"):
            await running

    answering.run(act)
    answering.nodes.end.assert_awaited_once_with(NODE.id, 22)
    assert answering.counters.bad_login_requests == 1


def waiting_after(answering: Answering, *passed_s: float) -> tuple[list[int], int]:
    """The logins that wait when one more has come after each of these times, and how many were dropped."""

    async def come(callout: Any) -> list[int]:
        now_s = 0.0
        callout._now_s = lambda: now_s
        for number, one_s in enumerate(passed_s):
            now_s += one_s
            await callout._asked(number)
        return [one.message for one in callout._waiting]

    return answering.run(come), answering.counters.dropped_logins


def test_as_many_logins_wait_as_may_and_the_oldest_gives_way(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth_callout, "WAITING_MAX", 2)
    assert waiting_after(answering, 0, 0) == ([0, 1], 0)
    assert waiting_after(answering, 0, 0, 0, 0) == ([2, 3], 2)


def test_a_login_whose_node_has_given_up_waits_no_longer(answering: Answering) -> None:
    assert waiting_after(answering, 0, auth_callout.IN_TIME_S) == ([0, 1], 0)
    assert waiting_after(answering, 0, 1, auth_callout.IN_TIME_S) == ([1, 2], 1)


@pytest.mark.parametrize(("late_s", "is_answered"), [(0.0, True), (0.001, False)])
def test_an_answer_that_comes_too_late_is_not_made(answering: Answering, late_s: float, is_answered: bool) -> None:
    message = Mock(data=b"x", reply="_INBOX.x")

    async def respond(callout: Any) -> None:
        callout._now_s = lambda: auth_callout.IN_TIME_S + late_s
        callout._client = Mock(publish=AsyncMock())
        callout.answer = AsyncMock(return_value=b"answer")
        await callout._respond(auth_callout._Waiting(message, 0.0))
        assert (callout._client.publish.await_args_list == [(("_INBOX.x", b"answer"),)]) is is_answered

    answering.run(respond)
    assert answering.counters.dropped_logins == (not is_answered)
