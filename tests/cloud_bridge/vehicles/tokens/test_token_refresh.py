"""Does a refresh keep the grant, whatever is lost: an answer, a process, the database, the clock?"""

from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from cloud_bridge.store.exclusive_lock import exclusive_lock
from cloud_bridge.vehicles.linking.link import State
from cloud_bridge.vehicles.polling.poll import poll
from cloud_bridge.vehicles.polling.poll_schedule import IDLE_MS
from cloud_bridge.vehicles.polling.poller import poll_due
from cloud_bridge.vehicles.providers.provider import ProviderError
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from cloud_bridge.vehicles.tokens.keys import KeyGone
from cloud_bridge.vehicles.tokens.refresh_worker import outcome_of
from cloud_bridge.vehicles.tokens.token_refresh import SOON_MS, Outcome, TokenRefresh, Waits
from cloud_bridge.vehicles.tokens.vault import StoredGrant, Vault
from tests.cloud_bridge.vehicles.acting import Scene

AT_ONCE = Waits(lock_s=0)
DONE = Outcome()
GONE = Outcome(Trouble.CONSENT_GONE)


class Killed(BaseException):
    """The refresher was killed between two lines."""


def kept(play: Scene) -> StoredGrant:
    with play.accounts.database.reading() as connection:
        found = play.accounts.grants.vault.get(connection, play.vehicle().grant_id or "")
    assert found is not None
    return found


def refresh(play: Scene, generation: int | None = None, waits: Waits = AT_ONCE) -> Outcome:
    """Refresh this generation; default: the present one."""
    accounts = play.accounts
    refreshing = TokenRefresh(accounts.database, accounts.grants.vault, accounts.catalogue, play.clock, waits)
    now = kept(play)
    return refreshing.refresh(now.id, now.generation if generation is None else generation)


def refresh_and_die(play: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill the refresher between the maker's answer and our commit."""

    def die(*_arguments: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Vault, "renew", die)
        with pytest.raises(Killed):
            refresh(play)


def test_a_refresh_stores_the_new_grant_before_anybody_uses_it(play: Scene) -> None:
    play.link()
    old = kept(play)
    assert refresh(play) == DONE
    new = kept(play)
    assert (new.generation, new.before) == (old.generation + 1, old.grant.refresh_token)
    assert new.grant.refresh_token != old.grant.refresh_token
    assert refresh(play, old.generation) == DONE, "who comes late with the old generation finds it done"
    assert len(play.maker.refreshes) == 1


def test_only_one_at_a_time_may_refresh(play: Scene) -> None:
    grant_id = play.link().grant_id
    with exclusive_lock(play.accounts.database, f"refresh-{grant_id}", 0):
        assert refresh(play) == Outcome(Trouble.OUTAGE), "transient: nobody is told"
    assert play.maker.refreshes == []
    assert refresh(play) == DONE


def test_a_refresher_that_died_costs_nothing_where_the_maker_gives_a_second_chance(
    play: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    play.maker.second_chance = True
    play.link()
    refresh_and_die(play, monkeypatch)
    assert poll(play.accounts, play.vehicle()).link.state is State.LINKED
    used = play.maker.refreshes
    assert (len(used), len(set(used))) == (2, 1), "the first look after it used the same token once more"


def test_a_refresher_that_died_with_all_of_us_is_followed_up_in_time(
    play: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    play.maker.second_chance = True
    poll(play.accounts, play.link())
    refresh_and_die(play, monkeypatch)
    assert poll_due(play.accounts) == 0
    assert SOON_MS < IDLE_MS
    play.clock.advance(SOON_MS)
    assert poll_due(play.accounts) == 1
    assert len(play.maker.refreshes) == 2


def test_a_refresher_that_died_is_a_lost_access_where_there_is_no_second_chance(
    play: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No client can prevent this; the driver is told immediately, and not at the next charge."""
    play.link()
    refresh_and_die(play, monkeypatch)
    assert poll(play.accounts, play.vehicle()).link.reason is Trouble.CONSENT_GONE


def test_an_answer_that_is_lost_is_asked_for_again_at_once(play: Scene) -> None:
    play.maker.second_chance = True
    play.link()
    play.maker.lost_answers = 1
    assert refresh(play) == DONE
    assert poll(play.accounts, play.vehicle()).link.state is State.LINKED


def test_a_maker_that_is_down_is_asked_twice_and_the_grant_is_as_it_was(play: Scene) -> None:
    play.link()
    before = kept(play).grant
    play.maker.trouble["refresh"] = ProviderError(Trouble.OUTAGE)
    assert refresh(play) == Outcome(Trouble.OUTAGE)
    assert (len(play.maker.refreshes), kept(play).grant) == (2, before)
    del play.maker.trouble["refresh"]
    assert refresh(play) == DONE


def test_the_token_before_is_tried_when_the_maker_has_forgotten_our_last_exchange(play: Scene) -> None:
    play.maker.second_chance = True
    play.link()
    refresh(play)
    play.maker.forget(kept(play).grant.refresh_token)
    assert refresh(play) == DONE
    assert poll(play.accounts, play.vehicle()).link.state is State.LINKED


def test_a_consent_is_gone_only_when_both_tokens_are_refused(play: Scene) -> None:
    play.link()
    refresh(play)
    tokens = [kept(play).grant.refresh_token, kept(play).before]
    play.maker.end_grant(1)
    play.maker.refreshes.clear()
    assert refresh(play) == GONE
    assert play.maker.refreshes == tokens


def test_a_grant_of_an_authorisation_has_no_token_before(play: Scene) -> None:
    play.link()
    play.maker.end_grant(1)
    assert [refresh(play), refresh(play)] == [GONE, GONE]
    assert len(play.maker.refreshes) == 2


def test_a_database_that_is_full_does_not_cost_the_grant(play: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    play.link()
    renew, failures = Vault.renew, iter([True, True, False])

    def full_at_first(*arguments: Any) -> bool:
        if next(failures):
            raise OperationalError("update", {}, Exception("database or disk is full"))
        return renew(*arguments)

    monkeypatch.setattr(Vault, "renew", full_at_first)
    waited: list[float] = []
    assert refresh(play, waits=Waits(waited.append, 0)) == DONE
    assert waited == [1.0, 1.0]
    assert poll(play.accounts, play.vehicle()).link.state is State.LINKED


def test_a_late_refresher_cannot_overwrite_a_newer_grant(play: Scene) -> None:
    """As after a failover of PostgreSQL, in which the lock was lost."""
    play.link()
    stale = kept(play)
    refresh(play)
    newer = kept(play)
    with play.accounts.database.writing() as connection:
        assert not play.accounts.grants.vault.renew(connection, stale, stale.grant)
    assert kept(play) == newer


def test_linking_again_during_a_refresh_wins(play: Scene) -> None:
    vehicle, slow = play.link(), kept(play)
    again = play.link(vehicle)
    with play.accounts.database.writing() as connection:
        assert not play.accounts.grants.vault.renew(connection, slow, slow.grant)
    assert poll(play.accounts, again).link.state is State.LINKED


def test_a_maker_that_is_gone_from_the_settings_is_the_operators_to_mend(play: Scene) -> None:
    play.link()
    play.accounts.catalogue.providers.clear()
    assert refresh(play) == Outcome(Trouble.NOT_SET_UP)


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (KeyGone("gone"), Trouble.NOT_SET_UP),
        (OperationalError("select", {}, Exception("locked")), Trouble.OUTAGE),
        (RecursionError("as deep as a well"), Trouble.OUTAGE),
    ],
)
def test_whoever_waits_for_a_refresh_gets_an_outcome(
    play: Scene, monkeypatch: pytest.MonkeyPatch, error: Exception, trouble: Trouble
) -> None:
    play.link()
    accounts, now = play.accounts, kept(play)

    def fail(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(Vault, "get", fail)
    refreshing = TokenRefresh(accounts.database, accounts.grants.vault, accounts.catalogue, play.clock, AT_ONCE)
    assert outcome_of(refreshing, now.id, now.generation) == Outcome(trouble)
