"""Is the link to a car's account lost if and only if access is lost?"""

import pytest

from cloud_bridge.vehicles.linking.link import (
    REFUSED_AFTER_MS,
    TABLE,
    Event,
    ImpossibleEvent,
    Link,
    State,
    event_of,
    follow,
)
from cloud_bridge.vehicles.providers.provider_errors import ACT_ELSEWHERE, AUTHORISE_AGAIN, LASTING, REFUSALS, Trouble

NEW = Link(State.UNLINKED, 0)
LINKED = Link(State.LINKED, 10)
LOST = Link(State.ACCESS_LOST, 20, Trouble.CONSENT_GONE)


def test_linking_for_the_first_time() -> None:
    linking = follow(NEW, Event.BEGAN, 1)
    assert linking == Link(State.LINKING, 1, None, State.UNLINKED)
    assert follow(linking, Event.GRANTED, 2) == Link(State.LINKED, 2)


def test_a_first_attempt_that_lapses_leaves_nothing() -> None:
    linking = follow(follow(NEW, Event.BEGAN, 1), Event.BEGAN, 2)
    assert follow(linking, Event.LAPSED, 3).state is State.UNLINKED


def test_a_lost_access_stays_in_view_while_the_driver_authorises_again() -> None:
    linking = follow(LOST, Event.BEGAN, 30)
    assert (linking.state, linking.reason, linking.since_ms) == (State.LINKING, Trouble.CONSENT_GONE, 20)
    assert follow(linking, Event.LAPSED, 40) == LOST, "and is as it was when they turn back"
    assert follow(linking, Event.GRANTED, 40) == Link(State.LINKED, 40)


def test_transient_trouble_degrades_and_heals_without_a_word() -> None:
    degraded = follow(LINKED, event_of(Trouble.OUTAGE), 30, Trouble.OUTAGE)
    assert degraded == Link(State.DEGRADED, 30, Trouble.OUTAGE)
    assert follow(degraded, event_of(Trouble.OUTAGE), 40, Trouble.OUTAGE).since_ms == 30
    assert follow(degraded, event_of(None), 50) == Link(State.LINKED, 50)


def test_an_outage_does_not_hide_that_access_is_lost() -> None:
    assert follow(LOST, event_of(Trouble.OUTAGE), 30, Trouble.OUTAGE) == LOST


@pytest.mark.parametrize("trouble", sorted(set(Trouble) - LASTING))
def test_only_a_refusal_that_lasts_is_told(trouble: Trouble) -> None:
    if event_of(trouble) is not Event.FAILED:
        return
    link = follow(LINKED, Event.FAILED, 100, trouble, 7)
    early = follow(link, Event.FAILED, 200, trouble, 7 + REFUSED_AFTER_MS - 1)
    assert early == Link(State.DEGRADED, 100, trouble, None, 7 if trouble in REFUSALS else None)
    late = follow(early, Event.FAILED, 300, trouble, 7 + REFUSED_AFTER_MS)
    assert late == (Link(State.ACCESS_LOST, 100, Trouble.REFUSED) if trouble in REFUSALS else early)


@pytest.mark.parametrize("now_ms", [0, 400 * REFUSED_AFTER_MS])
def test_a_wall_clock_that_is_set_tells_no_refusal_early(now_ms: int) -> None:
    link = follow(LINKED, Event.FAILED, REFUSED_AFTER_MS, Trouble.UNEXPLAINED, 7)
    assert follow(link, Event.FAILED, now_ms, Trouble.UNEXPLAINED, 8).state is State.DEGRADED


def test_a_refusal_is_counted_anew_where_verified_time_was_put_back() -> None:
    link = follow(LINKED, Event.FAILED, 100, Trouble.UNEXPLAINED, 400 * REFUSED_AFTER_MS)
    link = follow(link, Event.FAILED, 200, Trouble.UNEXPLAINED, 7)
    assert follow(link, Event.FAILED, 300, Trouble.UNEXPLAINED, 7 + REFUSED_AFTER_MS).reason is Trouble.REFUSED


def test_access_comes_back_whoever_mended_it() -> None:
    assert follow(LOST, event_of(None), 30) == Link(State.LINKED, 30)


def test_another_reason_is_another_loss() -> None:
    assert follow(LOST, Event.LOST, 30, Trouble.REMOTE_OFF) == Link(State.ACCESS_LOST, 30, Trouble.REMOTE_OFF)


def test_a_sleeping_car_is_an_answer() -> None:
    assert event_of(Trouble.ASLEEP) is Event.ANSWERED


@pytest.mark.parametrize("trouble", list(Trouble))
def test_only_lasting_trouble_loses_access(trouble: Trouble) -> None:
    state = follow(LINKED, event_of(trouble), 30, trouble).state
    assert (state is State.ACCESS_LOST) == (trouble in AUTHORISE_AGAIN | ACT_ELSEWHERE)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("event", list(Event))
def test_every_event_leads_somewhere_or_is_named_as_a_mistake(state: State, event: Event) -> None:
    link = Link(state, 5, None, State.UNLINKED if state is State.LINKING else None)
    if event in TABLE[state]:
        assert follow(link, event, 6).state in State
    else:
        with pytest.raises(ImpossibleEvent, match=f"{event} while {state}"):
            follow(link, event, 6)
